"""What a run's manifest says of what was read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import ringfence
from ringfence.files import digest_files, digest_json
from ringfence.loaders.discover import Discovery
from ringfence.loaders.load import Loaded
from ringfence.loaders.window import Window


def told_input(
    folder: Path, window: Window | None, digest: str | None, found: Discovery, loaded: Loaded
) -> dict[str, Any]:
    """Return the part of a manifest that tells of the input: versions, digests and balances.

    Args:
        folder: The input folder.
        window: What was looked at of it; None for all.
        digest: Of the rows that were looked at; that of the files where None.
        found: What feeds what.
        loaded: What came of it.
    """
    rows = {
        "in": sum(f.rows_in for f in loaded.files),
        "loaded": sum(f.loaded for f in loaded.files),
        "rejected": sum(f.rejected for f in loaded.files),
        "duplicates": sum(f.duplicates for f in loaded.files),
    }
    paths = sorted({source.path for source in found.sources})
    return {
        "version": ringfence.__version__,
        "input_digest": digest or digest_files(paths, folder),
        **({} if window is None else _told_window(window, loaded)),
        "mapping_digest": digest_json([asdict(source.mapping) for source in found.sources]),
        "rows": rows,
        "files": [asdict(file) for file in loaded.files],
        "unused_files": list(found.unused),
        "tables": loaded.rows,
        "accounts_made_from_events": loaded.made_accounts,
    }


def _told_window(window: Window, loaded: Loaded) -> dict[str, Any]:
    # Apart from the rows: how many lie outside is nothing that the window says.
    return {"window": window.as_json(), "rows_outside": sum(file.outside for file in loaded.files)}
