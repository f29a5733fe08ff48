"""A provider with three rings of twelve among its customers, labelled so that a run calls them rings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SEED = 20260301
START = pd.Timestamp("2026-03-02T00:00:00Z")
RINGS, SIZE, OTHERS = 3, 12, 600


def write_world(folder: Path) -> Path:
    """Write the logs; return the folder."""
    rng = np.random.default_rng(SEED)
    ring = [f"ring-{r}-{n:02}" for r in range(RINGS) for n in range(SIZE)]
    own = [f"own-{n:03}" for n in range(OTHERS)]
    requests = [row for account in ring for row in _ring_rows(rng, account)]
    requests += [row for number, account in enumerate(own) for row in _own_rows(rng, number, account)]
    frame = pd.DataFrame(requests).sort_values("ts", ignore_index=True)
    frame["request_id"] = [f"req-{n:05}" for n in range(len(frame))]
    payments = [(a, f"card-{a[:6]}-{int(a[-2:]) % 3}") for a in ring]
    payments += [(a, f"card-{number // 2 if number < 60 else number}") for number, a in enumerate(own)]
    labels = [(a, "ring", a[:6]) for a in ring] + [(a, "benign", None) for a in own[:80]]
    tables = {
        "accounts": pd.DataFrame({"account_id": [*ring, *own], "created_at": START}),
        "requests": frame,
        "payments": pd.DataFrame(
            [
                {"payment_id": f"pay-{n}", "account_id": a, "ts": START, "instrument_id": card}
                for n, (a, card) in enumerate(payments)
            ]
        ),
        "labels": pd.DataFrame(labels, columns=["account_id", "label", "ring_name"]),
    }
    folder.mkdir(parents=True)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def _ring_rows(rng: np.random.Generator, account: str) -> list[dict[str, Any]]:
    ring = account[5]
    rows = []
    for _request in range(20):
        place = int(rng.integers(3))
        text = " ".join(map(str, rng.integers(0, 10**6, 8)))
        rows.append(
            {
                "account_id": account,
                "ts": START + pd.Timedelta(minutes=float(rng.uniform(0, 4000))),
                "ip": f"21.{ring}.{place}.9",
                "device_id": f"dev-{account}" if rng.random() < 0.8 else f"dev-{ring}-{place}",
                "prompt": f"Grade reasoning {ring} of answer {text} by the rubric, step by step.",
            }
        )
    return rows


def _own_rows(rng: np.random.Generator, number: int, account: str) -> list[dict[str, Any]]:
    words = ("soup", "train", "garden", "invoice", "poem", "bug", "lesson", "letter", "trip", "song")
    home = number // 2 if number < 60 else number
    return [
        {
            "account_id": account,
            "ts": START + pd.Timedelta(minutes=float(rng.uniform(0, 4000))),
            "ip": f"22.80.{home % 250}.{home // 250}",
            "device_id": f"dev-home-{number}",
            "prompt": f"{account} asks about {' '.join(rng.choice(words, 8))}",
        }
        for _request in range(3)
    ]
