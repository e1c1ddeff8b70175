"""Features are made by the emitted graph, exactly as the encoders say."""

from __future__ import annotations

from typing import get_args

import numpy as np
import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.core.pipeline import (
    CategoryEncoder,
    NumberEncoder,
    ShapeEncoder,
    TextEncoder,
    TextMeasure,
    ValueEncoder,
)
from skiff.core.signature import InputColumn
from skiff.deploy import session
from skiff.deploy.featurizer import Featurizer, featurize
from skiff.deploy.reference import encode_reference

INPUTS = [
    InputColumn(name="tree", kind="number"),
    InputColumn(name="linear", kind="category"),
    InputColumn(name="note", kind="text"),
    InputColumn(name="unused", kind="number"),
]
NUMBER = NumberEncoder(
    column="tree", impute=2.0, is_log=False, low=0.0, high=4.0, mean=1.0, scale=2.0, has_indicator=True
)
CODES = CategoryEncoder(column="linear", levels=("a", "b", "c"), n_hot=2)
MEANS = ValueEncoder(
    column="linear",
    label="mean",
    levels=("a", "c"),
    values=np.array([[1.0], [3.0]]),
    default=np.array([2.0]),
    missing=np.array([9.0]),
    mean=np.array([2.0]),
    scale=np.array([0.5]),
)
WORDS = TextEncoder(
    column="note",
    analyzer="word",
    ngram_range=(1, 2),
    vocabulary=("late", "late arrival", "größe"),
    idf=np.array([1.0, 2.0, 3.0]),
)
FRAME = pl.DataFrame(
    {
        "tree": [1.0, None, float("-inf"), 9.0],
        "linear": ["c", "", None, "zz"],
        "note": ["LATE arrival", "Größe, große", None, "..."],
    }
)


def test_both_views_follow_the_docstrings_cell_by_cell() -> None:
    features = featurize(INPUTS, [WORDS, MEANS, CODES, NUMBER], FRAME)
    assert features.tree_names == ("tree", "linear", "linear: mean")
    assert features.tree_columns == ("tree", "linear", "linear")
    assert features.categorical == (1,)
    np.testing.assert_array_equal(features.tree, [[1, 2, 3], [np.nan, 3, 9], [np.nan, 3, 9], [9, 4, 2]])
    assert features.linear_names == (
        "tree", "tree: missing", "linear: a", "linear: b", "linear: (missing)", "linear: (other)", "linear: mean",
        "note: late", "note: late arrival", "note: größe",
    )  # fmt: skip
    short, long = 1 / np.sqrt(5), 2 / np.sqrt(5)
    np.testing.assert_allclose(
        features.linear,
        [
            [0.0, 0, 0, 0, 0, 1, 2, short, long, 0],
            [0.5, 1, 0, 0, 1, 0, 14, 0, 0, 1],
            [0.5, 1, 0, 0, 1, 0, 14, 0, 0, 0],
            [1.5, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        ],
        rtol=0,
        atol=1e-15,
    )


def test_no_rows_or_no_encoders_give_empty_matrices_of_the_right_width() -> None:
    none = featurize(INPUTS, [NUMBER, CODES, WORDS], FRAME.head(0))
    assert (none.tree.shape, none.linear.shape) == ((0, 2), (0, 9))
    bare = featurize(INPUTS, [], FRAME)
    assert (bare.tree.shape, bare.linear.shape, bare.tree_names) == ((4, 0), (4, 0), ())
    text_only = featurize(INPUTS, [WORDS], FRAME)
    assert (text_only.tree.shape, text_only.linear.shape) == ((4, 0), (4, 3))


def test_text_without_a_vocabulary_adds_nothing() -> None:
    empty = TextEncoder(column="note", analyzer="char", ngram_range=(1, 2), vocabulary=(), idf=np.zeros(0))
    assert featurize(INPUTS, [empty], FRAME.select("tree")).linear.shape == (4, 0)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(SkiffError) as caught:
        featurize(INPUTS, [CODES], FRAME.select("tree"))
    assert caught.value.where == {"column": "linear"}


def test_tiny_and_huge_numbers_keep_their_digits_on_a_log_scale() -> None:
    encoder = NumberEncoder(
        column="tree", impute=0, is_log=True, low=-1e9, high=1e9, mean=0, scale=1, has_indicator=False
    )
    values = np.array([0.0, 5e-324, 1e-300, 1e-17, 1e-12, 1e-5, 0.1, 1.0, 1e6, 1e17, 1e308])
    frame = pl.DataFrame({"tree": np.concatenate([values, -values])})
    made = featurize(INPUTS, [encoder], frame).linear[:, 0]
    expected = np.concatenate([np.log1p(values), -np.log1p(values)])
    np.testing.assert_allclose(made, expected, rtol=4e-16, atol=0)


def test_one_long_text_does_not_widen_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = ["late arrival"] * 300 + ["late " * 2_000] + ["größe"] * 300
    frame = pl.DataFrame({"note": notes})
    whole = featurize(INPUTS, [WORDS], frame)
    monkeypatch.setattr(session, "CHUNK_LETTERS", 20_000)
    pieces = featurize(INPUTS, [WORDS], frame)
    np.testing.assert_array_equal(pieces.linear, whole.linear)
    chunks = list(session._list_chunks(len(notes), [np.array(notes, dtype=object)], session.CHUNK_ROWS))
    assert [stop for _, stop in chunks[:-1]] == [start for start, _ in chunks[1:]]
    assert chunks[0][0] == 0
    assert chunks[-1][1] == len(notes)
    for start, stop in chunks:
        assert stop - start == 1 or (stop - start) * max(map(len, notes[start:stop])) <= 20_000


def test_letters_are_lowered_and_split_alike_in_every_script() -> None:
    letters = [chr(code) for code in (*range(1, 0x250), *range(0x370, 0x530), *range(0x1E80, 0x1F00))]
    lowered = sorted({letter.lower()[0] for letter in letters})
    encoder = TextEncoder(
        column="note", analyzer="char", ngram_range=(1, 1), vocabulary=tuple(lowered), idf=np.ones(len(lowered))
    )
    frame = pl.DataFrame({"note": letters})
    made = Featurizer(INPUTS, [encoder])(frame).linear
    _, expected = encode_reference([encoder], frame)
    different = [
        hex(ord(letter)) for letter, row, other in zip(letters, made, expected, strict=True) if (row != other).any()
    ]
    assert different == []


def test_a_compiled_featurizer_can_be_used_again() -> None:
    made = Featurizer(INPUTS, [NUMBER, CODES])
    np.testing.assert_array_equal(made(FRAME).tree, made(FRAME).tree)
    np.testing.assert_array_equal(made(FRAME.head(1)).tree, made(FRAME).tree[:1])


MEASURES: tuple[TextMeasure, ...] = get_args(TextMeasure)
LOOKS = ShapeEncoder(column="note", measures=MEASURES, mean=np.zeros(len(MEASURES)), scale=np.ones(len(MEASURES)))


def test_the_looks_of_a_text_are_counted_as_the_docstring_says() -> None:
    frame = pl.DataFrame({"note": ["CALL 0800 now! £5?", "Ärger, Öl", "", None]})
    made = featurize(INPUTS, [LOOKS, WORDS], frame)
    assert made.tree.shape == (4, 0)
    assert made.linear_names[:2] == ("note: (characters)", "note: (words)")
    assert made.linear_names[-3:] == ("note: late", "note: late arrival", "note: größe")  # terms come last
    counts = np.expm1(made.linear[:, :8]).round(9)
    np.testing.assert_array_equal(
        counts, [[18, 4, 5, 4, 3, 1, 1, 1], [9, 2, 0, 2, 1, 0, 0, 0], [0] * 8, [0] * 8]
    )  # characters, words, digits, capitals, signs, !, ?, currencies
    np.testing.assert_allclose(made.linear[:, 8:11], [[5 / 18, 4 / 18, 3 / 18], [0, 2 / 9, 1 / 9], [0] * 3, [0] * 3])


def test_looks_are_counted_alike_in_every_script_and_for_every_sign() -> None:
    letters = [chr(code) for code in (*range(1, 0x250), *range(0x370, 0x530), *range(0x2000, 0x20C0), 0x1F600)]
    frame = pl.DataFrame({"note": [*letters, "x" * 5_000, "  ", "日本語 ABC 12", "a\x00b", *(["!"] * 300)]})
    made = featurize(INPUTS, [LOOKS], frame).linear
    _, expected = encode_reference([LOOKS], frame)
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-14)
    assert featurize(INPUTS, [LOOKS], frame.head(0)).linear.shape == (0, len(MEASURES))
