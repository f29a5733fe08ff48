"""The simulated world as canonical tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.worlds import texts, words
from ringfence.worlds.people import DAY, SPAN, Book, Person
from ringfence.worlds.traffic import Requests, pick

START = pd.Timestamp("2026-03-02T00:00:00Z")
"""A Monday."""
_MODELS = (
    ("sable-2", -400 * DAY),
    ("sable-3", -120 * DAY),
    ("sable-3-mini", -40 * DAY),
    ("sable-4", 10 * DAY),
)
_LABELLED_INNOCENTS = 600


@dataclass(frozen=True, slots=True)
class Named:
    """People and the random ids their accounts go by."""

    people: Sequence[Person]
    ids: npt.NDArray[np.object_]
    """shape: ``(n,)``, in the order of the people; says nothing about when an account was made."""


def when(seconds: npt.ArrayLike) -> pd.DatetimeIndex:
    """Return seconds since the start of the window as UTC times, to the millisecond."""
    milliseconds = np.round(np.asarray(seconds, dtype=float) * 1000).astype("int64")
    return START + pd.to_timedelta(milliseconds, unit="ms")


def name_people(rng: np.random.Generator, people: Sequence[Person]) -> Named:
    """Give every account a random id."""
    return Named(people, np.array([f"acct_{rng.bytes(8).hex()}" for _ in people], dtype=object))


def accounts(rng: np.random.Generator, named: Named) -> pd.DataFrame:
    """Return the table ``accounts``, in the order of the ids."""
    people = named.people
    frame = pd.DataFrame(
        {
            "account_id": named.ids,
            "created_at": when([p.created for p in people]),
            "org_id": [p.org for p in people],
            "plan": [p.plan for p in people],
            "email_domain": rng.choice(words.EMAIL_DOMAINS, size=len(people)),
            "country": [words.COUNTRIES[p.country] for p in people],
            "status": ["banned" if p.banned and not p.reinstated else "active" for p in people],
        }
    )
    return frame.sort_values("account_id", ignore_index=True)


def requests(rng: np.random.Generator, named: Named, sent: Requests, book: Book) -> pd.DataFrame:
    """Return the table ``requests``, prompts included, in the order of their times."""
    count = len(sent.ts)
    place = _places(rng, named.people, sent)
    system, prompt = _texts(rng, sent, book)
    sizes = np.array([len(s or "") + len(p) for s, p in zip(system, prompt, strict=True)])
    thinks = rng.random(count) < 0.4
    return pd.DataFrame(
        {
            "request_id": [f"req_{x:016x}" for x in rng.integers(0, 2**63, count).tolist()],
            "account_id": named.ids[sent.person],
            "ts": when(sent.ts),
            **place,
            "model": _models(rng, named.people, sent),
            "system_prompt": system,
            "prompt": prompt,
            "input_tokens": (sizes / 4 + rng.integers(4, 40, count)).astype("int64"),
            "output_tokens": np.minimum(rng.lognormal(5.6, 0.9, count), 8000).astype("int64"),
            "reasoning_tokens": thinks * np.minimum(rng.lognormal(6.0, 0.9, count), 16000).astype("int64"),
            "tool_calls": rng.poisson(0.3, count),
            "stop_reason": rng.choice(("end_turn", "max_tokens", "tool_use"), count, p=(0.85, 0.06, 0.09)),
            "status_code": rng.choice((200, 429, 500), size=count, p=(0.975, 0.02, 0.005)),
        }
    )


def payments(rng: np.random.Generator, named: Named) -> pd.DataFrame:
    """Return the table ``payments``: on signing up, then every thirty days; 0 dollars on the free plan."""
    rows = []
    for person, account in zip(named.people, named.ids, strict=True):
        if not person.instruments:
            continue
        for n, ts in enumerate(_due(rng, person)):
            kind, number, instrument = person.instruments[n % len(person.instruments)].split(":")
            amount = {"free": 0.0, "payg": 5.0 * int(rng.integers(1, 20)), "pro": 20.0, "team": 30.0}[
                person.plan
            ]
            rows.append((f"pay_{rng.bytes(8).hex()}", account, ts, instrument, kind, number, amount))
    columns = ["payment_id", "account_id", "ts", "instrument_id", "instrument_type", "bin", "amount_usd"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["ts"] = when(frame["ts"].to_numpy())
    return frame.sort_values(["ts", "payment_id"], ignore_index=True)


def logins(rng: np.random.Generator, named: Named) -> pd.DataFrame:
    """Return the table ``logins``: a few an account, over the part of the window it lives in."""
    people = named.people
    who = np.repeat(np.arange(len(people)), 1 + rng.poisson(3, len(people)))
    born = np.array([max(p.created, 0.0) for p in people])[who]
    gone = np.array([p.until for p in people])[who]
    frame = pd.DataFrame(
        {
            "account_id": named.ids[who],
            "ts": when(born + rng.random(len(who)) * np.maximum(gone - born, 0)),
            "ip": pick(rng, [p.ips for p in people], who),
            "device_id": pick(rng, [p.devices for p in people], who),
            "user_agent": rng.choice(words.USER_AGENTS[5:8], size=len(who)),
        }
    )
    return frame.sort_values(["ts", "account_id"], ignore_index=True)


def account_events(named: Named) -> pd.DataFrame:
    """Return the table ``account_events``: bans, and the appeals that were upheld."""
    rows = []
    for person, account in zip(named.people, named.ids, strict=True):
        if person.banned is not None:
            rows.append((account, person.banned, "banned", "terms of use"))
        if person.reinstated is not None:
            rows.append((account, person.reinstated - 60, "appeal_upheld", "identity shown"))
            rows.append((account, person.reinstated, "reinstated", "appeal upheld"))
    frame = pd.DataFrame(rows, columns=["account_id", "ts", "event", "reason"])
    frame["ts"] = when(frame["ts"].to_numpy())
    return frame.sort_values(["ts", "account_id"], ignore_index=True)


def models() -> pd.DataFrame:
    """Return the table ``models``; one is released within the window."""
    return pd.DataFrame({"model": [m for m, _ in _MODELS], "released_at": when([t for _, t in _MODELS])})


def labels(rng: np.random.Generator, named: Named) -> pd.DataFrame:
    """Return the table ``labels``: what the provider's reviewers have found out by the end of the window."""
    groups: dict[tuple[str, str | None], list[int]] = {}
    for n, person in enumerate(named.people):
        groups.setdefault((person.population, person.ring), []).append(n)
    innocents = sum(len(g) for (_, ring), g in groups.items() if ring is None)
    rows: list[tuple[str, str, str | None, str]] = []
    for (_population, ring), group in groups.items():
        share = 1 / 3 if ring else _LABELLED_INNOCENTS / innocents
        size = min(len(group), max(4, round(len(group) * share)))
        chosen = sorted(rng.choice(group, size=size, replace=False).tolist())
        name = f"case-{len(rows) + 1000}" if ring else None
        rows += [(named.ids[n], "ring" if ring else "benign", name, "review") for n in chosen]
    frame = pd.DataFrame(rows, columns=["account_id", "label", "ring_name", "source"])
    frame["ts"] = when(SPAN - rng.uniform(0, 3 * DAY, len(frame)))
    return frame.sort_values("account_id", ignore_index=True)


def truth(named: Named) -> pd.DataFrame:
    """Return what is so: account_id, population, ring (null for innocents), role (null outside rings)."""
    people = named.people
    frame = pd.DataFrame(
        {
            "account_id": named.ids,
            "population": [p.population for p in people],
            "ring": [p.ring for p in people],
            "role": [p.role for p in people],
        }
    )
    return frame.sort_values("account_id", ignore_index=True)


def _places(
    rng: np.random.Generator, people: Sequence[Person], sent: Requests
) -> dict[str, npt.NDArray[np.object_]]:
    """One address, device, user agent and route a session; a request through the API names no device."""
    sessions, first = np.unique(sent.session, return_index=True)
    who = sent.person[first]
    at = np.searchsorted(sessions, sent.session)
    agents = [tuple(rng.choice(words.USER_AGENTS, size=2).tolist()) for _ in people]
    console = rng.random(len(sessions)) < 0.45
    columns = {
        "ip": pick(rng, [p.ips for p in people], who),
        "device_id": np.where(
            console, pick(rng, [p.devices for p in people], who), np.array(None, dtype=object)
        ),
        "user_agent": pick(rng, agents, who),
        "session_id": np.array([f"ses_{rng.bytes(6).hex()}" for _ in who], dtype=object),
        "access_route": np.where(
            console, "console", rng.choice(("api", "gateway"), size=len(who), p=(0.8, 0.2))
        ),
    }
    return {name: values[at] for name, values in columns.items()}


def _models(rng: np.random.Generator, people: Sequence[Person], sent: Requests) -> npt.NDArray[np.object_]:
    """Some accounts move to a new model within a day, most over weeks; nobody uses it before its release."""
    names = np.array([m for m, _ in _MODELS], dtype=object)
    old = rng.integers(0, 3, len(people))[sent.person]
    released = _MODELS[-1][1]
    eager = rng.random(len(people)) < np.array(
        [0.55 if p.ring or p.population == "framework" else 0.2 for p in people]
    )
    move = (
        released + np.where(eager, rng.uniform(0.1, 1.0, len(people)), rng.exponential(15, len(people))) * DAY
    )
    used: npt.NDArray[np.object_] = names[np.where(sent.ts > move[sent.person], 3, old)]
    return used


def _texts(rng: np.random.Generator, sent: Requests, book: Book) -> tuple[list[str | None], list[str]]:
    system: list[str | None] = []
    prompt: list[str] = []
    for pair, values in zip(sent.pair.tolist(), texts.fillings(rng, len(sent.pair)), strict=True):
        above, below = book.pairs[pair]
        system.append(above.format_map(values) if above else None)
        prompt.append(below.format_map(values))
    return system, prompt


def _due(rng: np.random.Generator, person: Person) -> list[float]:
    """Return when an account pays in the window: on signing up, each thirty days, now and then between."""
    first = person.created + float(rng.uniform(30, 900))
    if first < 0:
        first += float(np.ceil(-first / (30 * DAY))) * 30 * DAY
    count = int(rng.poisson(0.8)) if person.plan == "payg" else 0
    top_ups = rng.uniform(max(person.created, 0.0) + 900, SPAN, count).tolist()
    return sorted(ts for ts in (first, *top_ups) if ts < min(person.until, SPAN))
