"""What commands say to people."""

from __future__ import annotations

from collections.abc import Sequence

import typer


def say_rows(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table; its first row is the heading."""
    typer.secho(f"\n{title}", bold=True)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        typer.echo(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def printable(text: str) -> str:
    """Return a text in which what a terminal would obey, or not show, is spelt out."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def warn(text: str) -> None:
    """Print a warning where it does not mix with what a program reads."""
    typer.secho(text, fg="yellow", err=True)
