"""Which engine links accounts; loading, which streams rows on one machine, is DuckDB's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ringfence.engine.local import connect, set_memory_limit, told_limit
from ringfence.errors import UsageError, near_names

DUCKDB, SPARK = "duckdb", "spark"
ENGINES = (DUCKDB, SPARK)


def check_engine(name: str) -> None:
    """Refuse an engine that cannot be opened, before any work is done.

    Raises:
        UsageError: there is no such engine, or it is not installed.
    """
    if name not in ENGINES:
        known = " and ".join(ENGINES)
        raise UsageError(f"There is no engine {name!r}, only {known}.{near_names(name, ENGINES)}")
    if name == SPARK and find_spec("pyspark") is None:
        raise UsageError(
            "The engine `spark` needs PySpark, which is not installed. "
            "Install it with `pip install 'ringfence[spark]'`, or use --engine duckdb."
        )


def open_engine(name: str, spill: Path, memory_limit: str = "auto", spark_master: str | None = None) -> Any:
    """Return a :class:`ringfence.engine.Engine`.

    Args:
        name: One of :data:`ENGINES`.
        spill: Folder for what does not fit; Spark's executors see it under the same path.
        memory_limit: As DuckDB writes sizes, or ``auto``.
        spark_master: As Spark writes it; None for what the environment says, else this machine.

    Raises:
        UsageError: there is no such engine, or it is not installed.
    """
    check_engine(name)
    if name == DUCKDB:
        return connect(spill, told_limit(memory_limit))
    from ringfence.engine.spark import connect_spark

    spill.mkdir(parents=True, exist_ok=True)
    return connect_spark(spill.absolute(), spark_master, memory_limit)


def take_over(loading: Any, name: str, spill: Path, memory_limit: str, spark_master: str | None) -> Any:
    """Return the engine that goes on after loading: the same with another limit, or one that replaces it.

    Args:
        loading: The engine of :func:`ringfence.engine.connect` that loaded the tables.
        name: As :func:`open_engine` takes it, like the rest.
        spill: As there.
        memory_limit: As there.
        spark_master: As there.

    Raises:
        UsageError: there is no such engine, or it is not installed.
    """
    if name == DUCKDB:
        set_memory_limit(loading, memory_limit)
        return loading
    loading.disconnect()
    return open_engine(name, spill, memory_limit, spark_master)
