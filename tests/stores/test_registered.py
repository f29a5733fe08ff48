"""Every store there is has its contract test."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import ringfence.stores
from ringfence.stores.protocol import GraphStore

REQUIRED = {name for name in vars(GraphStore) if not name.startswith("_")}


def stores() -> set[str]:
    """Names of the classes in ringfence.stores that can do what a store must."""
    modules = [
        importlib.import_module(f"ringfence.stores.{m.name}")
        for m in pkgutil.iter_modules(ringfence.stores.__path__)
    ]
    classes = {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and kind is not GraphStore
    }
    return {kind.__name__ for kind in classes if set(dir(kind)) >= REQUIRED}


def test_the_stores_are_found() -> None:
    assert stores() == {"MemoryStore", "Neo4jStore"}


def test_every_store_has_its_contract_test() -> None:
    written = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*_store.py"))
    for name in stores():
        assert f"class Test{name}(StoreContract)" in written
