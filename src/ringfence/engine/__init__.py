"""The table engine: Ibis expressions, carried out by DuckDB, or by Spark where one machine is too small."""

from ringfence.engine.local import connect, set_memory_limit
from ringfence.engine.open import ENGINES, check_engine, open_engine, take_over
from ringfence.engine.protocol import Engine, files_of

__all__ = [
    "ENGINES",
    "Engine",
    "check_engine",
    "connect",
    "files_of",
    "open_engine",
    "set_memory_limit",
    "take_over",
]
