"""Writes the page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ringfence.report import picture, text, timeline
from ringfence.report.data import ReportData
from ringfence.report.view import build_page


def render_report(data: ReportData) -> str:
    """Return the report of a run as one HTML page that asks nothing of the network and runs no script.

    The same data gives the same page. Identifiers and statements are taken for hostile: they are escaped,
    and characters that cannot be seen, or that turn the direction of text, are spelt out.
    """
    return environment().get_template("page.html.j2").render(page=build_page(data))


@cache
def environment() -> Environment:
    """Return the templates of all pages, with what they call."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        visible=text.visible,
        wording=text.wording,
        number=text.number,
        percent=text.percent,
        factor=text.factor,
        day=text.day,
    )
    made.globals.update(
        plural=text.plural,
        sub_networks=text.sub_networks,
        picture_size=picture,
        timeline_size=timeline,
        entity_names=picture.ENTITY_NAMES,
    )
    return made
