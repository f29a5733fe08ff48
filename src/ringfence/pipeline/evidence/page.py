"""The page of an evidence bundle that a person reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ringfence.report.render import environment

SHOWN = 50
"""The most members that the page lists; the others are in ``ring.json``."""


def evidence_page(told: Mapping[str, Any]) -> str:
    """Return one HTML page that asks nothing of the network and runs no script.

    Args:
        told: What the JSON files of the bundle say, by name: ``ring``, ``case``, ``run``, ``verdicts``,
            ``orders``, ``audit``.
    """
    proofs = told["audit"]["entries"]
    log = [{"place": proof["place"], **json.loads(proof["entry"])} for proof in proofs]
    return (
        environment()
        .get_template("evidence.html.j2")
        .render(
            ring=told["ring"]["ring"],
            version=told["ring"]["version"],
            case=told["case"],
            run=told["run"],
            thresholds=told["run"]["settings"]["decisions"],
            verdicts=told["verdicts"],
            orders=told["orders"],
            log=log,
            checkpoint=told["audit"]["checkpoint"],
            shown=SHOWN,
        )
    )
