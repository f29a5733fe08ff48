"""The picture of a ring: its accounts and what they share, laid out to be drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
import pandas as pd

from ringfence.records import Member, Ring, Role
from ringfence.report.text import plural, visible
from ringfence.schema import ENTITY_TYPES

WIDTH, HEIGHT = 720, 460
_MARGIN = 18
_MOST_ACCOUNTS = 90
_MOST_ENTITIES = {"template": 6}
_MOST_ENTITIES_ELSE = 18
"""A type; with 90 accounts, about 150 nodes can still be told apart."""

ENTITY_NAMES = {
    "ip": ("address", "addresses"),
    "instrument": ("payment instrument", "payment instruments"),
    "device": ("device", "devices"),
    "template": ("prompt template", "prompt templates"),
}
_ORDER = {Role.CORE: 0, Role.MEMBER: 1, Role.BYSTANDER: 2}


@dataclass(frozen=True, slots=True)
class Node:
    """An account or a shared entity."""

    x: float
    y: float
    kind: str
    """core, member or bystander for accounts; the entity type otherwise."""
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """An account's use of an entity, or a link where an account shares none of those shown."""

    x1: float
    y1: float
    x2: float
    y2: float
    link: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A laid-out ring."""

    lines: tuple[Line, ...]
    nodes: tuple[Node, ...]
    kinds: tuple[str, ...]
    """What the legend must name."""
    left_out: str
    """What is not drawn, in words; empty where all is."""


def draw_picture(ring: Ring, sightings: pd.DataFrame, links: pd.DataFrame, seed: int) -> Picture:
    """Lay out a ring by the Fruchterman–Reingold method with a fixed seed.

    Args:
        ring: The ring.
        sightings: account_id, entity_type, entity_id of its members.
        links: account_a, account_b, weight between its members.
        seed: Where the layout starts from.
    """
    members = sorted(ring.members, key=lambda m: (_ORDER[m.role], -m.score, m.account_id))
    shown = members[:_MOST_ACCOUNTS]
    names = {member.account_id for member in shown}
    shared = _shared(sightings)
    drawn = _strongest(shared, names)
    graph = _graph(shown, drawn, links)
    at = _layout(graph, seed)
    nodes = tuple(
        Node(*at[node], kind=data["kind"], title=data["title"]) for node, data in graph.nodes(data=True)
    )
    lines = tuple(Line(*at[a], *at[b], link=bool(data["link"])) for a, b, data in graph.edges(data=True))
    return Picture(
        lines, nodes, _kinds(nodes), _left_out(len(members) - len(shown), len(shared) - len(drawn))
    )


_Entity = tuple[str, str]


def _shared(sightings: pd.DataFrame) -> dict[_Entity, set[str]]:
    """Return the entities that two or more members used, with those members."""
    users: dict[_Entity, set[str]] = defaultdict(set)
    columns = (sightings["entity_type"], sightings["entity_id"], sightings["account_id"])
    for kind, entity, account in zip(*columns, strict=True):
        users[(str(kind), str(entity))].add(str(account))
    return {entity: accounts for entity, accounts in users.items() if len(accounts) > 1}


def _strongest(shared: dict[_Entity, set[str]], names: set[str]) -> dict[_Entity, list[str]]:
    """Return the most shared entities of each type with their users among ``names``."""
    drawn: dict[_Entity, list[str]] = {}
    for kind in ENTITY_TYPES:
        used = [(e, sorted(users & names)) for e, users in shared.items() if e[0] == kind]
        used = [(entity, users) for entity, users in used if len(users) > 1]
        used.sort(key=lambda pair: (-len(pair[1]), pair[0]))
        drawn.update(used[: _MOST_ENTITIES.get(kind, _MOST_ENTITIES_ELSE)])
    return drawn


def _graph(shown: Sequence[Member], drawn: dict[_Entity, list[str]], links: pd.DataFrame) -> nx.Graph:
    graph: nx.Graph = nx.Graph()
    for member in shown:
        title = f"Account {visible(member.account_id)}: {member.role}, score {member.score:.2f}"
        graph.add_node(("account", member.account_id), kind=member.role.value, title=title)
    for (kind, entity), users in drawn.items():
        title = (
            f"{ENTITY_NAMES[kind][0].capitalize()} {visible(entity)}: {plural(len(users), 'account')} here"
        )
        graph.add_node((kind, entity), kind=kind, title=title)
        # A template that all share would pull everything into one point.
        pull = 1.0 / len(users) ** 0.5
        graph.add_edges_from(((kind, entity), ("account", user)) for user in users)
        for user in users:
            graph.edges[(kind, entity), ("account", user)].update(weight=pull, link=False)
    _add_links(graph, links)
    return graph


def _add_links(graph: nx.Graph, links: pd.DataFrame) -> None:
    """Give each account that shares nothing shown its strongest link, so that it does not float alone."""
    alone = {node for node in graph if graph.degree(node) == 0}
    if not alone:
        return
    best: dict[_Entity, tuple[float, _Entity]] = {}
    rows = links.sort_values(["weight", "account_a", "account_b"], ascending=[False, True, True])
    for a, b, weight in zip(rows["account_a"], rows["account_b"], rows["weight"], strict=True):
        ends = (("account", str(a)), ("account", str(b)))
        for one, other in (ends, ends[::-1]):
            if one in alone and other in graph:
                best.setdefault(one, (float(weight), other))
    for one, (_weight, other) in best.items():
        graph.add_edge(one, other, weight=0.6, link=True)


def _layout(graph: nx.Graph, seed: int) -> dict[_Entity, tuple[float, float]]:
    if len(graph) == 1:
        return dict.fromkeys(graph, (WIDTH / 2, HEIGHT / 2))
    spread = 1.9 / len(graph) ** 0.5
    places = nx.spring_layout(graph, k=spread, iterations=120, seed=seed, weight="weight")
    xs, ys = [p[0] for p in places.values()], [p[1] for p in places.values()]
    return {
        node: (_scaled(p[0], min(xs), max(xs), WIDTH), _scaled(p[1], min(ys), max(ys), HEIGHT))
        for node, p in places.items()
    }


def _scaled(value: float, low: float, high: float, size: int) -> float:
    share = 0.5 if high == low else (float(value) - low) / (high - low)
    return round(float(_MARGIN + share * (size - 2 * _MARGIN)), 1)


def _kinds(nodes: Sequence[Node]) -> tuple[str, ...]:
    present = {node.kind for node in nodes}
    return tuple(kind for kind in (*Role, *ENTITY_TYPES) if kind in present)


def _left_out(accounts: int, entities: int) -> str:
    parts = []
    if accounts:
        parts.append(f"{plural(accounts, 'account')} with lower scores")
    if entities:
        parts.append(f"{plural(entities, 'entity', 'entities')} shared by fewer accounts")
    return "Not drawn: " + " and ".join(parts) + "." if parts else ""
