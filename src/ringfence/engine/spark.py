"""Spark, the table engine of many machines: the expressions that DuckDB carries out, through Ibis' backend.

Everything goes through files in folders that the driver and the executors see under the same path, so that
neither side's memory has to hold a result. Whether both engines say the same is a matter of the expressions;
what would make them differ is settled here once: time zone, types, in-memory tables, and an overflow or a
division by zero, which fails on both (``ansi``) rather than being null on one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkType
from pyspark.sql import SparkSession
from pyspark.sql import functions as spark_functions
from pyspark.sql import types as spark_types

from ringfence.engine.jvm import end_jvm, spark_session
from ringfence.engine.protocol import Groups, Paths, files_of

_HEAP = "_heap"


class SparkEngine(Backend):  # type: ignore[misc]
    """Ibis' PySpark backend, with files and Arrow where it has pandas: a :class:`ringfence.engine.Engine`."""

    spread = True

    def do_connect(self, session: SparkSession, spill: Path, *, own: bool = True) -> None:
        """Work on a session.

        Args:
            session: Of Spark.
            spill: Folder for results on their way; driver and executors see it under this path.
            own: Whether the session ends with the engine.
        """
        self.register_options()
        super().do_connect(session)
        self._own, self._numbers = own, count()
        self._passing = spill / "passing"
        self._passing.mkdir(parents=True, exist_ok=True)

    def read_parquet(self, path: Paths, /, **_options: Any) -> Any:
        """Return the table of a file, of a folder of parts, or of a list of files."""
        files = files_of(path)
        # The types of Arrow, as DuckDB's side has them, and no job of Spark's to find them out.
        schema = ibis.Schema.from_pyarrow(pq.read_schema(files[0]))
        rows = _reader(self._session, schema).parquet(*(_url(file) for file in files))
        return self._named(rows, schema)

    def to_parquet(self, expr: Any, path: str | Path, /, **_options: Any) -> None:
        """Write one file, in the order of the expression."""
        with _Passing(self._place()) as parts:
            self.to_parts(expr, parts)
            _join(files_of(parts), Path(path))

    def to_parts(self, expr: Any, folder: str | Path, /) -> None:
        """Write the rows into a new folder, a part a task; parts are in the order of the expression."""
        self._frame(expr).write.parquet(_url(folder))

    def to_pyarrow(self, expr: Any, /, **_options: Any) -> Any:
        """Return a table, column or scalar, in the order of the expression."""
        with _Passing(self._place()) as parts:
            self.to_parts(expr.as_table(), parts)
            rows = pa.concat_tables([pq.read_table(part, partitioning=None) for part in files_of(parts)])
        return expr.__pyarrow_result__(rows.cast(expr.as_table().schema().to_pyarrow()))

    def map_groups(self, expr: Any, by: str, function: Groups, schema: pa.Schema) -> Any:
        """Return an Ibis table of what ``function`` makes of the rows, a heap of groups at a time."""
        told = ibis.Schema.from_pyarrow(schema)

        def in_executor(rows: pa.Table) -> pa.Table:
            return function(rows.drop_columns([_HEAP])).cast(schema)

        # A call for each of millions of small groups would take longer than what it calls.
        heaps = int(self._session.conf.get("spark.sql.shuffle.partitions"))
        heap = spark_functions.pmod(spark_functions.hash(by), spark_functions.lit(heaps))
        rows = self._frame(expr).withColumn(_HEAP, heap).groupBy(_HEAP)
        return self._named(rows.applyInArrow(in_executor, _spark_schema(told)), told)

    def disconnect(self) -> None:
        """End the session and the Java process that it started."""
        if self._own:
            self._session.stop()
            end_jvm()
        shutil.rmtree(self._passing, ignore_errors=True)

    def _register_in_memory_table(self, op: Any) -> None:
        rows = self._session.createDataFrame(op.data.to_pyarrow(op.schema), _spark_schema(op.schema))
        rows.createOrReplaceTempView(op.name)

    def _frame(self, expr: Any) -> Any:
        """Return the rows of an expression as Spark's table, with the types that Ibis says they have."""
        self._run_pre_execute_hooks(expr)
        rows = self._session.sql(self.compile(expr))
        wanted = _spark_schema(expr.schema())
        if [field.dataType for field in rows.schema] == [field.dataType for field in wanted]:
            return rows
        columns = [spark_functions.col(f"`{f.name}`").cast(f.dataType).alias(f.name) for f in wanted]
        return rows.select(*columns)

    def _named(self, rows: Any, schema: Any) -> Any:
        name = ibis.util.gen_name("spark")
        rows.createOrReplaceTempView(name)
        return ibis.expr.operations.DatabaseTable(name, schema=schema, source=self).to_expr()

    def _place(self) -> Path:
        return self._passing / str(next(self._numbers))


class _Passing:
    """A folder that is gone when its block ends."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> Path:
        return self._place

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._place, ignore_errors=True)


def connect_spark(spill: Path, master: str | None = None, memory: str = "auto") -> SparkEngine:
    """Return the engine on a Spark session.

    Args:
        spill: Folder for what does not fit and for results on their way.
        master: Where the executors are, as Spark writes it; None for what the environment says, else this
            machine.
        memory: What the Java process here may hold.
    """
    session, own = spark_session(spill, master, memory)
    engine: SparkEngine = SparkEngine().connect(session, spill, own=own)
    return engine


def _url(path: str | Path) -> str:
    # Without a scheme, a cluster would look in a file system of its own. Spark quotes nothing in it.
    return f"file://{Path(path).absolute()}"


def _reader(session: SparkSession, schema: Any) -> Any:
    # A folder's name is a name, whatever brackets it has, and no pattern.
    return session.read.schema(_spark_schema(schema)).option("__globPaths__", "false")


def _spark_schema(schema: Any) -> Any:
    fields = [spark_types.StructField(name, _spark_type(kind)) for name, kind in schema.items()]
    return spark_types.StructType(fields)


def _spark_type(kind: Any) -> Any:
    # What Ibis calls a timestamp without zone, Spark reads as one of the session's zone unless told.
    if kind.is_timestamp() and kind.timezone is None:
        return spark_types.TimestampNTZType()
    # There are no null columns and no unsigned numbers in Spark's files.
    if kind.is_null():
        return spark_types.StringType()
    return PySparkType.from_ibis(kind)


def _join(parts: list[str], path: Path) -> None:
    """Make one file of parts, row group by row group."""
    if len(parts) == 1:
        shutil.move(parts[0], path)
        return
    with pq.ParquetWriter(path, pq.read_schema(parts[0])) as writer:
        for batch in _batches(parts):
            writer.write_batch(batch)


def _batches(parts: Iterable[str]) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(1 << 17)
