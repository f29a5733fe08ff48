"""The page a person reads."""

from __future__ import annotations

from ringfence.report.data import ReportData
from ringfence.report.render import render_report

__all__ = ["ReportData", "render_report"]
