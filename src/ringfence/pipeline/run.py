"""Logs → rings: the main job."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from ringfence.config import Settings
from ringfence.enforcement.casebook.reading import FinishedRun, read_run
from ringfence.enforcement.labels import Label
from ringfence.engine import check_engine, connect, take_over
from ringfence.errors import StoreError
from ringfence.files import (
    MANIFEST,
    Workspace,
    check_apart,
    digest_json,
    published,
    write_json,
)
from ringfence.gnn.rings import decide_rings
from ringfence.gnn.scores import AccountScores, score_accounts
from ringfence.graphbuild.assemble import Built, build_graph
from ringfence.graphbuild.build import build_addresses, build_links, build_sightings
from ringfence.graphbuild.linkage.build import Linked
from ringfence.graphbuild.templates.describe import describe, public_templates
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.graphbuild.templates.protocol import TemplateMiner
from ringfence.graphbuild.templates.skeleton import Told
from ringfence.loaders.discover import Discovery, discover
from ringfence.loaders.load import Loaded, canonical_table, load_tables
from ringfence.loaders.mapping import read_mapping
from ringfence.loaders.window import Window
from ringfence.pipeline.accounts import account_frame, account_output
from ringfence.pipeline.end_users import judge_end_users, with_end_users
from ringfence.pipeline.graph import graph_nodes, graph_relationships
from ringfence.pipeline.known import TakenIn, take_in_labels, tell_status
from ringfence.pipeline.lives import communities_before, with_lives
from ringfence.pipeline.manifest import told_input
from ringfence.pipeline.measure import Measure
from ringfence.pipeline.memberships import with_memberships
from ringfence.pipeline.page import report_data
from ringfence.pipeline.tactics import shared_templates, with_tactics
from ringfence.progress import Display, QuietDisplay
from ringfence.records import Decision, Ring
from ringfence.report.render import render_report
from ringfence.snapshot import read_snapshot
from ringfence.stores.graph import read_graph, write_tables
from ringfence.stores.open import LOCAL, open_store, read_address

NO_STORE = "none"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a user asks for."""

    input: Path
    out: Path
    mapping: Path | None = None
    neo4j: str = "local"
    """``local``, ``none`` or a Bolt address."""
    force: bool = False
    """Replace what stands in ``out``."""
    replace_store: bool = False
    """Replace what the store holds."""
    disposable: bool = False
    """Whether a later run may replace this one's graph in the store unasked."""
    settings: Settings = field(default_factory=Settings)
    window: Window | None = None
    """Rows of other times are not looked at; None for all."""
    input_digest: str | None = None
    """What the manifest calls the input's digest; that of the files where None."""
    labels: tuple[Label, ...] = ()
    """What people decided; beats the labels of the logs."""
    previous: Path | None = None
    """Output of an earlier run, whose rings keep their ids; None where there is none."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run; everything is in the output folder, too."""

    out: Path
    rings: tuple[Ring, ...]
    manifest: dict[str, Any]
    store_error: StoreError | None
    """Why the graph is not in the store; None where it is, or was not wanted."""

    @property
    def rejected_share(self) -> float:
        """Share of input rows that were refused, 0..1."""
        rows = self.manifest["rows"]
        return rows["rejected"] / rows["in"] if rows["in"] else 0.0


def run(request: RunRequest, display: Display | None = None) -> RunResult:
    """Read the logs, find the rings, publish the output folder, load the store.

    If the store fails, the output is published all the same and the result says why.

    Raises:
        InputError: the input cannot be used.
        OutputError: the output folder cannot be written.
        UsageError: the store's address is none, or the engine is not installed.
    """
    measure = Measure(display or QuietDisplay())
    check_store(request.neo4j)
    check_engine(request.settings.engine)
    mappings = read_mapping(request.mapping) if request.mapping else ()
    found = discover(request.input, mappings)
    check_apart(request.out, *(p for p in (request.input, request.mapping) if p is not None))
    # Read before the work is done, and before the folder that it may lie in is replaced.
    earlier = None if request.previous is None else read_run(request.previous)
    with published(request.out, force=request.force) as building:
        work = Workspace(building / ".work")
        stages = _Stages(request, measure, found, work, earlier)
        try:
            made = stages.carry_out()
        finally:
            stages.close()
        _write(building, made, measure)
        shutil.rmtree(work.root)
    error = into_store(request, measure)
    return RunResult(request.out, tuple(made.rings), made.manifest, error)


def check_store(address: str) -> None:
    """Refuse what names no store, before any work is done.

    Raises:
        UsageError: it is neither ``local`` nor ``none`` nor an address.
    """
    if address not in (LOCAL, NO_STORE):
        read_address(address)


@dataclass(frozen=True, slots=True)
class _Made:
    """What the stages made, to be written."""

    work: Workspace
    loaded: Loaded
    rings: list[Ring]
    accounts: pd.DataFrame
    templates: pd.DataFrame
    """As :func:`ringfence.graphbuild.templates.describe.describe` tells them."""
    manifest: dict[str, Any]


class _Stages:
    """The stages of one run, in their order."""

    def __init__(
        self,
        request: RunRequest,
        measure: Measure,
        found: Discovery,
        work: Workspace,
        earlier: FinishedRun | None = None,
    ) -> None:
        self._request, self._measure, self._found, self._work = request, measure, found, work
        self._earlier = earlier
        self._settings = request.settings
        self._engine = connect(work.spill, self._settings.memory_limit)
        self._miner: TemplateMiner = PromptMiner(wordings=True)
        self._told: list[Told] = []
        self._public: list[str] = []
        self._taken_in = TakenIn(0, 0, 0)
        self._linked: Linked | None = None

    def carry_out(self) -> _Made:
        loaded = self._load()
        built = self._link(loaded)
        scores, rings = self._judge()
        with self._measure.stage("Describe templates"):
            templates = describe(self._told, shared_templates(rings))
        rings = with_tactics(rings, templates)
        accounts = account_frame(self._engine, self._tables, self._work, scores, rings)
        manifest = self._manifest(loaded, built, scores, rings)
        return _Made(self._work, loaded, rings, accounts, templates, manifest)

    def close(self) -> None:
        """Give back what the table engine holds: of Spark, a Java process."""
        self._engine.disconnect()

    def _tables(self, name: str) -> Any:
        return canonical_table(self._engine, self._work, name)

    def _load(self) -> Loaded:
        with self._measure.stage("Load tables") as tick:
            loaded = load_tables(
                self._engine, self._found, self._work, self._miner, tick, self._request.window
            )
            loaded = self._take_in_known(loaded)
        self._measure.count("Load tables", sum(file.rows_in for file in loaded.files))
        with self._measure.stage("Tell public prompts"):
            self._told = self._miner.told()
            self._public = public_templates(self._told)
        return loaded

    def _take_in_known(self, loaded: Loaded) -> Loaded:
        if self._request.window is not None:
            tell_status(self._engine, self._work)
        if not self._request.labels:
            return loaded
        self._taken_in = take_in_labels(self._engine, self._work, self._request.labels)
        labels = loaded.rows.get("labels", 0) - self._taken_in.overruled + self._taken_in.added
        return replace(loaded, rows={**loaded.rows, "labels": labels})

    def _link(self, loaded: Loaded) -> Built:
        work, settings = self._work, self._settings
        self._engine = engine = take_over(
            self._engine, settings.engine, work.spill, settings.link_memory_limit, settings.spark_master
        )
        with self._measure.stage("Sight entities") as tick:
            build_sightings(engine, self._tables, work, tick)
            build_addresses(engine, self._tables, work)
        self._measure.count("Sight entities", loaded.rows.get("requests", 0))
        present = frozenset(name for name, rows in loaded.rows.items() if rows)
        with self._measure.stage("Link accounts") as tick:
            self._linked = linked = build_links(
                engine, self._tables, loaded.rows["accounts"], work, settings, self._public, tick, present
            )
        with self._measure.stage("Find communities") as tick:
            before = None if self._earlier is None else communities_before(self._earlier.rings)
            built = build_graph(engine, self._tables, present, work, settings, tick, before)
        with self._measure.stage("Judge end users"):
            judge_end_users(engine, self._tables, work, settings.links, self._public, linked.sightings)
        return built

    def _judge(self) -> tuple[AccountScores, list[Ring]]:
        with self._measure.stage("Score accounts") as tick:
            snapshot = read_snapshot(self._work.links / "snapshot.safetensors")
            scores = score_accounts(snapshot, self._settings, tick)
        members = pd.read_parquet(self._work.links / "members.parquet")
        evidence = pd.read_parquet(self._work.links / "evidence.parquet")
        rings = decide_rings(members, evidence, scores, self._settings)
        with self._measure.stage("Follow rings"):
            earlier = None if self._earlier is None else self._earlier.rings
            rings = with_lives(self._engine, self._tables, self._work, rings, earlier)
            return scores, with_memberships(with_end_users(rings, self._work), self._work)

    def _manifest(
        self, loaded: Loaded, built: Built, scores: AccountScores, rings: list[Ring]
    ) -> dict[str, Any]:
        request, found = self._request, self._found
        return {
            **told_input(request.input, request.window, request.input_digest, found, loaded),
            "seed": self._settings.seed,
            "settings": asdict(self._settings),
            "settings_digest": digest_json(asdict(self._settings)),
            **({"verdict_labels": asdict(self._taken_in)} if request.labels else {}),
            **({"previous": self._earlier.run_id} if self._earlier is not None else {}),
            "prompts": self._miner.counts(),
            "links": self._linked and asdict(self._linked),
            "graph": asdict(built),
            "scoring": {
                "method": scores.method,
                "calibrated": scores.calibrated,
                "reason": scores.reason,
                "comparison": scores.comparison,
                "model_digest": _digest_scores(scores),
            },
            "decisions": {str(d): sum(ring.decision is d for ring in rings) for d in Decision},
        }


def _digest_scores(scores: AccountScores) -> str:
    return digest_json([scores.method, scores.calibrated, np.round(scores.score, 9).tolist()])


def _write(out: Path, made: _Made, measure: Measure) -> None:
    """Write the files of a run into ``out``; the manifest comes last."""
    with measure.stage("Write output") as tick:
        with (out / "rings.jsonl").open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(ring.as_json(), ensure_ascii=False) + "\n" for ring in made.rings)
        pq.write_table(account_output(made.accounts), out / "accounts.parquet", compression="zstd")
        _pack(made.work.links / "links.parquet", out / "links.parquet")
        shutil.copyfile(made.work.links / "snapshot.safetensors", out / "snapshot.safetensors")
        shutil.copyfile(made.work.links / "subaccounts.parquet", out / "subaccounts.parquet")
        shutil.copytree(made.work.rejected, out / "rejected")
        tick(0.3)
        nodes = graph_nodes(made.accounts, made.work, made.templates, made.rings)
        relationships = graph_relationships(made.accounts, made.work, made.rings)
        made.manifest["graph_digest"] = write_tables(out / "graph", nodes, relationships)
        tick(0.6)
        data = report_data(made.rings, made.work, made.loaded.files, made.templates, made.manifest)
        page = render_report(data)
        (out / "report.html").write_text(page, encoding="utf-8")
    made.manifest["measured"] = measure.stages
    write_json(out / MANIFEST, made.manifest)


def _pack(table: Path, into: Path) -> None:
    pq.write_table(pq.read_table(table), into, compression="zstd")


def into_store(request: RunRequest, measure: Measure) -> StoreError | None:
    """Load the published graph into the store that was asked for; return why that failed, if it did.

    Raises:
        OutputError: the output folder holds no graph.
    """
    if request.neo4j == NO_STORE:
        return None
    try:
        with measure.stage("Start Neo4j") as tick:
            store = open_store(request.neo4j, tick)
        try:
            with measure.stage("Load Neo4j") as tick:
                graph = read_graph(request.out / "graph")
                store.load(graph, replace=request.replace_store, disposable=request.disposable, tick=tick)
        finally:
            store.close()
    except StoreError as error:
        return error
    return None
