"""A Parquet file read one column at a time: a million rows of thirty columns need the memory of two."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from skiff.store.files import explained


class ParquetColumns:
    """The columns of a Parquet file, each read when it is asked for.

    Parameters
    ----------
    path : Path or str

    Raises
    ------
    SkiffError
        What the disk says.
    """

    def __init__(self, path: Path | str) -> None:
        """Read names and rows."""
        self._path = Path(path)
        with explained(self._path):
            self.columns: list[str] = list(pl.read_parquet_schema(self._path))
            counted = pl.scan_parquet(self._path).select(pl.len()).collect()
        self.height: int = int(counted.item())

    def __getitem__(self, name: str) -> pl.Series:
        """Return one column."""
        with explained(self._path):
            return pl.read_parquet(self._path, columns=[name]).to_series()
