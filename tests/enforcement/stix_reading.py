"""Reading STIX as those do who receive it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stix2validator import ValidationOptions, validate_instance


def complaints(bundle: dict[str, Any], *, enforce_refs: bool = True) -> list[str]:
    """Return what the validator has against a bundle, its recommendations among it.

    Ids of version 5 are meant: the same event must give the same ids anywhere.
    """
    options = ValidationOptions(
        version="2.1",
        strict=True,
        strict_properties=True,
        enforce_refs=enforce_refs,
        disabled=["uuid-check"],
    )
    found = validate_instance(bundle, options)
    return [str(one) for one in [*found.errors, *found.warnings]]


def leaves(value: Any) -> Iterator[str]:
    """Yield every text and number within a JSON value, as text."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield str(value)
