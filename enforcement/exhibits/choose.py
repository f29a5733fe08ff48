"""Which requests of a ring become exhibits: few, spread over accounts, wordings and days, never by chance.

The same requests give the same choice, in whatever order and batches they come. Memory is bounded: of the
accounts, those with the lowest hashes are kept, and of an account's wordings and days likewise, as a
bottom-k sketch does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import blake2b

_ACCOUNTS_AN_EXHIBIT = 4
"""Accounts that are kept for each exhibit: enough to choose other wordings and days among."""
_CELLS = 20
"""Pairs of wording and day that are kept of an account: enough where a ring has but one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request that could become an exhibit; without its text."""

    account_id: str
    request_id: str
    wording: str
    """Names what the prompt is a case of: template, or digest of the system prompt."""
    day: str
    source: int
    """File that it stands in."""
    line: int


@dataclass(slots=True)
class _Account:
    rank: int
    cells: dict[tuple[str, str], tuple[int, Candidate]] = field(default_factory=dict)
    """(wording, day) → lowest rank within it, and whose that is."""


class Chooser:
    """Sees requests one by one, and says at the end which become exhibits."""

    def __init__(self, seed: str, most: int) -> None:
        """Begin a choice.

        Args:
            seed: Whatever names the case: two cases draw differently.
            most: How many to choose.
        """
        self._seed, self._most = seed, most
        self._accounts: dict[str, _Account] = {}
        self._worst = -1
        self.seen = 0
        """Requests seen."""

    def offer(self, candidate: Candidate) -> None:
        """See a request."""
        self.seen += 1
        account = self._account(candidate.account_id)
        if account is None:
            return
        cell, rank = (candidate.wording, candidate.day), self._rank("request", candidate.request_id)
        known = account.cells.get(cell)
        # Requests of one id may be rows that differ; the first row stands for them.
        if known is None or (rank, candidate.source, candidate.line) < (
            known[0],
            known[1].source,
            known[1].line,
        ):
            account.cells[cell] = (rank, candidate)
            if len(account.cells) > _CELLS:
                del account.cells[max(account.cells, key=lambda one: self._rank("cell", *one))]

    def chosen(self) -> list[Candidate]:
        """Return the choice: each next one is from the account, the wording and the day used least."""
        left = [
            (rank, candidate)
            for account in sorted(self._accounts.values(), key=lambda one: one.rank)
            for rank, candidate in account.cells.values()
        ]
        used: Counter[Hashable] = Counter()
        chosen: list[Candidate] = []
        while left and len(chosen) < self._most:
            best = min(left, key=lambda one: (*_burden(used, one[1]), one[0]))
            left = [one for one in left if one[1].request_id != best[1].request_id]
            used.update(_traits(best[1]))
            chosen.append(best[1])
        return chosen

    def _account(self, account_id: str) -> _Account | None:
        """Return what is kept of an account, None where nothing is."""
        known = self._accounts.get(account_id)
        if known is not None:
            return known
        account = _Account(self._rank("account", account_id))
        room = len(self._accounts) < self._most * _ACCOUNTS_AN_EXHIBIT
        if not room:
            if account.rank >= self._worst:
                return None
            del self._accounts[max(self._accounts, key=lambda one: self._accounts[one].rank)]
        self._accounts[account_id] = account
        self._worst = max(one.rank for one in self._accounts.values())
        return account

    def _rank(self, *parts: str) -> int:
        words = "\0".join((self._seed, *parts)).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(words, digest_size=8).digest())


def _traits(candidate: Candidate) -> tuple[Hashable, Hashable, Hashable]:
    return ("account", candidate.account_id), ("wording", candidate.wording), ("day", candidate.day)


def _burden(used: Counter[Hashable], candidate: Candidate) -> tuple[int, int]:
    """Return how often its account was chosen already, and its wording and day: the less, the better."""
    account, wording, day = (used[trait] for trait in _traits(candidate))
    return account, wording + day
