"""One file of prompts → its rows with a template each, without the text: the miner by itself."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.errors import InputError, OutputError, StoreUnavailableError, UsageError, near_names
from ringfence.graphbuild.templates.describe import describe
from ringfence.graphbuild.templates.discover import MiningSettings
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.graphbuild.templates.registry import FILE, Registry
from ringfence.graphbuild.templates.tactics import LABELS
from ringfence.loaders.protocol import Tally
from ringfence.pipeline.measure import Measure
from ringfence.pipeline.prompts import ACCOUNT, PromptFile, accounts_of, open_prompts, text_of
from ringfence.progress import Display, QuietDisplay, Tick
from ringfence.records import Rejection
from ringfence.stores.mutex import mutex

SLOTS = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))
"""Type of a row's slots: where its prompt differs from others of its template, in characters."""

ADDED = {"template_id": pa.string(), "confidence": pa.float32(), "slots": SLOTS}
"""Columns that mining adds to the rows of a file."""

_LARGEST = 10
_LOCK = ".lock"
_SECONDS_TO_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class MineRequest:
    """What a user asks for."""

    file: Path
    out: Path
    column: str = "prompt"
    """Where the prompts stand."""
    account_column: str | None = None
    """Who sent them; None takes ``account_id`` where the file has it."""
    registry: Path | None = None
    """Folder of templates that were found before, and of those found now; their ids stay."""
    keep_prompt: bool = False
    """Whether ``out`` shall hold the prompts' text, too."""


@dataclass(frozen=True, slots=True)
class MineResult:
    """What came of a file."""

    out: Path
    rows_in: int
    """Rows found: those written and those refused."""
    rejections: tuple[Rejection, ...]
    prompts: int
    """Rows with text."""
    with_template: int
    """Rows whose prompt has a template, or is sent more than once, numbers aside."""
    templates: int
    """Templates that rows of this file have."""
    repeated: int
    """Prompts without a template that are sent more than once, numbers aside; each has an id of its own."""
    largest: tuple[dict[str, Any], ...]
    """template_id, prompts in this file, skeleton (None while too few accounts sent it)."""
    told: int
    """Templates of this file whose skeleton may be shown."""
    account_column: str | None
    """Where accounts were read from; without them no skeleton can be told."""
    left_out: tuple[str, ...]
    """Columns of the file that hold prompts, and were not written."""
    stages: dict[str, dict[str, float]]
    """Stage → seconds and peak_memory_mib."""

    @property
    def seconds(self) -> float:
        """Seconds of all stages."""
        return sum(stage["seconds"] for stage in self.stages.values())

    @property
    def rejected_share(self) -> float:
        """Share of input rows that were refused, 0..1."""
        return len(self.rejections) / self.rows_in if self.rows_in else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "out": str(self.out),
            "rows": {
                "in": self.rows_in,
                "written": self.rows_in - len(self.rejections),
                "rejected": len(self.rejections),
            },
            "prompts": self.prompts,
            "with_template": self.with_template,
            "templates": self.templates,
            "templates_told": self.told,
            "repeated_prompts": self.repeated,
            "largest": list(self.largest),
            "account_column": self.account_column,
            "left_out": list(self.left_out),
            "seconds": round(self.seconds, 3),
            "prompts_per_second": round(self.prompts / self.seconds) if self.seconds else 0,
            "peak_memory_mib": max(stage["peak_memory_mib"] for stage in self.stages.values()),
            "stages": self.stages,
        }


def mine(request: MineRequest, display: Display | None = None) -> MineResult:
    """Mine the templates of a file's prompts and write its rows with them, in their order.

    The file is read twice: what a prompt is a case of is known when all have been seen. ``out`` appears whole
    or not at all; the registry is written before it, so that every id in ``out`` is known there.

    Raises:
        InputError: the file cannot be used, changes on the way, or the registry is damaged.
        OutputError: ``out`` or the registry cannot be written, or is the file itself.
        UsageError: prompts and accounts are said to stand in one column.
    """
    _check(request)
    source = open_prompts(
        request.file, request.column, request.account_column, keep=request.keep_prompt, added=tuple(ADDED)
    )
    measure = Measure(display or QuietDisplay())
    with _held(request.registry), _in_place(request.out) as building:
        miner = PromptMiner(registry=request.registry)
        with measure.stage("Read prompts") as tick:
            keys, tally = _observe(miner, source, tick)
        with measure.stage("Find templates"):
            miner.finish()
        with measure.stage("Write rows") as tick:
            _write(building, miner, source, keys, tick)
        if request.registry is not None:
            _save(miner.registry, request.registry)
    ids = _counted(miner, keys)
    known = pa.array([template.template_id for template in miner.registry.templates], pa.string())
    mined = ids.filter(pc.is_in(ids["template_id"], known))
    skeletons = {told.template_id: told.skeleton for told in miner.told() if told.skeleton}
    return MineResult(
        out=request.out,
        rows_in=tally.rows_in,
        rejections=tuple(sorted(tally.rejections, key=lambda rejection: rejection.line or 0)),
        prompts=int(np.count_nonzero(keys)),
        with_template=int(pc.sum(ids["prompts"]).as_py() or 0),
        templates=mined.num_rows,
        repeated=ids.num_rows - mined.num_rows,
        largest=tuple(
            {**row, "skeleton": skeletons.get(row["template_id"])} for row in mined[:_LARGEST].to_pylist()
        ),
        told=sum(name in skeletons for name in mined["template_id"].to_pylist()),
        account_column=source.account,
        left_out=source.left_out,
        stages=measure.stages,
    )


def read_templates(folder: Path, tactic: str | None = None) -> tuple[pd.DataFrame, int]:
    """Return the templates of a registry that may be shown, largest first, and how many may not.

    Args:
        folder: As ``mine`` wrote it.
        tactic: Only templates with this label; those that may not be shown have none.

    Returns:
        The columns that :func:`~ringfence.graphbuild.templates.describe.describe` documents.

    Raises:
        InputError: the folder holds no registry, or a damaged one.
        UsageError: there is no such tactic.
    """
    if tactic is not None and tactic not in LABELS:
        raise UsageError(
            f"There is no tactic {tactic!r}; known are {', '.join(LABELS)}.{near_names(tactic, LABELS)}"
        )
    if not (folder / FILE).is_file():
        raise InputError(
            f"{folder} holds no registry of templates. `ringfence templates mine` with `--registry {folder}` "
            "makes one."
        )
    frame = describe(Registry.load(folder, MiningSettings()).told())
    may = frame["skeleton"].notna()
    shown = frame[may].sort_values(["prompts", "template_id"], ascending=[False, True], ignore_index=True)
    if tactic is not None:
        shown = shown[[tactic in found for found in shown["tactics"]]].reset_index(drop=True)
    return shown, int((~may).sum())


def _check(request: MineRequest) -> None:
    if request.column == (request.account_column or ACCOUNT):
        raise UsageError(f"Prompts and accounts cannot both stand in column {request.column!r}.")
    written = [request.out]
    if request.registry is not None:
        if request.registry.exists() and not request.registry.is_dir():
            raise OutputError(f"{request.registry} is a file; --registry names a folder.")
        written.append(request.registry / FILE)
        if request.out.resolve() == written[1].resolve():
            raise OutputError(f"{request.out} is the registry's own file. Name another one.")
    for path in written:
        if path.exists() and request.file.exists() and path.samefile(request.file):
            raise OutputError(f"{path} is what is read, and would be overwritten. Name another one.")


@contextmanager
def _held(registry: Path | None) -> Iterator[None]:
    """Keep other processes from the registry: of two that learn at once, one would be lost."""
    with ExitStack() as held:
        if registry is not None:
            try:
                registry.mkdir(parents=True, exist_ok=True)
                held.enter_context(mutex(registry / _LOCK, timeout=_SECONDS_TO_WAIT))
            except (OSError, sqlite3.Error) as error:
                raise OutputError(f"Cannot write the registry {registry}: {error}.") from error
            except StoreUnavailableError as error:
                raise OutputError(str(error)) from error
        yield


@contextmanager
def _in_place(out: Path) -> Iterator[Path]:
    """Yield a path for a file that becomes ``out`` when the block ends well."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", suffix=".partial", dir=out.parent) as place:
            building = Path(place) / out.name
            yield building
            building.replace(out)
    except OSError as error:
        raise OutputError(f"Cannot write {out}: {error.strerror or error}.") from error


def _observe(miner: PromptMiner, source: PromptFile, tick: Tick) -> tuple[npt.NDArray[np.uint64], Tally]:
    """Show all prompts to the miner; return each row's key, 0 where there is no text; shape: ``(rows,)``."""
    tally = Tally(source.path.name, "prompts")
    keys, seen = [np.empty(0, np.uint64)], 0
    for rows in source.pieces(tally):
        found = miner(None, text_of(rows, source.column), accounts_of(rows, source.account))
        keys.append(found.fill_null(0).to_numpy())
        seen += rows.nbytes
        tick(min(seen / source.bytes, 0.99))
    return np.concatenate(keys), tally


def _write(
    path: Path, miner: PromptMiner, source: PromptFile, keys: npt.NDArray[np.uint64], tick: Tick
) -> None:
    """Write the rows with their templates, without prompts unless they are to be kept."""
    schema = pa.schema({**source.kept, **ADDED})
    at = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in source.pieces(Tally(source.path.name, "prompts")):
            part = keys[at : at + rows.num_rows]
            at += rows.num_rows
            if len(part) < rows.num_rows:
                break
            named = pa.array(part, mask=part == 0)
            ids, confidence = miner.answers(named)
            slots = _slots(miner.slots(text_of(rows, source.column), named).cast(SLOTS), ids)
            kept = (rows[name] for name in source.kept)
            columns = [*kept, ids, confidence.cast(pa.float32()), slots]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            tick(at / len(keys))
    if at != len(keys) or source.changed():
        raise InputError(f"{source.path} was changed while it was read. Try again when it is complete.")


def _slots(slots: pa.Array, ids: pa.Array) -> pa.Array:
    """Return slots; none, not null, for prompts that are only repeated: all is their own."""
    none = pa.array([[]], SLOTS).take(pa.array(np.zeros(len(slots), np.int64)))
    return pc.if_else(pc.and_(pc.is_null(slots), pc.is_valid(ids)), none, slots)


def _save(registry: Registry, folder: Path) -> None:
    try:
        registry.save(folder)
    except OSError as error:
        raise OutputError(f"Cannot write the registry {folder}: {error.strerror or error}.") from error


def _counted(miner: PromptMiner, keys: npt.NDArray[np.uint64]) -> pa.Table:
    """Return template_id and prompts of every id that rows have, largest first."""
    different, times = np.unique(keys[keys != 0], return_counts=True)
    ids = pa.table({"template_id": miner.resolve(pa.array(different, pa.uint64())), "times": times})
    counts = ids.filter(pc.is_valid(ids["template_id"])).group_by("template_id").aggregate([("times", "sum")])
    return counts.rename_columns(["template_id", "prompts"]).sort_by(
        [("prompts", "descending"), ("template_id", "ascending")]
    )
