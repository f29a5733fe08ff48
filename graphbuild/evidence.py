"""Communities → evidence: what their members share, in words and numbers a person can check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES, EntityType

EVIDENCE_COLUMNS = ("community", "family", "statement", "weight", "coverage", "entities")
_TOLD = 10
_NOUNS = {
    "ip": ("IP address", "IP addresses", "used"),
    "instrument": ("payment instrument", "payment instruments", "paid with"),
    "device": ("device", "devices", "used"),
    "template": ("prompt template", "prompt templates", "sent"),
}


def community_links(
    links: pd.DataFrame, community: pd.Series, least_family_weight: float = 0.0
) -> pd.DataFrame:
    """Return the links inside communities, with the community of each.

    Args:
        links: :data:`~ringfence.graphbuild.links.LINK_COLUMNS`.
        community: account_id → community, -1 for none.
        least_family_weight: In nats; a family that adds less to a link corroborates nothing and is set to 0.
    """
    inside = links.assign(
        community=links["account_a"].map(community), other=links["account_b"].map(community)
    )
    inside = inside[(inside["community"] == inside["other"]) & (inside["community"] >= 0)]
    families = inside[list(LINK_FAMILIES)]
    inside[list(LINK_FAMILIES)] = families.where(families >= least_family_weight, 0.0)
    return inside.drop(columns="other")


def describe_members(accounts: pd.DataFrame, inside: pd.DataFrame) -> pd.DataFrame:
    """Return ``accounts`` with inside_share and inside_families.

    Args:
        accounts: account_id and community, a row an account.
        inside: Links inside communities.

    Returns:
        inside_share is the share of the other members of its community that an account is linked to, 0..1;
        inside_families the number of families that link it there.
    """
    ends = pd.concat(
        [
            inside[[end, *LINK_FAMILIES]].rename(columns={end: "account_id"})
            for end in ("account_a", "account_b")
        ]
    )
    grouped = ends.groupby("account_id", sort=False)
    neighbours = grouped.size()
    families = (grouped[list(LINK_FAMILIES)].max() > 0).sum(axis=1)
    size = accounts.groupby("community")["account_id"].transform("size")
    others = (size - 1).clip(lower=1)
    share = accounts["account_id"].map(neighbours).fillna(0).astype(float) / others
    return accounts.assign(
        inside_share=share.astype(float),
        inside_families=accounts["account_id"].map(families).fillna(0).astype("int64"),
    )


def community_evidence(
    accounts: pd.DataFrame, inside: pd.DataFrame, sightings: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return :data:`EVIDENCE_COLUMNS`: a row a community and family that links its members.

    Args:
        accounts: account_id and community, a row an account.
        inside: Links inside communities.
        sightings: Entity type → account_id, entity_id of accounts in communities, with ``degree``, the
            accounts that share the entity in all.
    """
    size = accounts[accounts["community"] >= 0].groupby("community").size()
    rows: list[dict[str, Any]] = []
    for entity in ENTITY_TYPES.values():
        shared = _shared_inside(sightings[entity.name], accounts)
        linked = inside[inside[entity.family] > 0]
        weight = linked.groupby("community")[entity.family].sum()
        ends = pd.concat(
            [
                linked[["community", end]].set_axis(["community", "account_id"], axis=1)
                for end in ("account_a", "account_b")
            ]
        )
        covered = ends.drop_duplicates().groupby("community").size()
        by_community = dict(list(shared.groupby("community")))
        for community, members in zip(covered.index.tolist(), covered.tolist(), strict=True):
            n = int(size[community])
            rows.append(
                {
                    "community": community,
                    "family": str(entity.family),
                    "statement": _statement(entity, n, by_community[community]),
                    "weight": round(float(weight[community]) / (n * (n - 1) / 2), 6),
                    "coverage": round(members / n, 6),
                    "entities": [f"{entity.name}:{e}" for e in by_community[community]["entity_id"][:_TOLD]],
                }
            )
    frame = pd.DataFrame(rows, columns=list(EVIDENCE_COLUMNS))
    return frame.sort_values(
        ["community", "weight", "family"], ascending=[True, False, True], ignore_index=True
    )


def _shared_inside(sightings: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return community, entity_id, inside, degree: entities that two or more members share, rarest first."""
    seen = sightings.merge(accounts[accounts["community"] >= 0][["account_id", "community"]], on="account_id")
    shared = seen.groupby(["community", "entity_id"]).agg(
        inside=("account_id", "size"), degree=("degree", "first"), accounts=("account_id", list)
    )
    shared = shared[shared["inside"] > 1].reset_index()
    # An entity that is used here and nowhere else says most, and the more members the better.
    shared["hold"] = shared["inside"] * shared["inside"] / shared["degree"]
    return shared.sort_values(["community", "hold", "entity_id"], ascending=[True, False, True])


def _statement(entity: EntityType, size: int, shared: pd.DataFrame) -> str:
    one, many, verb = _NOUNS[entity.name]
    members = len({account for accounts in shared["accounts"] for account in accounts})
    count = len(shared)
    top = shared.iloc[0]
    lead = f"{members} of {size} accounts {verb} {count} {many if count > 1 else one} in common"
    which = "the most telling one" if count > 1 else "it"
    elsewhere = int(top["degree"] - top["inside"])
    outside = f"{elsewhere} other{'s' if elsewhere > 1 else ''}" if elsewhere else "nobody else"
    return f"{lead}; {which} is shared by {int(top['inside'])} of them and {outside}."
