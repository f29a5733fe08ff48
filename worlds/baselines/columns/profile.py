"""What an account is, pays and logs in with. Bans and status are left out: they are labels."""

from __future__ import annotations

from typing import Any

from ringfence.worlds.baselines.columns.helpers import moments, share, shares, variety
from ringfence.worlds.baselines.tables import Tables

_DAY = 86_400
_EVENTS = ("limited", "verified")
"""Events that no ban must precede."""


def profile(tables: Tables, engine: Any) -> list[Any]:
    """Return the groups of columns about accounts, payments, logins and events, each keyed by account_id."""
    accounts, payments, logins = (tables(name) for name in ("accounts", "payments", "logins"))
    return [
        _account(accounts, tables("requests")),
        *(shares(engine, accounts, name) for name in ("plan", "email_domain", "country")),
        _payments(payments),
        variety(payments, "instrument", payments["instrument_id"], own_rows="payment"),
        shares(engine, payments, "instrument_type"),
        shares(engine, payments, "bin"),
        _first_payment(accounts, payments),
        logins.group_by("account_id").agg(logins=logins.count()),
        variety(logins, "login_ip", logins["ip"], own_rows="login"),
        variety(logins, "login_device", logins["device_id"], own_rows="login"),
        _events(tables("account_events")),
    ]


def _account(accounts: Any, requests: Any) -> Any:
    first = requests.group_by("account_id").agg(first_request=requests["ts"].min())
    rows = accounts.left_join(first, "account_id").drop("account_id_right")
    created = rows["created_at"]
    return rows.select(
        "account_id",
        age_days_at_first_request=(rows["first_request"].epoch_seconds() - created.epoch_seconds()) / _DAY,
        created_hour=created.hour(),
        created_weekday=created.day_of_week.index(),
        org_present=rows["org_id"].notnull().cast("float64"),
    )


def _payments(rows: Any) -> Any:
    amount = rows["amount_usd"]
    return rows.group_by("account_id").agg(
        payments=rows.count(),
        amount_sum=amount.sum(),
        **moments("amount", amount),
        amount_round_share=share(amount % 5 == 0),
        prepaid_share=share(rows["instrument_type"] == "prepaid"),
    )


def _first_payment(accounts: Any, payments: Any) -> Any:
    first = payments.group_by("account_id").agg(first_payment=payments["ts"].min())
    rows = accounts.inner_join(first, "account_id")
    seconds = rows["first_payment"].epoch_seconds() - rows["created_at"].epoch_seconds()
    return rows.select("account_id", days_to_first_payment=seconds / _DAY)


def _events(rows: Any) -> Any:
    # Others are not even counted: having an event at all would tell of a ban.
    rows = rows.filter(rows["event"].isin(_EVENTS))
    return rows.group_by("account_id").agg(
        **{event: (rows["event"] == event).any().cast("float64") for event in _EVENTS}
    )
