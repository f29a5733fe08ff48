"""Ringfence finds rings of accounts that one operator runs together to distil an AI model.

>>> import ringfence
>>> run = ringfence.open_run("out")          # doctest: +SKIP
>>> run.rings().query("decision == 'ring'")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringfence.opened import OpenedRun, open_run

__all__ = ["OpenedRun", "__version__", "open_run"]
__version__ = version("ringfence")


def __getattr__(name: str) -> Any:
    # pandas takes a while to import, and the command line's help must not wait for it.
    if name in ("OpenedRun", "open_run"):
        from ringfence import opened

        return getattr(opened, name)
    raise AttributeError(f"module 'ringfence' has no attribute {name!r}")
