"""A logistic regression over a text's concepts and rules, for the labels that public prompts can teach.

Features are how dense concepts are, ``log(1 + occurrences) / log(2 + words)``, and 0 or 1 for each of the
label's rules. Weights are named after concepts and rules of ours, so no text of any collection is in them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ringfence.graphbuild.templates.tactics.lexicon import rules_held
from ringfence.graphbuild.templates.tactics.reading import Reading, concepts

WEIGHTS = "weights.json"


@dataclass(frozen=True, slots=True)
class LinearModel:
    """The model of one label."""

    intercept: float
    weights: tuple[float, ...]
    """Of concepts, then of the label's rules, in their order."""

    def score(self, values: dict[int, float]) -> float:
        """Return the score of a text's features, 0 to 1."""
        logit = self.intercept + sum(self.weights[n] * value for n, value in values.items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def features(reading: Reading, label: str) -> dict[int, float]:
    """Return the features of a text that are not zero, by their place."""
    scale = 1.0 / math.log(2 + reading.words)
    values = {c: math.log1p(bits.bit_count()) * scale for c, bits in reading.places.items()}
    start = len(concepts())
    return values | {start + n: 1.0 for n, held in enumerate(rules_held(reading, label)) if held}


def linear_scores(reading: Reading) -> dict[str, float]:
    """Return the score of each label that has a model."""
    return {label: model.score(features(reading, label)) for label, model in models().items()}


@cache
def models() -> dict[str, LinearModel]:
    """Return the shipped models by label."""
    written = json.loads(files(__package__).joinpath(WEIGHTS).read_text(encoding="utf-8"))
    return {label: _model(label, parts) for label, parts in written["models"].items()}


def _model(label: str, parts: dict[str, object]) -> LinearModel:
    by_concept, by_rule, intercept = parts["concepts"], parts["rules"], parts["intercept"]
    assert isinstance(by_concept, dict)
    assert isinstance(by_rule, list)
    assert isinstance(intercept, float)
    return LinearModel(intercept, (*(by_concept.get(name, 0.0) for name in concepts()), *by_rule))
