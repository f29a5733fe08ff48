"""The lock between processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.errors import StoreUnavailableError
from ringfence.stores.mutex import mutex

_HOLDS = """
import sys, time
from pathlib import Path
from ringfence.stores.mutex import mutex
with mutex(Path(sys.argv[1]), timeout=5):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_holds_it_and_its_death_lets_go(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "lock"
    with subprocess.Popen([sys.executable, "-c", _HOLDS, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailableError, match="has been busy"), mutex(lock, timeout=0.2):
            pytest.fail("two held it")
        holder.kill()
    with mutex(lock, timeout=5):
        pass


def test_an_error_in_the_block_lets_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), mutex(tmp_path / "lock", timeout=1):
        raise RuntimeError
    with mutex(tmp_path / "lock", timeout=0.1):
        pass
