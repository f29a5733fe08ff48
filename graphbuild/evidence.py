"""Communities → evidence: what their members share, in words and numbers a person can check."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ringfence.records import Family
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES, EntityType

EVIDENCE_COLUMNS = ("community", "family", "statement", "weight", "coverage", "entities")
_TOLD = 10
_NOUNS = {
    "ip": ("IP address", "IP addresses", "used"),
    "instrument": ("payment instrument", "payment instruments", "paid with"),
    "device": ("device", "devices", "used"),
    "template": ("prompt template", "prompt templates", "sent"),
}
_DOINGS = {
    Family.TIMING: "are at work in the same hours and minutes as others of them, more often than their own "
    "habits make them meet.",
    Family.LIFECYCLE: "signed up, moved to a new model or took a banned one's place when others of them did, "
    "more closely than the crowd.",
}
"""Family without entities → what accounts do together."""


def community_links(
    links: pd.DataFrame, community: pd.Series, least_family_weight: float = 0.0
) -> pd.DataFrame:
    """Return the links inside communities, with the community of each.

    Args:
        links: :data:`~ringfence.graphbuild.linkage.links.LINK_COLUMNS`.
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
    """Return ``accounts`` with inside_share, inside_families, significant_links, led and followed.

    Args:
        accounts: account_id and community, a row an account.
        inside: Links inside communities.

    Returns:
        inside_share is the share of the other members of its community that an account is linked to, 0..1;
        inside_families the number of families that link it there; significant_links those of its links
        that chance would hardly make; led and followed count the values to which it came no later than
        another member, and no earlier.
    """
    seen_by = {"account_a": ("led", "followed"), "account_b": ("followed", "led")}
    ends = pd.concat(
        [
            inside[[end, *LINK_FAMILIES, "significant", *order]].set_axis(
                ["account_id", *LINK_FAMILIES, "significant", "led", "followed"], axis=1
            )
            for end, order in seen_by.items()
        ]
    )
    grouped = ends.groupby("account_id", sort=False)
    neighbours = grouped.size()
    families = (grouped[list(LINK_FAMILIES)].max() > 0).sum(axis=1)
    counts = grouped[["significant", "led", "followed"]].sum()
    size = accounts.groupby("community")["account_id"].transform("size")
    others = (size - 1).clip(lower=1)
    share = accounts["account_id"].map(neighbours).fillna(0).astype(float) / others
    return accounts.assign(
        inside_share=share.astype(float),
        inside_families=accounts["account_id"].map(families).fillna(0).astype("int64"),
        **{
            name: accounts["account_id"].map(counts[column]).fillna(0).astype("int64")
            for name, column in (
                ("significant_links", "significant"),
                ("led", "led"),
                ("followed", "followed"),
            )
        },
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
    told = [_shared_lines(entity, sightings[entity.name], accounts) for entity in ENTITY_TYPES.values()]
    told += [_doings(family, wording, inside) for family, wording in _DOINGS.items()]
    rows = pd.concat([lines.join(_weights(inside, family, size), how="inner") for family, lines in told])
    sizes = size.reindex(rows.index)
    rows["statement"] = [s.format(size=n) for s, n in zip(rows["statement"], sizes, strict=True)]
    frame = rows.rename_axis("community").reset_index()[list(EVIDENCE_COLUMNS)]
    return frame.sort_values(
        ["community", "weight", "family"], ascending=[True, False, True], ignore_index=True
    )


def _weights(inside: pd.DataFrame, family: Family, size: pd.Series) -> pd.DataFrame:
    """Return family, weight a pair and coverage of the communities that a family links."""
    linked = inside[inside[family] > 0]
    weight = linked.groupby("community")[family].sum()
    n = size.reindex(weight.index)
    return pd.DataFrame(
        {
            "family": str(family),
            "weight": (weight / (n * (n - 1) / 2)).round(6),
            "coverage": (_covered(linked).reindex(weight.index) / n).round(6),
        }
    )


def _covered(linked: pd.DataFrame) -> pd.Series:
    """Return how many accounts of each community have one of the links."""
    ends = pd.concat(
        [
            linked[["community", end]].set_axis(["community", "account_id"], axis=1)
            for end in ("account_a", "account_b")
        ]
    )
    return ends.drop_duplicates().groupby("community").size()


def _doings(family: Family, wording: str, inside: pd.DataFrame) -> tuple[Family, pd.DataFrame]:
    """Return the family, and statement and entities of what accounts do and no entity shows."""
    covered = _covered(inside[inside[family] > 0])
    lines = {
        "statement": [f"{members} of {{size}} accounts {wording}" for members in covered],
        "entities": [[] for _ in covered],
    }
    return family, pd.DataFrame(lines, covered.index)


def _shared_lines(
    entity: EntityType, sightings: pd.DataFrame, accounts: pd.DataFrame
) -> tuple[Family, pd.DataFrame]:
    """Return the entity's family, and statement and entities of each community that shares some."""
    shared, members = _shared_inside(sightings, accounts)
    by_community = shared.groupby("community")
    top = by_community.first()
    told = shared[by_community.cumcount() < _TOLD]
    entities = (f"{entity.name}:" + told["entity_id"].astype(str)).groupby(told["community"]).agg(list)
    lines = {
        "statement": [
            _statement(entity, *line)
            for line in zip(members, by_community.size(), top["inside"], top["degree"], strict=True)
        ],
        "entities": entities,
    }
    return entity.family, pd.DataFrame(lines, top.index)


def _shared_inside(sightings: pd.DataFrame, accounts: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return what two or more members share, and how many members of each community share any of it.

    The first is community, entity_id, inside, degree: the rarest first within each community.
    """
    seen = sightings.merge(accounts[accounts["community"] >= 0][["account_id", "community"]], on="account_id")
    keys = ["community", "entity_id"]
    seen["inside"] = seen.groupby(keys)["account_id"].transform("size")
    seen = seen[seen["inside"] > 1]
    members = seen[["community", "account_id"]].drop_duplicates().groupby("community").size()
    shared = seen.drop_duplicates(keys)
    # An entity that is used here and nowhere else says most, and the more members the better.
    shared = shared.assign(hold=shared["inside"] * shared["inside"] / shared["degree"])
    shared = shared.sort_values(["community", "hold", "entity_id"], ascending=[True, False, True])
    return shared, members


def _statement(entity: EntityType, members: int, count: int, inside: int, degree: int) -> str:
    one, many, verb = _NOUNS[entity.name]
    lead = f"{members} of {{size}} accounts {verb} {count} {many if count > 1 else one} in common"
    which = "the most telling one" if count > 1 else "it"
    elsewhere = degree - inside
    outside = f"{elsewhere} other{'s' if elsewhere > 1 else ''}" if elsewhere else "nobody else"
    return f"{lead}; {which} is shared by {inside} of them and {outside}."
