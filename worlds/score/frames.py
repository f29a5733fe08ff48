"""Reading the files of a world and of a run, with words for what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.errors import InputError, near_names, told


def read_parquet(path: Path, advice: str) -> pd.DataFrame:
    """Return a Parquet file as a frame.

    Args:
        path: The file.
        advice: What to try where it is missing or damaged; a sentence.

    Raises:
        InputError: it is missing or damaged.
    """
    if not path.is_file():
        raise InputError(f"There is no {path}. {advice}")
    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} is damaged: {error}. {advice}") from error
    return frame


def require_columns(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Refuse a frame without these columns.

    Raises:
        InputError: one is missing.
    """
    missing = [name for name in columns if name not in frame]
    if missing:
        hint = near_names(missing[0], map(str, frame.columns))
        raise InputError(f"{what} has no column {', '.join(missing)}.{hint}")


def require_keys(frame: pd.DataFrame, column: str, what: str) -> None:
    """Refuse a frame in which a name is missing, is not text, or stands twice.

    Raises:
        InputError: it does.
    """
    require_text(frame, column, what)
    empty = int(frame[column].isna().sum())
    if empty:
        raise InputError(f"{what} has {empty:,} rows without {column}; every row must have one.")
    twice = frame.loc[frame[column].duplicated(), column].unique()
    if len(twice):
        raise InputError(f"{what} names {column} {told(map(str, twice), 3)} more than once; once is wanted.")


def require_text(frame: pd.DataFrame, column: str, what: str) -> None:
    """Refuse a column of names that are not text; missing ones are let pass.

    Raises:
        InputError: one is a number or something else.
    """
    names = frame[column].dropna()
    kind = pd.api.types.infer_dtype(names)
    if len(names) and kind != "string":
        raise InputError(f"{what} has {column} of kind {kind}; names must be text, such as 'a-17'.")


def require_numbers(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Refuse a frame in which one of these columns holds something that is no number; missing ones may be.

    Raises:
        InputError: it does.
    """
    for name in columns:
        try:
            frame[name].astype("float64")
        except (TypeError, ValueError) as error:
            raise InputError(f"{what} has a {name} that is not a number.") from error


def looked_up(names: pd.Series[str], counts: pd.Series[int]) -> pd.Series[float]:
    """Return the count of each name, 0 where it has none.

    Args:
        names: shape (n,).
        counts: Indexed by name.
    """
    # pandas maps a column of text in which nothing is found to text.
    return names.map(counts).astype("float64").fillna(0.0)
