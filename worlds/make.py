"""Making a world: canonical tables and, apart from them, the truth; streamed day by day."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import ringfence
from ringfence.errors import UsageError
from ringfence.files import digest_files, digest_json, published, write_json
from ringfence.progress import Tick, silent
from ringfence.worlds import answers, tables
from ringfence.worlds.attack import ATTACKS, attacked
from ringfence.worlds.corpus import Corpus, read_corpus
from ringfence.worlds.days import Days, Requests
from ringfence.worlds.hashing import Draw, Ints
from ringfence.worlds.innocents import INNOCENTS, shares
from ringfence.worlds.kinds import DAYS
from ringfence.worlds.networks import AddressPlan, range_table
from ringfence.worlds.plan import Plan, Planner, Wanted
from ringfence.worlds.rings import RINGS
from ringfence.worlds.scenarios import (
    INNOCENT_ACCOUNTS,
    RING_ACCOUNTS,
    SCENARIOS,
    Scenario,
)
from ringfence.worlds.texts import Texts

MANIFEST = "world.json"
_ROWS_A_GROUP = 100_000
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class WorldRequest:
    """Which world to make."""

    scenario: str = "published"
    scale: float = 0.01
    """1 is 2,024,000 accounts."""
    seed: int = 1
    prevalence: float | None = None
    """Share of ring accounts; None: the scenario's."""
    prompts: Path | None = None
    """Real prompts to fill it with; None: sentences of our own."""
    labels: bool = True
    """Whether reviewers have labelled some accounts."""
    attacks: tuple[str, ...] = ()
    """What the operators do against being found."""
    template_ids: bool = False
    """Whether the provider logs which template a prompt was made from."""
    swap_languages: bool = False
    """Put each language in the place of another, and change nothing else."""


@dataclass(frozen=True, slots=True)
class World:
    """What was made."""

    folder: Path
    rows: dict[str, int] = field(default_factory=dict)
    """Canonical table → its rows."""

    @property
    def input(self) -> Path:
        """The folder of canonical tables."""
        return self.folder / "input"

    @property
    def truth(self) -> Path:
        """The folder of the truth."""
        return self.folder / "truth"


def make_world(
    folder: Path, request: WorldRequest, *, force: bool = False, workers: int = 1, tick: Tick = silent
) -> World:
    """Write a world to ``folder``; the same request gives the same bytes, on however many processes.

    Args:
        folder: Gets ``input/``, ``truth/`` and ``world.json``; whole or not at all.
        request: Which world.
        force: Replace what stands there.
        workers: Processes that make days at once.
        tick: Told how much is done.

    Raises:
        UsageError: the request makes no sense.
        OutputError: the folder is not empty, or cannot be written.
        InputError: the prompts cannot be read.
    """
    check(request)
    begun = time.perf_counter()
    corpus = read_corpus(request.prompts) if request.prompts else Corpus()
    with published(folder, force=force, ours=(MANIFEST,)) as building:
        rows = _write(building, request, corpus, workers, tick)
        manifest = {
            "version": ringfence.__version__,
            **{k: v for k, v in asdict(request).items() if k != "prompts"},
            "prevalence": _prevalence(request),
            "prompts": digest_files(sorted(_files(request.prompts)), request.prompts)
            if request.prompts
            else None,
            "code_digest": code_digest(),
            "generator_digest": generator_digest(SCENARIOS[request.scenario]),
            "rows": rows,
            "seconds": round(time.perf_counter() - begun, 1),
        }
        write_json(building / MANIFEST, manifest)
    return World(folder, rows)


def generator_digest(scenario: Scenario) -> str:
    """Return the digest of the code and the scenario that make a world: figures hold for one generator."""
    return digest_json([code_digest(), asdict(scenario)])


def code_digest() -> str:
    """Return the digest of the code that makes worlds, whatever the scenario."""
    here = Path(__file__).parent
    names = [n for n in here.glob("*.py") if n.name not in _NOT_GENERATOR]
    return digest_files(sorted([*names, *(here / "phrases").glob("*.py")]), here)


_NOT_GENERATOR = ("__init__.py", "separable.py", "scenarios.py")


def check(request: WorldRequest) -> None:
    """Refuse a request that makes no sense.

    Raises:
        UsageError: which part of it, and what would do.
    """
    if not 0 < request.scale <= 50:
        raise UsageError(
            f"A scale of {request.scale:g} makes no world: it must be above 0, and 1 is 2 million accounts."
        )
    if request.scenario not in SCENARIOS:
        raise UsageError(f"There is no scenario {request.scenario!r}. There are: {', '.join(SCENARIOS)}.")
    if request.prevalence is not None and not 0 < request.prevalence <= 0.5:
        raise UsageError(
            f"A prevalence of {request.prevalence:g} is no share of ring accounts: 0.01 is one in a hundred."
        )
    if not 0 <= request.seed < 2**63:
        raise UsageError(
            f"A seed of {request.seed} is none: it must be a whole number from 0 to below 2**63."
        )
    unknown = sorted(set(request.attacks) - set(ATTACKS))
    if unknown:
        raise UsageError(f"There is no attack {', '.join(unknown)}. There are: {', '.join(ATTACKS)}.")


def make_plan(request: WorldRequest) -> Plan:
    """Return the plan of a world."""
    scenario = SCENARIOS[request.scenario]
    rng = np.random.default_rng([request.seed, 0])
    accounts = round((INNOCENT_ACCOUNTS + RING_ACCOUNTS) * request.scale)
    guilty = max(1, round(accounts * _prevalence(request)))
    rings = list(_rings(rng, scenario, guilty, request))
    innocents = [
        Wanted(INNOCENTS[name], accounts=max(1, round((accounts - guilty) * share)))
        for name, share in shares(scenario.lookalikes).items()
    ]
    per_innocent = scenario.innocent_requests
    if scenario.customer_requests:
        innocents, per_innocent = _with_customers(innocents, scenario, request.scale)
    return Planner(request.seed, swap_languages=request.swap_languages).plan(rings, innocents, per_innocent)


def _with_customers(innocents: list[Wanted], scenario: Scenario, scale: float) -> tuple[list[Wanted], float]:
    """Let customers of proxies send their part; return also what is left for each other innocent."""
    customers = INNOCENTS["proxy_customer"]
    assert customers.ip is not None
    theirs = scenario.customer_requests * scale / customers.ip.uses
    shaped = [replace(w, requests=theirs) if w.kind is customers else w for w in innocents]
    others = sum(w.accounts for w in shaped if w.kind is not customers)
    return shaped, (scenario.innocent_requests * INNOCENT_ACCOUNTS * scale - theirs) / others


def _prevalence(request: WorldRequest) -> float:
    return request.prevalence or SCENARIOS[request.scenario].prevalence


def _rings(
    rng: np.random.Generator, scenario: Scenario, guilty: int, request: WorldRequest
) -> Iterator[Wanted]:
    if scenario.campaigns:
        total = sum(c.accounts for c in scenario.campaigns)
        for campaign in scenario.campaigns:
            size = max(6, round(guilty * campaign.accounts / total))
            requests = campaign.requests * (size / campaign.accounts)
            yield Wanted(attacked(RINGS[campaign.type], request.attacks), np.array([size]), requests=requests)
        return
    sizes: dict[str, list[int]] = {name: [] for name in scenario.ring_types}
    left, turn = guilty, 0
    while left > 0:
        name = scenario.ring_types[turn % len(scenario.ring_types)]
        least, most = RINGS[name].size
        most = max(least, min(most, round(guilty * scenario.largest_share)))
        size = int(np.exp(rng.uniform(np.log(least), np.log(most + 1))))
        sizes[name].append(size)
        left, turn = left - size, turn + 1
    for name, drawn in sizes.items():
        if drawn:
            requests = sum(drawn) * scenario.ring_requests * RINGS[name].volume
            yield Wanted(attacked(RINGS[name], request.attacks), np.array(drawn), requests=requests)


class _Maker:
    """A world in one process."""

    def __init__(self, request: WorldRequest, corpus: Corpus) -> None:
        draw = Draw(request.seed)
        self.plan = make_plan(request)
        self.days = Days(self.plan, draw, request.seed)
        self.writer = tables.Writer(
            self.plan,
            self.days,
            draw,
            Texts(draw, request.seed, corpus),
            AddressPlan(draw, self.plan.size),
            request.template_ids,
        )

    def day(self, folder: Path, day: int) -> tuple[dict[str, int], Ints, Ints]:
        """Write a day; return its rows, and who distilled how often, in order of time first."""
        sent = self.days.requests(day)
        part = f"part-{day:02d}.parquet"
        count = 0
        with (
            _Sink(folder / "input" / "requests" / part) as sink,
            _Sink(folder / "truth" / "requests" / part) as truth,
        ):
            for chunk in _chunks(sent):
                table = self.writer.requests(chunk, self.days.wording(chunk))
                distilling = chunk.together & (self.plan.ring[chunk.account] >= 0)
                sink.write(table)
                truth.write(pa.table({"request_id": table["request_id"], "distilling": distilling}))
                count += table.num_rows
        paid, seen = self.days.payments(day), self.days.logins(day)
        payments, logins = self.writer.payments(*paid, day), self.writer.logins(*seen, day)
        _put(
            payments.sort_by([("ts", "ascending"), ("payment_id", "ascending")]),
            folder / "input" / "payments" / part,
        )
        _put(
            logins.sort_by([("ts", "ascending"), ("account_id", "ascending")]),
            folder / "input" / "logins" / part,
        )
        guilty = sent.together & (self.plan.ring[sent.account] >= 0)
        return (
            {"requests": count, "payments": payments.num_rows, "logins": logins.num_rows},
            sent.account[guilty],
            np.round(sent.ts[guilty] * 1000).astype(np.int64),
        )


_maker: _Maker | None = None
"""The world of a worker process."""


def _start_worker(request: WorldRequest, corpus: Corpus) -> None:
    global _maker
    pa.set_cpu_count(1)
    _maker = _Maker(request, corpus)


def _work(folder: Path, day: int) -> tuple[dict[str, int], Ints, Ints]:
    assert _maker is not None
    return _maker.day(folder, day)


def _write(folder: Path, request: WorldRequest, corpus: Corpus, workers: int, tick: Tick) -> dict[str, int]:
    maker = _Maker(request, corpus)
    tick(0.02)
    distilled = np.zeros(maker.plan.size, dtype=np.int64)
    first = np.full(maker.plan.size, _NEVER)
    rows = {"requests": 0, "payments": 0, "logins": 0}
    for day, (made, who, at) in enumerate(_days(maker, folder, request, corpus, workers)):
        rows = {name: count + made[name] for name, count in rows.items()}
        distilled += np.bincount(who, minlength=len(distilled))
        np.minimum.at(first, who, at)
        tick(0.02 + 0.95 * (day + 1) / DAYS)
    whole = {
        "accounts": maker.writer.accounts(),
        "account_events": maker.writer.account_events(),
        "models": tables.models(),
        "ip_ranges": pa.Table.from_pandas(range_table(), preserve_index=False),
    }
    if request.labels:
        whole["labels"] = answers.labels(maker.writer, SCENARIOS[request.scenario].known_rings)
    for name, table in whole.items():
        _put(table, folder / "input" / f"{name}.parquet")
    _put(answers.truth_accounts(maker.writer), folder / "truth" / "accounts.parquet")
    _put(answers.truth_rings(maker.writer, distilled, first), folder / "truth" / "rings.parquet")
    tick(1.0)
    return {**rows, **{name: table.num_rows for name, table in whole.items()}}


def _days(
    maker: _Maker, folder: Path, request: WorldRequest, corpus: Corpus, workers: int
) -> Iterator[tuple[dict[str, int], Ints, Ints]]:
    if workers <= 1:
        yield from (maker.day(folder, day) for day in range(DAYS))
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (request, corpus)) as pool:
        yield from pool.map(_work, [folder] * DAYS, range(DAYS))


def _chunks(sent: Requests) -> Iterator[Requests]:
    for start in range(0, max(len(sent.account), 1), _ROWS_A_GROUP):
        rows = slice(start, start + _ROWS_A_GROUP)
        yield Requests(
            sent.account[rows], sent.session[rows], sent.ts[rows], sent.together[rows], sent.row[rows]
        )


class _Sink:
    """A Parquet file that is written piece by piece."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _Sink:
        return self

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            few = [n for n in table.column_names if n not in ("request_id", "prompt", "system_prompt")]
            self._writer = pq.ParquetWriter(
                self._path, table.schema, compression="zstd", compression_level=1, use_dictionary=few
            )
        self._writer.write_table(table)

    def __exit__(self, *_error: object) -> None:
        if self._writer is not None:
            self._writer.close()


def _put(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def _files(path: Path | None) -> Sequence[Path]:
    if path is None:
        return ()
    return [p for p in path.iterdir() if p.is_file()] if path.is_dir() else [path]
