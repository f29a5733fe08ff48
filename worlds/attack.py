"""What an operator who knows how it is found can do about it, and what that costs.

Costs are round figures of what accounts, cards and addresses are sold for; they rank attacks and carry no
more precision than that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.worlds.kinds import Kind, Rhythm, Shared, Together


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing an operator can do."""

    name: str
    what: str
    cost_per_account_usd: float
    """In a month."""
    apply: Callable[[Kind], Kind]
    """Changes a type of ring."""


def _jitter(kind: Kind) -> Kind:
    return _together(kind, rhythm=Rhythm.OWN_HOURS, crew=1.0)


def _unique_addresses(kind: Kind) -> Kind:
    return replace(kind, ip=None, network=False)


def _unique_cards(kind: Kind) -> Kind:
    return replace(kind, instrument=None)


def _unique_devices(kind: Kind) -> Kind:
    return replace(kind, device=None)


def _paraphrase(kind: Kind) -> Kind:
    return _together(kind, own_templates=True)


def _blending(kind: Kind) -> Kind:
    return _together(kind, share=_campaign(kind).share * 0.4)


def _aged_accounts(kind: Kind) -> Kind:
    return replace(kind, aged=True, signup_days=None)


def _camouflage(kind: Kind) -> Kind:
    return replace(kind, framework=0.9, public=2.0, servers=max(kind.servers, 0.2))


def _framing(kind: Kind) -> Kind:
    return replace(kind, ip=kind.ip or Shared(0.25, 0.5, 12, kind="isp"), network=True)


def _campaign(kind: Kind) -> Together:
    if kind.together is None:
        raise ValueError(f"{kind.name} is no ring: its members do nothing together")
    return kind.together


def _together(kind: Kind, **changes: object) -> Kind:
    return replace(kind, together=replace(_campaign(kind), **changes))  # type: ignore[arg-type]


ATTACKS: Mapping[str, Attack] = {
    attack.name: attack
    for attack in (
        Attack("jitter", "Every account keeps hours of its own.", 0.5, _jitter),
        Attack("paraphrase", "Every account has prompts of its own.", 1.0, _paraphrase),
        Attack("aged_accounts", "Accounts are bought months before they are used.", 6.0, _aged_accounts),
        Attack("unique_devices", "Every account has devices of its own.", 3.0, _unique_devices),
        Attack("unique_cards", "Every account has a card of its own.", 8.0, _unique_cards),
        Attack("unique_addresses", "Every account has addresses of its own.", 25.0, _unique_addresses),
        Attack("blending", "Most of an account's requests are ordinary ones.", 4.0, _blending),
        Attack(
            "camouflage", "Accounts use popular frameworks, public prompts and servers.", 1.0, _camouflage
        ),
        Attack("framing", "Innocent customers' addresses are among those that are used.", 2.0, _framing),
    )
}
"""Every attack by name, from the cheapest kind of work to the dearest."""


def attacked(kind: Kind, attacks: Sequence[str]) -> Kind:
    """Return a type of ring after the attacks, in the order in which they are listed in :data:`ATTACKS`."""
    for attack in ATTACKS.values():
        if attack.name in attacks:
            kind = attack.apply(kind)
    return kind
