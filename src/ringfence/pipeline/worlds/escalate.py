"""How an operator escalates: which attack it takes next, and when it stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ringfence.worlds.attack import ATTACKS
from ringfence.worlds.score.intervals import Share

_LEAST_PRICE = 1e-9
"""Dollars a request that an attack is taken to cost at least, so that what is free can be weighed, too."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was found of an operator who takes some attacks."""

    attacks: tuple[str, ...]
    """In the order in which they were taken."""
    cost_usd: float
    """Dollars that they cost per distilled request."""
    latest_usd: float
    """Dollars that the last of them costs all ring accounts together, at its list price."""
    distilled: int
    """Distilling requests that were sent."""
    found_review: Share
    """Planted rings found at level review."""
    found_ring: Share
    """Those found at level ring."""
    average_precision: float
    """Of the account score."""
    flagged: Share
    """Innocents whom a flagged cluster names."""
    accused: Share
    """Innocents whom a cluster decided ``ring`` names."""
    framed: Share
    """The same of innocents in networks that rings go through: those whom rings hide behind."""

    def as_json(self) -> dict[str, Any]:
        """Return the step as plain JSON values."""
        return {
            name: value.as_json() if isinstance(value, Share) else value
            for name in self.__slots__
            for value in (getattr(self, name),)
        }


Measure = Callable[[tuple[str, ...]], Step]
"""Makes a world after some attacks, runs on it, and says what was found."""


def escalate_in_order(
    measure: Measure, attacks: Sequence[str], budget_usd: float | None = None
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Take one attack after the other while the budget lasts.

    Returns:
        The steps taken, without any attack first, and the one that would have cost too much.
    """
    steps = [measure(())]
    for count in range(1, len(attacks) + 1):
        step = measure(tuple(attacks[:count]))
        if not _affordable(step, budget_usd):
            return tuple(steps), (step,)
        steps.append(step)
    return tuple(steps), ()


def escalate_greedily(
    measure: Measure, attacks: Sequence[str], budget_usd: float | None = None
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Try every attack left on top of those taken, take the best one, until none helps within the budget.

    Returns:
        The steps taken, without any attack first, and those tried and not taken.
    """
    steps, tried = [measure(())], []
    left = list(attacks)
    while left:
        looks = [measure((*steps[-1].attacks, attack)) for attack in left]
        chosen = choose(steps[-1], looks, budget_usd)
        tried += [look for look in looks if look is not chosen]
        if chosen is None:
            break
        steps.append(chosen)
        left.remove(chosen.attacks[-1])
    return tuple(steps), tuple(tried)


def choose(present: Step, looks: Sequence[Step], budget_usd: float | None = None) -> Step | None:
    """Return the step within the budget that hides most per dollar; None where none hides anything.

    What counts is recall of rings at level review; where that is alike, recall at level ring, then the
    average precision of accounts. Of steps that are alike in all, the cheaper one is better.
    """
    helpful = [
        step for step in looks if _affordable(step, budget_usd) and _hidden(present, step) > (0.0, 0.0, 0.0)
    ]
    return max(helpful, key=lambda step: (_hidden(present, step), -step.cost_usd), default=None)


def cost_per_request(attacks: Sequence[str], accounts: int, distilled: int) -> float:
    """Return what attacks cost in dollars per distilled request.

    Only what the attacks cost for each ring account is counted: not what accounts and tokens cost anyway.

    Args:
        attacks: Names.
        accounts: Ring accounts of the world.
        distilled: Their distilling requests.
    """
    return sum(ATTACKS[name].cost_per_account_usd for name in attacks) * accounts / max(distilled, 1)


def price_per_request(present: Step, step: Step) -> float:
    """Return what a step's last attack costs in dollars for each request that is distilled without it.

    Its list price stands over the requests of the present step: an attack that lets fewer requests through
    changes what earlier attacks cost per request, and that is not its price.
    """
    return step.latest_usd / max(present.distilled, 1)


def duel_frame(steps: Sequence[Step]) -> pd.DataFrame:
    """Return the steps as a table: what :func:`render_duel` shows."""
    return pd.DataFrame(
        [
            {
                "attack": step.attacks[-1] if step.attacks else "",
                "cost_usd": step.cost_usd,
                "rings": step.found_review.of,
                "found_review": step.found_review.hits,
                "found_ring": step.found_ring.hits,
                "average_precision": step.average_precision,
                "innocents": step.accused.of,
                "flagged": step.flagged.hits,
                "accused": step.accused.hits,
                "victims": step.framed.of,
                "framed": step.framed.hits,
            }
            for step in steps
        ]
    )


def _affordable(step: Step, budget_usd: float | None) -> bool:
    return budget_usd is None or step.cost_usd <= budget_usd


def _hidden(present: Step, step: Step) -> tuple[float, float, float]:
    """Return by how much recall at review and at ring, and average precision, fall per dollar."""
    dollars = max(price_per_request(present, step), _LEAST_PRICE)
    return (
        (present.found_review.value - step.found_review.value) / dollars,
        (present.found_ring.value - step.found_ring.value) / dollars,
        (present.average_precision - step.average_precision) / dollars,
    )
