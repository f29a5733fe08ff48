"""A world of 13 ring accounts and 400 innocents over four days, written by hand for replays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

START = pd.Timestamp("2026-03-02T00:00:00Z")
HOUR = pd.Timedelta(hours=1)
END = 4 * 24
RING_STARTS = 30
"""Hour of the ring's first request."""
BANNED = 60.5
"""Hour at which ``ring-00`` is banned."""
REPLACED = 64
"""Hour at which ``ring-12`` is made to take its place; it sends from an hour later on."""

RING = [f"ring-{n:02d}" for n in range(13)]
INNOCENT = [f"own-{n:03d}" for n in range(400)]


@dataclass(frozen=True)
class World:
    """Where it is, and its tables."""

    folder: Path
    tables: dict[str, pd.DataFrame]
    distilling: pd.DataFrame
    """request_id, distilling."""


def small_world(folder: Path, *, shared: bool = True) -> World:
    """Write the world; unless ``shared``, no two ring accounts have anything in common."""
    rng = np.random.default_rng(7)
    sent = [row for n in range(13) for row in _ring_rows(rng, n, shared=shared)]
    sent += [row for n in range(400) for row in _own_rows(rng, n)]
    requests = pd.DataFrame(sent).sort_values("ts", ignore_index=True)
    requests["request_id"] = [f"req-{n:05d}" for n in range(len(requests))]
    accounts = [*RING, *INNOCENT]
    created = dict.fromkeys(accounts, START - 9 * 24 * HOUR) | {RING[12]: START + REPLACED * HOUR}
    events = [(RING[0], START + BANNED * HOUR, "banned")]
    tables = {
        "accounts": pd.DataFrame(
            {
                "account_id": accounts,
                "created_at": [created[a] for a in accounts],
                "country": [("NO", "PE", "KE")[n % 3] for n in range(len(accounts))],
                "status": ["banned" if a == RING[0] else "active" for a in accounts],
            }
        ),
        "requests": requests.drop(columns="distilling"),
        "account_events": pd.DataFrame(events, columns=["account_id", "ts", "event"]),
    }
    world = World(folder, tables, requests[["request_id", "distilling"]])
    _write(world, accounts)
    return world


def _ring_rows(rng: np.random.Generator, number: int, *, shared: bool) -> list[dict[str, Any]]:
    first, last = {0: (RING_STARTS, BANNED), 12: (REPLACED + 1, END)}.get(number, (RING_STARTS, END))
    rows = []
    for turn, hour in enumerate(np.arange(first, last, 4)):
        place = (number + turn) % 4 if shared else 50 + number
        text = " ".join(map(str, rng.integers(0, 10**6, 12)))
        rows.append(
            {
                "account_id": RING[number],
                "ts": START + float(hour + rng.uniform(0, 0.4) * (hour != first)) * HOUR,
                "ip": f"21.16.{place}.9",
                "device_id": f"dev-ring-{place}",
                "prompt": f"Grade the reasoning of answer {text} by the rubric." if shared else text,
                "distilling": bool(hour > RING_STARTS and rng.random() < 0.8),
            }
        )
    return rows


def _own_rows(rng: np.random.Generator, number: int) -> list[dict[str, Any]]:
    words = ("soup", "train", "garden", "invoice", "poem", "bug", "lesson", "letter", "trip", "song")
    return [
        {
            "account_id": INNOCENT[number],
            "ts": START + float(rng.uniform(0.5, END)) * HOUR,
            # At home or on the way: among so few accounts, what the ring shares is rare only so.
            "ip": f"{22 + turn % 2}.80.{number % 250}.{number // 250}",
            "device_id": f"dev-{('home', 'phone')[turn % 2]}-{number}",
            "prompt": f"{INNOCENT[number]} asks about {' '.join(rng.choice(words, 8))}",
            "distilling": False,
        }
        for turn in range(4)
    ]


def _write(world: World, accounts: list[str]) -> None:
    guilty = [a in RING for a in accounts]
    truth = pd.DataFrame(
        {
            "account_id": accounts,
            "population": np.where(guilty, "ring", "background"),
            "ring": np.where(guilty, "r-1", None),
            "replaces": [RING[0] if a == RING[12] else None for a in accounts],
        }
    )
    (world.folder / "input").mkdir(parents=True)
    (world.folder / "truth" / "requests").mkdir(parents=True)
    for name, frame in world.tables.items():
        frame.to_parquet(world.folder / "input" / f"{name}.parquet", index=False)
    truth.to_parquet(world.folder / "truth" / "accounts.parquet", index=False)
    half = len(world.distilling) // 2
    for place, part in enumerate((world.distilling[:half], world.distilling[half:])):
        part.to_parquet(world.folder / "truth" / "requests" / f"part-{place}.parquet", index=False)
