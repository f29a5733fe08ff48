"""``ringfence templates``: prompt templates of any file, and what a registry of them holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.files import check_file
from ringfence.cli.run import TOO_MANY_REJECTED, JsonOption, display
from ringfence.cli.say import say_rows, warn
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from ringfence.pipeline.mine import MineResult

app = typer.Typer(
    help="Find the templates that prompts are variants of, and show what was found.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_PARQUET = ".parquet"
_REFUSED_TOLD = 20
_EXCERPT = 72


@app.command()
def mine(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet, CSV or NDJSON; also .gz and .zst.")],
    out: Annotated[Path, typer.Option(metavar="OUT.parquet", help="File to write.")],
    column: Annotated[str, typer.Option(help="Column of the prompts.")] = "prompt",
    account_column: Annotated[
        str | None,
        typer.Option(
            help="Column of who sent them; account_id if the file has it. Wording is told only where three "
            "accounts sent it."
        ),
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of templates found before, which keep their ids; those found now are added.",
        ),
    ] = None,
    keep_prompt: Annotated[
        bool, typer.Option("--keep-prompt", help="Write the prompts, too: OUT then holds their text.")
    ] = False,
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows that may be refused before the exit code is 3.")
    ] = 0.01,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add template_id, confidence and slots to the rows of a file, in their order.

    Columns that hold prompts (the one named, and those called prompt or system_prompt) are not written; all
    others are, as they are. Of CSV and NDJSON, values are written as text. template_id is null where there
    is no template; slots are the parts of a prompt, in characters, that are not its template's wording.

    Exit codes: 0 done, 1 error, 2 usage, 3 done but too many rows were refused.
    """
    if out.suffix.lower() != _PARQUET:
        raise UsageError(f"{out} would be a Parquet file; let its name end with {_PARQUET}.")
    check_file(out, force=force)
    from ringfence.pipeline.mine import MineRequest
    from ringfence.pipeline.mine import mine as carry_out

    request = MineRequest(file, out, column, account_column, registry, keep_prompt=keep_prompt)
    result = carry_out(request, display())
    _say_refused(result)
    if as_json:
        typer.echo(json.dumps(result.as_json(), ensure_ascii=False))
    else:
        _say_mined(result, registry)
    raise typer.Exit(TOO_MANY_REJECTED if result.rejected_share > max_rejected else 0)


@app.command()
def show(
    registry: Annotated[Path, typer.Argument(metavar="REGISTRY", help="Folder that `templates mine` wrote.")],
    limit: Annotated[int, typer.Option(min=1, help="The most templates to show, largest first.")] = 20,
    tactic: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only templates with this tactic, such as rubric_grading."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the templates of a registry: wording with slots as ▢, counts, tactics with their scores.

    Templates that fewer than three accounts sent are counted and not shown.
    """
    from ringfence.pipeline.mine import read_templates

    frame, hidden = read_templates(registry, tactic)
    rows: list[dict[str, Any]] = json.loads(frame.head(limit).to_json(orient="records"))
    if as_json:
        said = {"templates": rows, "more": len(frame) - len(rows), "not_shown": hidden}
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    sizes = frame["family"].value_counts().to_dict()
    _print([line for row in rows for line in _told(row, sizes.get(row["family"], 1))])
    if len(frame) > len(rows):
        typer.echo(f"{len(frame) - len(rows):,} more (--limit).")
    if not rows:
        typer.echo(f"No template with tactic {tactic}." if tactic else "No template to show.")
    typer.echo(f"{hidden:,} not shown: fewer than three accounts sent them.")


def _say_refused(result: MineResult) -> None:
    for refused in result.rejections[:_REFUSED_TOLD]:
        column = f" {_one_line(refused.column)}" if refused.column else ""
        warn(f"{refused.file}:{refused.line}:{column} {refused.reason}; refused")
    more = len(result.rejections) - _REFUSED_TOLD
    if more > 0:
        warn(f"{more:,} more rows were refused.")


def _say_mined(result: MineResult, registry: Path | None) -> None:
    said = result.as_json()
    rows = said["rows"]
    typer.echo(f"{rows['in']:,} rows: {rows['written']:,} written, {rows['rejected']:,} refused.")
    typer.echo(
        f"{result.prompts:,} have text, {result.with_template:,} of these a template_id. "
        f"Templates: {result.templates:,}. Other prompts sent more than once: {result.repeated:,}."
    )
    rate, memory = said["prompts_per_second"], said["peak_memory_mib"]
    typer.echo(f"{said['seconds']:.1f} s, {rate:,} prompts/s, {memory:,.0f} MiB at most.")
    if result.left_out:
        typer.echo(f"Not written, for they hold prompts: {', '.join(map(_one_line, result.left_out))}.")
    largest = [
        (row["template_id"], f"{row['prompts']:,}", _excerpt(row["skeleton"])) for row in result.largest
    ]
    if largest:
        say_rows("Largest templates", [("template_id", "prompts", "skeleton"), *largest])
        typer.echo()
    if result.account_column is None:
        typer.echo(
            "No column of accounts was read, so no wording can be told: that takes three accounts. "
            "Name one with --account-column."
        )
    typer.echo(f"Read {result.out}")
    if registry is not None:
        typer.echo(f"Ask `ringfence templates show {registry}`")


def _excerpt(skeleton: str | None) -> str:
    if skeleton is None:
        return "(fewer than three accounts)"
    line = _one_line(" ".join(skeleton.split()))
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + "…"


def _one_line(text: str) -> str:
    return _harmless(text, but="")


def _harmless(text: str, but: str = "\n") -> str:
    """Return text with what a terminal would obey spelt out; signs in ``but`` stay."""
    return "".join(
        sign if sign.isprintable() or sign in but else f"\\u{ord(sign):04x}" for sign in text.expandtabs(4)
    )


def _told(row: dict[str, Any], family: int) -> list[tuple[Text, int]]:
    """Return what is told of a template as lines of text, each with its indent."""
    from rich.text import Text

    from ringfence.graphbuild.templates.skeleton import SLOT

    head = Text(row["template_id"], style="bold")
    prompts = f"{row['prompts']:,} prompt{'' if row['prompts'] == 1 else 's'}"
    facts = [prompts, *(["public"] if row["public"] else [])]
    if family > 1:
        facts.append(f"family {row['family']} of {family}")
    head.append("  " + " · ".join(facts), style="not bold")
    lines = [(head, 0)]
    if row["tactics"]:
        lines.append((Text(" · ".join(f"{name} {score:.2f}" for name, score in row["tactics"].items())), 2))
    wording = Text(_harmless(row["skeleton"]))
    wording.highlight_words([SLOT], style="bold cyan")
    return [*lines, (wording, 4), (Text(), 0)]


def _print(lines: list[tuple[Text, int]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, indent in lines:
        # Whatever reads a pipe wants whole lines, not ones folded to a terminal that is not there.
        folded = text.wrap(console, max(console.width - indent, 1)) if console.is_terminal else text.split()
        for line in folded or [text]:
            console.print(Text(" " * indent).append_text(line), soft_wrap=True)
