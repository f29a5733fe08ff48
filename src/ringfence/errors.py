"""Every error that Ringfence raises on purpose.

::

    RingfenceError                 exit code 1
    ├── UsageError                 exit code 2   the command's words are off
    ├── InputError                               the logs cannot be read as they are
    │   ├── MappingError                         the mapping file is off
    │   └── NoUsableTableError                   nothing in the folder can be used
    ├── OutputError                              the output folder cannot be written
    ├── ModelError                               a model or snapshot file is off
    ├── EnforcementError                         the casebook or what follows from it
    │   ├── CasebookError                        the casebook is missing, locked, full or damaged
    │   ├── UnknownCaseError                     it knows no such ring, account, order or sink
    │   ├── NotAllowedError                      the ring's life, the policy or a hold forbids it
    │   │   └── StaleVersionError                someone else decided first
    │   ├── BusyError                            another process is at the same work
    │   ├── PolicyError          exit code 2     the policy or the sinks file is off
    │   └── AuditError                           the audit log or a bundle was tampered with
    └── StoreError                 exit code 4   the graph store failed
        ├── StoreUnavailableError                no answer, or none that lets us in
        ├── StoreConflictError                   it holds another state
        └── QueryError             exit code 1   a query was refused or failed

A message says what was found and what to try next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

_NAME = re.compile(r"[^\W\d][\w.-]*(?: [\w.-]+){0,2}")


class RingfenceError(Exception):
    """Base of every error that Ringfence raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(RingfenceError):
    """The command's words cannot be carried out."""

    exit_code = 2


class InputError(RingfenceError):
    """The input cannot be read as it is."""


class MappingError(InputError):
    """A mapping file does not say what it must."""


class NoUsableTableError(InputError):
    """An input folder holds nothing that can be used."""


class OutputError(RingfenceError):
    """The output folder cannot be written."""


class ModelError(RingfenceError):
    """A model or graph snapshot file is missing, damaged or of another version."""


class EnforcementError(RingfenceError):
    """The casebook, or what is to follow from it, failed."""


class CasebookError(EnforcementError):
    """The casebook cannot be opened, read or written; nothing of the step was kept."""


class UnknownCaseError(EnforcementError):
    """The casebook knows no such ring, account, order or sink."""


class NotAllowedError(EnforcementError):
    """The ring's life, the policy, an approval or a hold forbids the step; nothing was changed."""


class StaleVersionError(NotAllowedError):
    """The ring is no longer at the version that was decided on: someone else came first."""


class BusyError(EnforcementError):
    """Another process is at the same work, or has taken it over."""


class PolicyError(EnforcementError):
    """The policy or the sinks file does not say what it must."""

    exit_code = 2


class AuditError(EnforcementError):
    """The audit log, a checkpoint or an evidence bundle is not what was signed."""


class StoreError(RingfenceError):
    """The graph store failed."""

    exit_code = 4


class StoreUnavailableError(StoreError):
    """The graph store does not answer, or does not let us in."""


class StoreConflictError(StoreError):
    """The graph store holds a state that is not ours to replace."""


class QueryError(StoreError):
    """A query was refused or failed."""

    exit_code = 1


def told(names: Iterable[str], most: int = 30) -> str:
    """Return names for a message. What reads like a value is counted and not shown.

    Where a header is missing, the first row stands in its place, and it may be private.
    """
    names = list(names)
    fit = [name for name in names if len(name) <= 40 and _NAME.fullmatch(name)]
    shown = ", ".join(fit[:most]) or "no name"
    hidden = len(names) - len(fit[:most])
    return f"{shown} and {hidden} more" if hidden else shown


def near_names(name: str, known: Iterable[str]) -> str:
    """Return a hint such as `` Did you mean 'ts'?``, or an empty text where nothing is near."""
    near = get_close_matches(name, [k for k in known if _NAME.search(k)], n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
