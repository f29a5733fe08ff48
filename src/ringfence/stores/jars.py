"""Neo4j's jars: which they are, and how they come to this machine.

``neo4j.lock`` names every jar the server needs, so that nothing is resolved at run time and what runs is what
was tested: a line a jar, ``group:artifact:version[:classifier] sha256 size``. After a change of
:data:`ENDPOINT`, ``python -m ringfence.stores.jars`` makes it anew (a minute of reading POMs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.config import cache
from ringfence.errors import StoreError, StoreUnavailableError
from ringfence.progress import Tick, silent
from ringfence.stores.mutex import mutex

VERSION = "5.26.25"
ENDPOINT = f"org.neo4j.app:neo4j-server:{VERSION}+org.neo4j:neo4j:{VERSION}"
LOCK = Path(__file__).with_name("neo4j.lock")

_THREADS = 8
_ATTEMPTS = 3
_WAIT_FOR_OTHERS = 900.0


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar of the lock file."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The coordinate, as the lock file writes it."""
        parts = (self.group, self.artifact, self.version, self.classifier)
        return ":".join(part for part in parts if part)


def read_lock(path: Path = LOCK) -> list[Jar]:
    """Return the jars of a lock file, in the order of the class path."""
    jars = []
    for line in path.read_text(encoding="utf-8").splitlines():
        coordinate, sha256, size = line.split()
        group, artifact, version, *classifier = coordinate.split(":")
        jars.append(Jar(group, artifact, version, "".join(classifier), sha256, int(size)))
    return jars


def fetch(jars: list[Jar], folder: Path | None = None, tick: Tick = silent) -> list[Path]:
    """Return the files of the jars, in their order, fetching from Maven Central those that are missing.

    Every file is checked against its SHA-256 each time. One that differs, as after a download that was cut
    off, is deleted and fetched again.

    Args:
        jars: what to fetch.
        folder: a Maven repository cache; ``maven`` in Ringfence's cache folder where it is None.
        tick: told the share of the bytes that are there.

    Raises:
        StoreUnavailableError: a jar cannot be fetched.
        StoreError: what was fetched is not what the lock file says.
    """
    folder = folder or cache() / "maven"
    total = sum(jar.size for jar in jars)
    done = 0
    with mutex(folder / ".lock", timeout=_WAIT_FOR_OTHERS), ThreadPoolExecutor(_THREADS) as pool:
        context = _context(folder)
        waiting = {pool.submit(_fetch_one, context, jar): jar for jar in jars}
        paths: dict[Jar, Path] = {}
        try:
            for future in as_completed(waiting):
                jar = waiting[future]
                paths[jar] = future.result()
                done += jar.size
                tick(done / total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [paths[jar] for jar in jars]


def _context(folder: Path) -> Any:
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=folder, timeout=60)


def _fetch_one(context: Any, jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    artifact = component.artifact(jar.classifier, "jar")
    path: Path = artifact.cached_path
    if path.exists() and not _matches(path, jar):
        path.unlink()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            path = artifact.resolve()
            break
        except (OSError, RuntimeError) as error:
            path.unlink(missing_ok=True)
            if attempt == _ATTEMPTS:
                raise StoreUnavailableError(
                    f"Neo4j's jar {jar.name} cannot be fetched from Maven Central: {error}. Check the "
                    "network (HTTPS_PROXY is honoured) and try again, or use a server of your own (--neo4j)."
                ) from error
    if not _matches(path, jar):
        path.unlink()
        raise StoreError(
            f"The jar {jar.name} that came from Maven Central is not the one Ringfence was made with "
            "(its SHA-256 differs); it was deleted. Something between here and Maven Central changes "
            "downloads: try again from another network."
        )
    return path


def _matches(path: Path, jar: Jar) -> bool:
    return path.stat().st_size == jar.size and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lock_lines(artifacts: Iterable[Any]) -> list[str]:
    """Return the lock file's lines for artifacts that jgo resolved, downloading them as needed."""
    lines = []
    for artifact in artifacts:
        path = artifact.resolve()
        parts = (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier)
        coordinate = ":".join(part for part in parts if part)
        lines.append(f"{coordinate} {_sha256(path)} {path.stat().st_size}")
    return lines


def _make_lock() -> None:
    import jgo

    LOCK.write_text("\n".join(lock_lines(jgo.resolve(ENDPOINT))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _make_lock()
