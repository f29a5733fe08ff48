"""Real prompts that a world may be filled with: reading them from files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.errors import InputError

_PROMPT_KEYS = ("instruction", "prompt", "text", "question")
_PASSAGE_KEYS = ("input", "output", "response", "answer", "context")
_SYSTEM_KEYS = ("system_prompt", "prompt_template", "system")
_LONGEST = 4000
_SHORTEST = 24


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts by what they can stand for."""

    prompts: tuple[str, ...] = ()
    """What a person may ask: sent as it is, by anybody."""
    passages: tuple[str, ...] = ()
    """What fills a long slot."""
    framings: tuple[str, ...] = ()
    """Judges' rubrics and jailbreaks: what stands in a system prompt."""


def read_corpus(path: Path) -> Corpus:
    """Read prompts from a file or a folder of ``.json``, ``.jsonl`` and ``.txt`` files.

    A JSON record is a text, or an object with fields such as ``instruction``, ``input``, ``prompt`` or
    ``system_prompt``. A list of bare texts, as jailbreak collections are, counts as framings.

    Raises:
        InputError: there is nothing to read, or a file is not what its name says.
    """
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    prompts: dict[str, None] = {}
    passages: dict[str, None] = {}
    framings: dict[str, None] = {}
    for file in files:
        for record in _records(file):
            if isinstance(record, str):
                framings.setdefault(record)
            elif isinstance(record, dict):
                _sort_fields(record, prompts, passages, framings)
    corpus = Corpus(_kept(prompts), _kept(passages), _kept(framings))
    if not (corpus.prompts or corpus.passages or corpus.framings):
        raise InputError(f"{path} holds no prompts. It needs .json, .jsonl or .txt files with texts in them.")
    return corpus


def _sort_fields(
    record: dict[str, Any], prompts: dict[str, None], passages: dict[str, None], framings: dict[str, None]
) -> None:
    places = ((_PROMPT_KEYS, prompts), (_PASSAGE_KEYS, passages), (_SYSTEM_KEYS, framings))
    for keys, kept in places:
        for key in keys:
            if isinstance(record.get(key), str):
                kept.setdefault(record[key])
    instances = record.get("instances")
    for instance in instances if isinstance(instances, list) else ():
        if isinstance(instance, dict):
            _sort_fields(instance, prompts, passages, framings)


def _records(file: Path) -> Iterator[Any]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            loaded = json.loads(text)
            yield from loaded if isinstance(loaded, list) else [loaded]
        elif file.suffix in (".jsonl", ".ndjson"):
            yield from (json.loads(line) for line in text.splitlines() if line.strip())
        elif file.suffix == ".txt":
            yield {"prompt": text}
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} cannot be read as prompts: {error}") from error


def _kept(texts: dict[str, None]) -> tuple[str, ...]:
    # Half of a surrogate pair cannot be written.
    clean = (t.encode("utf-8", "replace").decode().strip() for t in texts)
    return tuple(t[:_LONGEST] for t in clean if len(t) >= _SHORTEST)
