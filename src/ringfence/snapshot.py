"""The graph of one run as arrays, in one safetensors file: all that training and scoring need.

The file holds tensors and one JSON header; nothing in it can run code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringfence.errors import ModelError

FORMAT = "ringfence-snapshot-1"
_HEADER = "ringfence"

EdgeType = tuple[str, str, str]
"""(source node type, relation, target node type), as PyTorch Geometric names it."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of one relation, directed from source to target."""

    index: npt.NDArray[np.int64]
    """shape: ``(2, e)``: row 0 source, row 1 target node number."""
    weight: npt.NDArray[np.float32]
    """shape: ``(e,)``: sightings counted as log(1 + count); links in nats."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The graph of one run. Accounts are numbered in the order of their ids; ids are not part of it."""

    features: dict[str, npt.NDArray[np.float32]]
    """Node type → shape ``(n, f)``; every node type is here, with ``f == 0`` where it has no features."""
    feature_names: dict[str, tuple[str, ...]]
    """Node type → the ``f`` names of its features."""
    edges: dict[EdgeType, Edges]
    """Forward relations only; whoever needs the reverse direction makes it."""
    labels: npt.NDArray[np.int8]
    """shape: ``(n_accounts,)``: 1 ring, 0 benign, -1 unknown."""
    component: npt.NDArray[np.int64]
    """shape: ``(n_accounts,)``: connected component of the link graph, giant ones cut along their
    communities; folds never cut one."""
    community: npt.NDArray[np.int64]
    """shape: ``(n_accounts,)``: community, -1 where the account has none."""

    @property
    def accounts(self) -> int:
        """Number of accounts."""
        return len(self.labels)


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot as one safetensors file."""
    from safetensors.numpy import save_file

    tensors: dict[str, npt.NDArray[Any]] = {
        "labels": snapshot.labels,
        "component": snapshot.component,
        "community": snapshot.community,
    }
    for node, values in snapshot.features.items():
        tensors[f"features/{node}"] = values
    for edge_type, edges in snapshot.edges.items():
        name = "/".join(edge_type)
        tensors[f"index/{name}"] = edges.index
        tensors[f"weight/{name}"] = edges.weight
    header = {"format": FORMAT, "feature_names": snapshot.feature_names}
    # One entry, since safetensors writes several in an order that changes from file to file.
    metadata = {_HEADER: json.dumps(header, sort_keys=True)}
    save_file({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}, path, metadata)


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot.

    Raises:
        ModelError: the file is missing, damaged or of another format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a readable graph snapshot: {error}") from error
    if header.get("format") != FORMAT:
        raise ModelError(f"{path} has format {header.get('format')!r}; this version reads {FORMAT!r}.")
    names = {node: tuple(columns) for node, columns in header["feature_names"].items()}
    edges = {
        _edge_type(name): Edges(tensors[name], tensors[name.replace("index/", "weight/", 1)])
        for name in tensors
        if name.startswith("index/")
    }
    features = {node: tensors[f"features/{node}"] for node in names}
    return Snapshot(features, names, edges, tensors["labels"], tensors["component"], tensors["community"])


def _edge_type(tensor: str) -> EdgeType:
    _prefix, source, relation, target = tensor.split("/")
    return source, relation, target
