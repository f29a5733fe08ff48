"""Communities → evidence: what their members share, in words and numbers a person can check."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ringfence.graphbuild.linkage.links import PAIR
from ringfence.graphbuild.numbered import Seen
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
    links: pd.DataFrame, community: npt.NDArray[np.int64], least_family_weight: float = 0.0
) -> pd.DataFrame:
    """Return the links inside communities, with the community of each.

    Args:
        links: :data:`~ringfence.graphbuild.linkage.links.LINK_COLUMNS`, with accounts by number.
        community: shape: ``(n,)``; of each account, -1 for none.
        least_family_weight: In nats; a family that adds less to a link corroborates nothing and is set to 0.
    """
    left, right = (community[links[end]] for end in PAIR)
    within = (left == right) & (left >= 0)
    inside = pd.DataFrame(links[within]).assign(community=left[within])
    families = inside[list(LINK_FAMILIES)]
    inside[list(LINK_FAMILIES)] = families.where(families >= least_family_weight, 0.0)
    return inside


def describe_members(members: pd.DataFrame, inside: pd.DataFrame) -> pd.DataFrame:
    """Return ``members`` with inside_share, inside_families, significant_links, led and followed.

    Args:
        members: community, -1 for none; row ``i`` is account ``i``.
        inside: Links inside communities.

    Returns:
        inside_share is the share of the other members of its community that an account is linked to, 0..1;
        inside_families the number of families that link it there; significant_links those of its links
        that chance would hardly make; led and followed count the values to which it came no later than
        another member, and no earlier.
    """
    ends = [inside[end].to_numpy() for end in PAIR]

    def total(*amounts: pd.Series) -> npt.NDArray[np.int64]:
        """Return the sum of what links say of the one end and, where that is another, of the other."""
        told = zip(ends, (amounts[0], amounts[-1]), strict=True)
        return np.asarray(sum(np.bincount(end, amount, len(members)) for end, amount in told), np.int64)

    linked = inside[list(LINK_FAMILIES)] > 0
    others = members.groupby("community")["community"].transform("size") - 1
    return members.assign(
        inside_share=total(pd.Series(1, inside.index)) / others.clip(lower=1),
        inside_families=sum(np.minimum(total(linked[family]), 1) for family in LINK_FAMILIES),
        significant_links=total(inside["significant"]),
        led=total(inside["led"], inside["followed"]),
        followed=total(inside["followed"], inside["led"]),
    )


def community_evidence(
    community: npt.NDArray[np.int64], inside: pd.DataFrame, seen: Mapping[str, Seen]
) -> pd.DataFrame:
    """Return :data:`EVIDENCE_COLUMNS`: a row a community and family that links its members.

    Args:
        community: shape: ``(n,)``; of each account, -1 for none.
        inside: Links inside communities.
        seen: Entity type → its sightings.
    """
    size = pd.Series(np.bincount(community[community >= 0]))
    told = [_shared_lines(entity, seen[entity.name], community) for entity in ENTITY_TYPES.values()]
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
    ends = pd.concat([linked[["community", end]].set_axis(["community", "account"], axis=1) for end in PAIR])
    return ends.drop_duplicates("account").groupby("community").size()


def _doings(family: Family, wording: str, inside: pd.DataFrame) -> tuple[Family, pd.DataFrame]:
    """Return the family, and statement and entities of what accounts do and no entity shows."""
    covered = _covered(inside[inside[family] > 0])
    lines = {
        "statement": [f"{members} of {{size}} accounts {wording}" for members in covered],
        "entities": [[] for _ in covered],
    }
    return family, pd.DataFrame(lines, covered.index)


def _shared_lines(
    entity: EntityType, seen: Seen, community: npt.NDArray[np.int64]
) -> tuple[Family, pd.DataFrame]:
    """Return the entity's family, and statement and entities of each community that shares some."""
    shared, members = _shared_inside(seen, community)
    by_community = shared.groupby("community")
    top = by_community.first()
    count = by_community.size()
    told = shared["entity"][by_community.cumcount() < _TOLD]
    names = seen.names.take(pa.array(told)).to_pylist()
    bounds = np.append(0, np.cumsum(np.minimum(count, _TOLD)))
    lines = {
        "statement": [
            _statement(entity, *line)
            for line in zip(members, count, top["inside"], top["degree"], strict=True)
        ],
        "entities": [
            [f"{entity.name}:{name}" for name in names[start:end]] for start, end in pairwise(bounds)
        ],
    }
    return entity.family, pd.DataFrame(lines, top.index)


def _shared_inside(seen: Seen, community: npt.NDArray[np.int64]) -> tuple[pd.DataFrame, pd.Series]:
    """Return what two or more members share, and how many members of each community share any of it.

    The first is community, entity, inside, degree: the rarest first within each community.
    """
    inside = (community[seen.account] >= 0) & (seen.degree[seen.entity] > 1)
    rows = pd.DataFrame({"account": seen.account[inside], "entity": seen.entity[inside]})
    rows["community"] = community[rows["account"]]
    keys = ["community", "entity"]
    rows["inside"] = rows.groupby(keys)["account"].transform("size")
    rows = rows[rows["inside"] > 1]
    members = rows.drop_duplicates("account").groupby("community").size()
    shared = rows.drop_duplicates(keys)
    shared = shared.assign(degree=seen.degree[shared["entity"]])
    # An entity that is used here and nowhere else says most, and the more members the better.
    shared = shared.assign(hold=shared["inside"] * shared["inside"] / shared["degree"])
    shared = shared.sort_values(["community", "hold", "entity"], ascending=[True, False, True])
    return shared, members


def _statement(entity: EntityType, members: int, count: int, inside: int, degree: int) -> str:
    one, many, verb = _NOUNS[entity.name]
    lead = f"{members} of {{size}} accounts {verb} {count} {many if count > 1 else one} in common"
    which = "the most telling one" if count > 1 else "it"
    elsewhere = degree - inside
    outside = f"{elsewhere} other{'s' if elsewhere > 1 else ''}" if elsewhere else "nobody else"
    return f"{lead}; {which} is shared by {inside} of them and {outside}."
