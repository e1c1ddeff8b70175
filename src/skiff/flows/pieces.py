"""Read a file of any size as typed tables that fit into memory, all by the decisions taken on the first."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from skiff.flows.read import ReadTable, read_table
from skiff.store.pieces import SPLITTABLE, is_large, iterate_csv_pieces, iterate_parquet

TEXT_ENDINGS = frozenset({".csv", ".tsv", ".txt"})


class AllBut(Container[str]):
    """Every name but these, before it is known which there are.

    Examples
    --------
    >>> "note" in AllBut({"nights", "city"}), "city" in AllBut({"nights", "city"})
    (True, False)
    """

    def __init__(self, names: Container[str]) -> None:
        """Remember the names."""
        self._names = names

    def __contains__(self, name: object) -> bool:
        """Return whether a name is none of them."""
        return name not in self._names


def read_pieces(
    source: Path,
    *,
    recipe: Mapping[str, Any] | None = None,
    keep_text: Sequence[str] = (),
    keep_words: Container[str] = (),
    private: Path | None = None,
) -> Iterator[ReadTable]:
    """Yield the rows of a file as one table, or as several where it is large CSV or Parquet.

    With `private`, see `skiff.store.pieces.iterate_csv_pieces`.

    Raises
    ------
    SkiffError
        What `read_table` says.
    """
    ending = source.suffix.lower()
    if not is_large(source) or ending not in TEXT_ENDINGS | {".parquet"}:
        yield read_table(source, recipe=recipe, keep_text=keep_text, keep_words=keep_words)
        return
    if ending == ".parquet":
        for frame in iterate_parquet(source):
            yield replace(read_table(frame, keep_text=keep_text), name=source.name)
        return
    known = dict(recipe or {})
    heads = iterate_csv_pieces(source, header_rows=0, private=private)  # its pieces are removed with it
    head = next(heads)
    first = read_table(head, recipe=known or None, keep_text=keep_text, keep_words=keep_words)
    heads.close()
    if str(first.reading.get("encoding", "")).lower() not in SPLITTABLE:
        yield read_table(source, recipe=recipe, keep_text=keep_text, keep_words=keep_words)
        return
    header_row = first.reading.get("header_row")
    header_rows = header_row + 1 if isinstance(header_row, int) else 0  # counted from 0; titles stand above it
    for piece in iterate_csv_pieces(source, header_rows=header_rows, private=private):
        yield read_table(piece, recipe=first.reading, keep_text=keep_text, keep_words=keep_words)
