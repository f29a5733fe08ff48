"""Random provider worlds of every canonical table, small enough to recount."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2026-02-01", tz="UTC")


def random_world(seed: int, accounts: int = 30) -> dict[str, pd.DataFrame]:
    """Return canonical tables in which some accounts share cards, devices, addresses and templates."""
    rng = np.random.default_rng(seed)
    names = np.array([f"acc-{i:02}" for i in range(accounts)])

    def times(rows: int, share: float = 0.0) -> pd.Series:
        when = pd.Series(START + pd.to_timedelta(rng.integers(0, 20 * 86_400, rows), unit="s"))
        return when.mask(rng.random(rows) < share)

    def some(values: list[str], rows: int, share: float = 0.2) -> pd.Series:
        return pd.Series(rng.choice(values, rows)).mask(rng.random(rows) < share)

    active = names[: accounts - 3]
    requests, payments, logins, transfers = 400, 60, 80, 50
    who = rng.integers(0, len(active), requests)
    return {
        "accounts": pd.DataFrame(
            {
                "account_id": names,
                "created_at": times(accounts, 0.3) - pd.Timedelta("5D"),
                "plan": some(["free", "pro"], accounts),
                "country": some(["DE", "CN", "US"], accounts),
                "status": some(["active", "banned"], accounts),
                "email_domain": some(["a.example", "b.example"], accounts),
            }
        ),
        "requests": pd.DataFrame(
            {
                "request_id": [f"r{i}" for i in range(requests)],
                "account_id": active[who],
                "ts": times(requests),
                "ip": some([f"192.0.2.{i}" for i in range(40)], requests),
                "device_id": some([f"d{i}" for i in range(25)], requests),
                "model": some(["m1", "m2"], requests),
                "access_route": some(["api", "cloud"], requests),
                "end_user_id": some(["u1", "u2", "u3"], requests),
                "session_id": some([f"s{i}" for i in range(50)], requests),
                "template_id": some([f"t{i}" for i in range(30)], requests),
                "input_tokens": pd.array(rng.integers(1, 4000, requests), "Int64"),
                "output_tokens": pd.array(rng.integers(1, 4000, requests), "Int64"),
                "reasoning_tokens": pd.array(rng.integers(0, 2, requests), "Int64"),
                "tool_calls": pd.array(rng.integers(0, 2, requests), "Int64"),
                "status_code": pd.array(rng.choice([200, 400, 429, 500], requests), "Int64"),
            }
        ),
        "payments": pd.DataFrame(
            {
                "payment_id": [f"p{i}" for i in range(payments)],
                "account_id": rng.choice(active, payments),
                "ts": times(payments, 0.2),
                "instrument_id": rng.choice([f"card{i}" for i in range(20)], payments),
                "amount_usd": rng.random(payments) * 100,
            }
        ),
        "logins": pd.DataFrame(
            {
                "account_id": rng.choice(active, logins),
                "ts": times(logins),
                "ip": some([f"192.0.2.{i}" for i in range(40)], logins),
                "device_id": some([f"d{i}" for i in range(25)], logins),
            }
        ),
        "transfers": pd.DataFrame(
            {
                "from_account_id": rng.choice(active, transfers),
                "to_account_id": rng.choice(active, transfers),
                "ts": times(transfers),
                "amount_usd": rng.random(transfers) * 10,
            }
        ),
        "account_events": pd.DataFrame(
            {"account_id": names[:5], "ts": times(5), "event": ["banned"] * 3 + ["verified"] * 2}
        ),
        "ip_ranges": pd.DataFrame(
            {
                "cidr": ["192.0.2.0/28", "192.0.2.0/24"],
                "asn": pd.array([64500, 64501], "Int64"),
                "kind": ["vpn", "isp"],
            }
        ),
        "labels": pd.DataFrame(
            {"account_id": names[:12], "label": ["ring"] * 6 + ["benign"] * 6, "ts": times(12)}
        ),
    }


def shuffled(world: dict[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """Return the world with the rows of every table in another order."""
    return {
        name: table.sample(frac=1, random_state=seed).reset_index(drop=True) for name, table in world.items()
    }
