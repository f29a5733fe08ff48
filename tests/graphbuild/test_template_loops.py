"""How the miner's loops are compiled, and who pays for it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from numba.core import caching

from ringfence.graphbuild.templates.loops.compiled import compiled, helper, with_room

# Numba has no public word for where its caches are; the name lost its underscore on the way.
_CACHE = getattr(caching, "CacheImpl", None) or caching._CacheImpl


@pytest.mark.parametrize(
    "code",
    [
        "import ringfence",
        "import ringfence.loaders.load, ringfence.gnn.scores, ringfence.worlds.make",
        "from ringfence.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass",
        "from ringfence.cli import app\ntry: app(['run', '--help'])\nexcept SystemExit: pass",
    ],
    ids=["import", "stages", "help", "help of a command"],
)
def test_the_compiler_is_loaded_only_by_who_mines(code: str) -> None:
    code += "\nimport sys\nprint([name for name in ('numba', 'llvmlite') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_loops_run_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(x: int) -> int:
        return 2 * x

    assert compiled(doubled)(3) == 6
    monkeypatch.setattr(_CACHE, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="cannot cache"):
        njit(cache=True)(doubled)
    assert compiled(doubled)(4) == 8


@pytest.mark.parametrize(("size", "more"), [(0, 3), (2, 1), (3, 1), (3, 100)])
def test_room_is_made_and_what_is_there_stays(size: int, more: int) -> None:
    before = np.array([5, 6, 7], np.int32)
    after = with_room(before, size, more)

    assert after.dtype == np.int32
    assert after[:size].tolist() == before[:size].tolist()
    assert len(after) >= size + more


def test_loops_may_call_helpers() -> None:
    @helper
    def one_more(x: int) -> int:
        return x + 1

    @compiled
    def two_more(x: int) -> int:
        return one_more(one_more(x))

    assert two_more(1) == 3
