"""One sink's entry in the sinks file: keys of known types, and secrets that stand elsewhere.

::

    entry = Table(name, table, folder)
    url, token = entry.text("url"), entry.secret("token")
    timeout = entry.number("timeout", 10.0, least=0.1)
    entry.done()

Messages begin with the sink's name; whoever reads the file puts the file's name before it. No message shows a
value: it may be a secret in the wrong place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringfence.errors import PolicyError, near_names

_LONGEST_SECRET = 1 << 16
_TOKEN = re.compile(r"[\x20-\x7e]+")


class Table:
    """An entry of the sinks file; each key is asked for once, then :meth:`done`.

    Every method raises :class:`~ringfence.errors.PolicyError` where the entry does not say what it must.
    """

    def __init__(self, name: str, table: Mapping[str, Any], folder: Path) -> None:
        """Take an entry.

        Args:
            name: What the file calls the sink.
            table: Its keys and values; ``kind`` has been read already.
            folder: Where the sinks file lies; relative paths start there.
        """
        self.name = name
        self._table = {key: value for key, value in table.items() if key != "kind"}
        self._folder = folder
        self._known: set[str] = set()

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        found = self.optional_text(key)
        if found is None:
            raise self._missing(key)
        return found

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None where the key is missing."""
        found = self._take(key)
        if found is None:
            return None
        if not isinstance(found, str) or not found.strip():
            raise self.wrong(key, "must be a text in quotes that is not empty")
        return found

    def choice(self, key: str, options: tuple[str, ...], default: str) -> str:
        """Return one of some words."""
        found = self.optional_text(key)
        if found is None:
            return default
        if found not in options:
            raise self.wrong(key, f"must be one of {', '.join(options)}.{near_names(found, options)}")
        return found

    def number(self, key: str, default: float, *, least: float = 0.0, most: float = float("inf")) -> float:
        """Return a number within bounds."""
        found = self._take(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= most:
            bounds = f"of at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
            raise self.wrong(key, f"must be a number {bounds}")
        return float(found)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        found = self._take(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise self.wrong(key, "must be true or false, without quotes")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty where the key is missing."""
        found = self._take(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(one, str) and one.strip() for one in found):
            raise self.wrong(key, 'must be a list of texts, like ["one", "two"]')
        return tuple(found)

    def path(self, key: str) -> Path:
        """Return a path that must be given; nothing need be there."""
        found = self.optional_path(key)
        if found is None:
            raise self._missing(key)
        return found

    def optional_path(self, key: str) -> Path | None:
        """Return a path, or None where the key is missing."""
        found = self.optional_text(key)
        return None if found is None else self._place(key, found)

    def secret(self, key: str) -> str:
        """Return a secret that must be there: the one that ``KEY_file`` or ``KEY_env`` names."""
        found = self.secrets(key)
        if len(found) > 1:
            raise self.wrong(key, "must be one secret, and the entry names several")
        return found[0]

    def optional_secret(self, key: str) -> str | None:
        """Return a secret, or None where the entry names none."""
        named = {key, f"{key}_file", f"{key}_env"} & self._table.keys()
        self._known |= {f"{key}_file", f"{key}_env"}
        return self.secret(key) if named else None

    def optional_token(self, key: str) -> str | None:
        """Return a secret that a header can carry, or None where the entry names none."""
        found = self.optional_secret(key)
        if found is not None and not _TOKEN.fullmatch(found):
            raise self.wrong(key, "must be one line of plain letters, digits and signs")
        return found

    def secrets(self, key: str) -> tuple[str, ...]:
        """Return one secret or several, in the order written: old and new ones, while they are rotated.

        ``KEY_file`` names a file or a list of files, ``KEY_env`` an environment variable or a list of them.
        """
        if key in self._table:
            raise self.wrong(
                key,
                "is a secret, and secrets are not written into this file. Put it into a file of its own and "
                f"name that by {key}_file, or name an environment variable by {key}_env",
            )
        files, variables = self._one_or_more(f"{key}_file"), self._one_or_more(f"{key}_env")
        if not files and not variables:
            raise PolicyError(
                f"sink {self.name!r}: {key}_file or {key}_env is missing; it names the file or the "
                f"environment variable that holds the secret.{near_names(f'{key}_file', self._table)}"
            )
        return tuple(
            [self._from_file(f"{key}_file", one) for one in files]
            + [self._from_environment(f"{key}_env", one) for one in variables]
        )

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        known = ["kind", *sorted(self._known)]
        for key in sorted(self._table.keys() - self._known):
            hint = near_names(key, known) or f" It takes {', '.join(known)}."
            raise PolicyError(f"sink {self.name!r}: unknown key {key!r}.{hint}")

    def wrong(self, key: str, what: str) -> PolicyError:
        """Return the error that says what is off about a key, such as ``must be an address``."""
        end = "" if what.endswith((".", "?")) else "."
        return PolicyError(f"sink {self.name!r}: {key} {what}{end}")

    def _missing(self, key: str) -> PolicyError:
        return PolicyError(f"sink {self.name!r}: {key} is missing.{near_names(key, self._table)}")

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self._table.get(key)

    def _one_or_more(self, key: str) -> tuple[str, ...]:
        written = self._take(key)
        return (self.text(key),) if isinstance(written, str) else self.texts(key)

    def _from_file(self, key: str, named: str) -> str:
        path = self._place(key, named)
        try:
            with path.open("rb") as stream:
                held = stream.read(_LONGEST_SECRET + 1)
            found = held.decode().strip()
        except OSError as error:
            raise self.wrong(key, f"names {path}, which cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise self.wrong(key, f"names {path}, which holds no text") from error
        if not found or len(held) > _LONGEST_SECRET:
            raise self.wrong(
                key, f"names {path}, which {'is empty' if not found else 'is no secret: too long'}"
            )
        return found

    def _place(self, key: str, named: str) -> Path:
        try:
            path = self._folder / Path(named).expanduser()
        except RuntimeError as error:
            raise self.wrong(key, "begins with ~ and the name of nobody on this machine") from error
        if "\0" in named:
            raise self.wrong(key, "can be no path: it holds a zero byte")
        return path

    def _from_environment(self, key: str, variable: str) -> str:
        found = os.environ.get(variable, "").strip()
        if not found:
            raise self.wrong(key, f"names the environment variable {variable}, which is not set, or is empty")
        return found
