"""Which accounts moved to a new model soon after its release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pandas as pd

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class MoveSettings:
    """When an account has moved to a new model."""

    before_days: int = 7
    """Other models must have been used within so many days before the release."""
    settled_days: int = 4
    """So long after a level's time most requests must go to the new model."""
    least_requests: int = 3
    """Fewer, before or after, say nothing of an account's habits."""
    most_share: float = 0.5
    """Share of the requests that is exceeded by the new model where most were moved."""


def moved_column(level: int) -> str:
    """Return the name of the column that tells who moved within so many seconds of a release."""
    return f"moved_{level}"


def model_moves(requests: Any, models: Any, levels: Sequence[int], settings: MoveSettings) -> Any:
    """Return account_id, model and one truth value a level: a row an account that could have moved.

    An account could have moved to a model if it used others before the release and was active after the first
    or any later level's time. It had moved by then if it had used the new model, and sent it most of its
    requests from then on. Who had moved by an earlier level had moved by a later one.

    Args:
        requests: account_id, ts, model.
        models: model, released_at; models without a release are left out.
        levels: Seconds from the release, ascending.
        settings: What counts as moved.
    """
    windows = _windows(models, levels[-1], settings)
    rows = requests.filter(requests["ts"].notnull(), requests["model"].notnull())
    at = rows["ts"].cast("timestamp").truncate("s").epoch_seconds().cast("int64")
    rows = rows.select("account_id", at=at, used=rows["model"])
    rows = rows.mutate(day=(rows["at"] / _DAY).floor().cast("int64"))
    # Joined by day, so that no request meets a release that it has nothing to do with.
    near = rows.inner_join(windows, "day")
    since, new = near["at"] - near["released"], near["used"] == near["model"]
    counts = {"before": ((since < 0) & ~new).cast("int64").sum()}
    for level in levels:
        settled = (since >= level) & (since < level + settings.settled_days * _DAY)
        counts[f"all_{level}"] = settled.cast("int64").sum()
        counts[f"new_{level}"] = (settled & new).cast("int64").sum()
        counts[f"by_{level}"] = (new & (since >= 0) & (since < level)).cast("int64").sum()
    used = near.group_by("account_id", "model").agg(**counts)
    active = ibis.or_(*(used[f"all_{level}"] >= settings.least_requests for level in levels))
    used = used.filter((used["before"] >= settings.least_requests) & active)
    moved: dict[str, Any] = {}
    sooner: Any = ibis.literal(False)
    for level in levels:
        most = used[f"new_{level}"] > used[f"all_{level}"] * settings.most_share
        enough = used[f"all_{level}"] >= settings.least_requests
        sooner = sooner | ((used[f"by_{level}"] > 0) & enough & most)
        moved[moved_column(level)] = sooner
    return used.select("account_id", "model", **moved)


def _windows(models: Any, last: int, settings: MoveSettings) -> Any:
    """Return model, released (seconds) and day (since 1970): a row for each day around a release."""
    known = models.filter(models["released_at"].notnull())
    released = known["released_at"].cast("timestamp").truncate("s").epoch_seconds().cast("int64")
    releases = known.select("model", released=released)
    offsets = range(-settings.before_days, last // _DAY + settings.settled_days + 2)
    days = ibis.memtable(pd.DataFrame({"offset": list(offsets)}), schema={"offset": "int64"})
    windows = releases.cross_join(days)
    day = (windows["released"] / _DAY).floor().cast("int64") + windows["offset"]
    return windows.select("model", "released", day=day)
