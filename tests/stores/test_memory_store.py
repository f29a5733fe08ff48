"""The in-memory store, against the contract of every store."""

from __future__ import annotations

import copy

import pytest

from ringfence.stores.memory import MemoryBackend, MemoryStore
from ringfence.stores.protocol import StoreState
from ringfence.testing.store_contract import Held, StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend()

    def open(self, backend: MemoryBackend) -> MemoryStore:
        return MemoryStore(backend)

    def look(self, backend: MemoryBackend) -> Held:
        return copy.deepcopy(Held(backend.nodes, backend.relationships))

    def cut_off(self, backend: MemoryBackend) -> None:
        assert backend.state is not None
        backend.state = StoreState(backend.state.digest, complete=False, disposable=False)
        backend.relationships["USED_IP"].popitem()

    def add_foreign(self, backend: MemoryBackend) -> None:
        backend.nodes["Account"] = {"theirs": {"account_id": "theirs"}}
