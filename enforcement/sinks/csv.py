r"""CSV files for people and their spreadsheets: a row per account, nothing in it that a spreadsheet obeys.

A spreadsheet takes a cell for a formula that begins with ``=``, ``+``, ``-`` or ``@``, or with their
full-width forms. Blanks and quotes before it do not stop every one of them, and a reader that cuts at ``;``
finds cells within ours. Every such place gets an apostrophe before it. Signs that nobody sees, or that a
terminal or a reader of lines obeys (control characters, line ends, changes of direction), are written as
``\uXXXX``.

Both can be undone without loss. Take ``'`` away where it stands before optional blanks and quotes and a
formula's sign, at the beginning of a cell or after ``; , |`` within it. Then read ``\uXXXX``, and eight
digits after ``\U``, as the sign. Programs are better served by JSONL or Parquet, which hold every value
as it is.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.rows import COLUMNS, of_accounts, of_event

_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f"
)
"""Not the joiners U+200C and U+200D: letters of some alphabets and many emoji need them."""
_ESCAPED = re.compile(rf"[{_UNSEEN}]|\\(?=[uU])")
_FORMULA = re.compile(r"""(^|[;,|])(?=[\s"'`´‘’“”\u200c\u200d]*[=+\-@＝＋－＠﹦﹢﹣﹫−])""")


class CsvFiles(FileSink):
    """RFC 4180 in UTF-8: texts in quotes, our own numbers without."""

    extension = "csv"
    media_type = "text/csv; charset=utf-8"

    def render(self, event: Event) -> bytes:
        """Return a heading and a row per account."""
        written = io.StringIO(newline="")
        writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        shared = {name: _cell(value) for name, value in of_event(event).items()}
        for account in of_accounts(event):
            row = shared | {name: _cell(value) for name, value in account.items()}
            writer.writerow([row[name] for name in COLUMNS])
        return written.getvalue().encode()


def neutralised(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, and that nothing obeys."""
    return _FORMULA.sub(r"\1'", _ESCAPED.sub(_escape, text))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cell(value: Any) -> str | int | float:
    if isinstance(value, int | float):
        return value
    if isinstance(value, list):
        return neutralised("; ".join(value))
    return "" if value is None else neutralised(value)
