"""The report in a real browser."""

from __future__ import annotations

import html
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from report_samples import make_data, make_ring

from ringfence.report import ReportData, render_report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on the path: install it to run this test"),
]


def opened(page: str, folder: Path) -> str:
    """Return the document as the browser has it after loading the page."""
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    assert BROWSER is not None
    command = [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    return subprocess.run(command, capture_output=True, check=True, timeout=120, encoding="utf-8").stdout


def test_the_page_is_there(data: ReportData, tmp_path: Path) -> None:
    document = opened(render_report(data), tmp_path)
    assert "1 ring found, 70 accounts" in document
    assert document.count('class="map"') == 2
    assert "acct_a049" in document


def test_hostile_ids_stay_inert(tmp_path: Path) -> None:
    attack = "<script>document.title='taken'</script>"
    image = "<img src=x onerror=document.title='taken'>"
    data = make_data([make_ring(1, [attack, image, "user\u202egnp.exe"])])
    data = replace(data, sightings=data.sightings.assign(entity_id=attack))
    document = opened(render_report(data), tmp_path)
    assert "<title>Ringfence report: 1 ring" in document
    assert "<script" not in document
    assert "<img" not in document
    assert html.escape(attack, quote=False) in document
    assert "user‹U+202E›gnp.exe" in document


def test_the_policy_holds_even_where_escaping_would_not(tmp_path: Path) -> None:
    page = render_report(make_data([make_ring(1, ["a", "b"])]))
    document = opened(page.replace("</main>", "<script>document.title='taken'</script></main>"), tmp_path)
    assert "document.title='taken'" in document
    assert "<title>Ringfence report: 1 ring" in document
