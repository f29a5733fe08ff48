"""The policy file (TOML): read, checked, and refused where it says what no policy may."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

from ringfence.enforcement.orders.records import ENFORCEABLE
from ringfence.enforcement.policy.records import (
    ALLOW_KINDS,
    UNATTENDED,
    Allow,
    BrakeSettings,
    Mode,
    Needs,
    Policy,
    Tier,
)
from ringfence.enforcement.policy.tables import Table
from ringfence.errors import PolicyError
from ringfence.records import Action, Role

DEFAULT_NAME = "the policy that ships"
"""What messages call the policy that holds where there is no file."""


def default_policy() -> str:
    """Return the text of the policy that ships."""
    return (files("ringfence.enforcement.policy") / "default.toml").read_text(encoding="utf-8")


def read_policy(path: Path, *, needed: bool = False) -> Policy:
    """Return the policy of a file; the one that ships where the file is missing, unless it is needed.

    Raises:
        PolicyError: the file cannot be read, or does not say what it must.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not needed:
            return parse_policy(default_policy(), DEFAULT_NAME)
        raise PolicyError(f"Cannot read the policy {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path} is not TOML: {error}.") from error
    return parse_policy(text, str(path))


def parse_policy(text: str, name: str) -> Policy:
    """Return the policy that a text says.

    Args:
        text: TOML.
        name: What messages call it.

    Raises:
        PolicyError: it does not say what it must.
    """
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name} is not TOML: {error}.") from error
    top = Table(name, written, ("mode", "tiers", "allow", "brake"))
    return Policy(
        mode=top.word("mode", Mode),
        tiers=tuple(_tier(table) for table in top.tables("tiers", _TIER)),
        allow=tuple(_allow(table) for table in top.tables("allow", _ALLOW)),
        brake=_brake(top.table("brake", _BRAKE)),
    )


_TIER = (
    "action",
    "needs",
    "least_probability",
    "least_score",
    "roles",
    "least_families",
    "least_size",
    "expires",
)
_ALLOW = (*ALLOW_KINDS, "who", "reason", "owner", "expires")
_BRAKE = ("factor", "least_runs", "window")


def _tier(table: Table) -> Tier:
    action, needs = table.word("action", Action), table.word("needs", Needs)
    if action not in ENFORCEABLE:
        raise table.wrong("action", f"{action} is nothing that can be ordered: {', '.join(ENFORCEABLE)}.")
    if needs is Needs.NOBODY and action not in UNATTENDED:
        raise table.wrong(
            "needs",
            f"{action} needs a person: write 'verdict' or 'two persons'. "
            f"Only {', '.join(UNATTENDED)} may go without.",
        )
    roles = table.words("roles", Role, (Role.CORE, Role.MEMBER))
    if Role.BYSTANDER in roles:
        raise table.wrong("roles", "bystanders are never enforced; take them out.")
    probability = table.number("least_probability", 0, 1)
    return Tier(
        action=action,
        needs=needs,
        least_probability=probability,
        least_score=table.number("least_score", 0, 1, probability),
        roles=roles,
        least_families=table.count("least_families", 0, 2),
        least_size=table.count("least_size", 0, 0),
        expires=table.span("expires"),
    )


def _allow(table: Table) -> Allow:
    named = [kind for kind in ALLOW_KINDS if kind in table.written]
    if len(named) != 1:
        found = " and ".join(named) or "none"
        raise table.wrong(" or ".join(ALLOW_KINDS), f"an entry names one of them; found {found}.")
    value = table.text(named[0])
    return Allow(
        kind=named[0],
        value=value.lower().removeprefix("@") if named[0] == "email_domain" else value,
        who=table.text("who"),
        reason=table.text("reason"),
        owner=table.text("owner"),
        expires=table.day("expires"),
    )


def _brake(table: Table) -> BrakeSettings:
    usual = BrakeSettings()
    settings = BrakeSettings(
        factor=table.number("factor", 1, 1_000_000, usual.factor),
        least_runs=table.count("least_runs", 1, usual.least_runs),
        window=table.count("window", 1, usual.window),
    )
    if settings.factor == 1:
        raise table.wrong("factor", "must be above 1: no two runs are alike.")
    if settings.window < settings.least_runs:
        raise table.wrong(
            "window", f"{settings.window} runs are fewer than least_runs, {settings.least_runs}."
        )
    return settings
