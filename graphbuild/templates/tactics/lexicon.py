"""Rules over concepts → scores. Words and rules are data that a person can read, change and translate.

Rules know concepts only, never words, so that a prompt and its translation meet the same rules. "Near" is a
few shifts of the bits that say where a concept stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ringfence.graphbuild.templates.tactics.reading import Reading, concepts, table


@dataclass(frozen=True, slots=True)
class Rule:
    """Concepts that speak for a label where they stand close together."""

    anchor: tuple[int, ...]
    """Concepts, one of which must be there."""
    others: tuple[tuple[int, ...], ...]
    """Groups of concepts; one of each must stand near the anchor, at another word."""
    within: int
    """Words."""
    weight: float
    """How strongly it speaks: 0 to 1."""


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each label."""
    number = {name: i for i, name in enumerate(concepts())}
    made: dict[str, tuple[Rule, ...]] = {}
    for label, section in table("rules.toml").items():
        made[label] = tuple(
            Rule(groups[0], groups[1:], int(rule["within"]), float(rule["weight"]))
            for rule in section["rules"]
            for groups in [tuple(tuple(number[c] for c in group.split("|")) for group in rule["all"])]
        )
    return made


def lexicon_scores(reading: Reading) -> dict[str, float]:
    """Return each label's score by its rules: 0 where none holds, below 1."""
    scores = {}
    for label, of_label in rules().items():
        against = 1.0
        for rule, held in zip(of_label, rules_held(reading, label), strict=True):
            if held:
                against *= 1.0 - rule.weight
        scores[label] = 1.0 - against
    return scores


def rules_held(reading: Reading, label: str) -> tuple[bool, ...]:
    """Return which rules of a label hold, in their order."""
    held = reading.held.get(label)
    if held is None:
        held = tuple(_holds(rule, reading.places, reading.near) for rule in rules()[label])
        reading.held[label] = held
    return held


def _holds(rule: Rule, places: dict[int, int], near: dict[tuple[tuple[int, ...], int], int]) -> bool:
    left = _any(rule.anchor, places)
    for group in rule.others:
        if not left:
            return False
        key = (group, rule.within)
        reach = near.get(key)
        if reach is None:
            reach = near[key] = _widened(_any(group, places), rule.within)
        left &= reach
    return bool(left)


def _any(group: tuple[int, ...], places: dict[int, int]) -> int:
    found = 0
    for concept in group:
        found |= places.get(concept, 0)
    return found


def _widened(bits: int, by: int) -> int:
    """Return the places at most ``by`` words from a bit, that place itself left out."""
    if not bits:
        return 0
    ahead, behind, done = bits << 1, bits >> 1, 1
    while done < by:
        more = min(done, by - done)
        ahead |= ahead << more
        behind |= behind >> more
        done += more
    return ahead | behind
