"""Values of the database as plain JSON values. Imports no driver: it goes by what a value can do."""

from __future__ import annotations

import base64
import math
import re
from typing import Any


def plain(value: Any) -> Any:
    """Return a value of a query's result as a JSON value.

    Nodes, relationships and paths become objects, times and durations ISO 8601 text (UTC with ``Z``), points
    objects with ``srid`` and ``coordinates``, bytes Base64, and numbers that JSON lacks text.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return _structure(value)


def _structure(value: Any) -> Any:
    if hasattr(value, "labels"):
        return {"id": value.element_id, "labels": sorted(value.labels), "properties": plain(dict(value))}
    if hasattr(value, "relationships"):
        return {"nodes": plain(list(value.nodes)), "relationships": plain(list(value.relationships))}
    if hasattr(value, "nodes"):
        start, end = (None if node is None else node.element_id for node in value.nodes)
        ends = {"type": value.type, "start": start, "end": end}
        return {"id": value.element_id, **ends, "properties": plain(dict(value))}
    if hasattr(value, "iso_format"):
        return _iso(value.iso_format())
    if hasattr(value, "srid"):
        return {"srid": value.srid, "coordinates": list(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def _iso(text: str) -> str:
    """Shorten nanoseconds that are zero, and write UTC as ``Z``."""
    text = re.sub(r"(:\d\d)\.0+(?=$|[+\-Z])", r"\1", text)
    text = re.sub(r"(:\d\d\.\d*[1-9])0+(?=$|[+\-Z])", r"\1", text)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
