"""What every language offers to compose simulated prompts of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TACTICS = (
    "reasoning_traces",
    "rubric_grading",
    "tool_use",
    "code",
    "vision",
    "logic",
    "alignment_probing",
    "jailbreak_framing",
    "censorship_safe_rewrites",
    "instruction_generation",
    "answer_rewriting",
)
"""What is asked for in distillation; innocents ask for the same, in the same sentences."""


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """The phrases of one language.

    Pairs and triples are the text around slots. All languages have the same counts, and phrases at one
    position say the same, so that one language can be swapped for another.
    """

    language: str
    """Two-letter code, such as ``en``."""
    openers: tuple[tuple[str, str, str], ...]
    """Persona of a system prompt: before the profession, between it and the field, after the field."""
    purposes: tuple[tuple[str, str, str], ...]
    """For whom: before the company's name, between it and the ware, after the ware."""
    rules: tuple[str, ...]
    """Ordinary instructions: length, tone, format, units."""
    tactics: Mapping[str, tuple[str, ...]]
    """Sentences that elicit each of ``TACTICS``."""
    questions: tuple[tuple[str, str], ...]
    """Prompts under a private system prompt: before and after a long passage."""
    tasks: tuple[tuple[str, str], ...]
    """Everyday requests that anybody sends: before and after a passage; the text after may be empty."""
    assignments: tuple[tuple[str, str, str], ...]
    """A course's assignment: before the field, between it and a passage, after the passage."""
    starters: tuple[tuple[str, str], ...]
    """A hackathon's starter system prompt: before and after a field."""
    professions: tuple[str, ...]
    """What fills the first slot of an opener."""
    fields: tuple[str, ...]
    """What fills the field slots."""
    wares: tuple[str, ...]
    """What fills the second slot of a purpose; always a plural where the language has one."""
    sentences: tuple[str, ...]
    """Sentences of everyday and technical notes, of which passages are made."""
