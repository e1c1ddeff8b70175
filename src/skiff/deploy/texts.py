"""Text into TF-IDF columns and into what it looks like, inside the graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import CAPITALS, CURRENCIES, SIGNS, ShapeEncoder, TextEncoder
from skiff.deploy.graph import GraphBuilder

WORD = r"[\p{L}\p{N}_]+"
r"""What counts as a word (RE2 syntax; ``\w`` would be ASCII only)."""

LOCALE = "C.UTF-8"
"""The only locale that lower-cases non-ASCII letters and exists on slim machines and in the browser."""


def emit_terms(builder: GraphBuilder, encoder: TextEncoder, text: str) -> str:
    """Return one column for each term of the vocabulary: count times idf, each row scaled to unit length."""
    tokens = _cut(builder, text, encoder.analyzer, is_lowered=True)
    low, high = encoder.ngram_range
    by_size: dict[int, list[tuple[list[str], int]]] = {size: [] for size in range(1, high + 1)}
    for place, term in enumerate(encoder.vocabulary):
        units = term.split(" ") if encoder.analyzer == "word" else list(term)
        by_size[len(units)].append((units, place))
    pool: list[str] = []
    starts: list[int] = []
    places: list[int] = []
    for size in range(1, high + 1):
        starts.append(len(pool))
        for units, place in by_size[size]:
            pool.extend(units)
            places.append(place)
    counts = builder.node(
        "TfIdfVectorizer",
        [tokens],
        mode="TF",
        min_gram_length=low,
        max_gram_length=high,
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=places,
        pool_strings=pool,
    )
    idf = builder.row(encoder.idf)
    weighed = builder.node("Mul", [builder.cast(counts, TensorProto.DOUBLE), idf])
    squares = builder.node("ReduceSumSquare", [weighed, builder.integers(1)], keepdims=1)
    length = builder.node("Sqrt", [squares])
    is_empty = builder.node("Equal", [length, builder.number(0.0)])
    return builder.node("Div", [weighed, builder.node("Where", [is_empty, builder.number(1.0), length])])


OTHER, DIGIT, CAPITAL, SIGN, CALL, QUESTION, CURRENCY = range(1, 8)
"""Numbers that characters get before they are counted; 0 is what fills up shorter texts."""

CLASSES = {
    "": 0,
    **dict.fromkeys("0123456789", DIGIT),
    **dict.fromkeys(CAPITALS, CAPITAL),
    **dict.fromkeys(SIGNS, SIGN),
    **dict.fromkeys(CURRENCIES, CURRENCY),
    "!": CALL,
    "?": QUESTION,
}


def emit_shape(builder: GraphBuilder, encoder: ShapeEncoder, text: str) -> str:
    """Return one column for each measure of the texts' looks."""
    letters = _cut(builder, text, "char", is_lowered=False)
    classes = builder.node(
        "LabelEncoder",
        [letters],
        domain="ai.onnx.ml",
        keys_strings=list(CLASSES),
        values_int64s=list(CLASSES.values()),
        default_int64=OTHER,
    )

    def count(is_met: str) -> str:
        return builder.node("ReduceSum", [builder.cast(is_met, TensorProto.DOUBLE), builder.integers(1)], keepdims=1)

    def count_from(number: int) -> str:
        return count(builder.node("GreaterOrEqual", [classes, builder.integers(number)]))

    def count_of(number: int) -> str:
        return count(builder.node("Equal", [classes, builder.integers(number)]))

    def count_words() -> str:
        words = _cut(builder, text, "word", is_lowered=True)  # as the terms are cut, so that one node does for both
        is_padding = builder.node("Equal", [words, builder.constant(np.array([""], dtype=object))])
        one_each = builder.node("Sub", [builder.number(1.0), builder.cast(is_padding, TensorProto.DOUBLE)])
        return builder.node("ReduceSum", [one_each, builder.integers(1)], keepdims=1)

    counted: dict[str, Callable[[], str]] = {
        "characters": lambda: count_from(OTHER),
        "words": count_words,
        "digits": lambda: count_of(DIGIT),
        "capitals": lambda: count_of(CAPITAL),
        "signs": lambda: count_from(SIGN),
        "exclamation marks": lambda: count_of(CALL),
        "question marks": lambda: count_of(QUESTION),
        "currency signs": lambda: count_of(CURRENCY),
    }

    def emit(measure: str) -> str:
        if measure in counted:
            return builder.node("Log", [builder.node("Add", [counted[measure](), builder.number(1.0)])])
        least_one = builder.node("Max", [counted["characters"](), builder.number(1.0)])
        return builder.node("Div", [counted[measure.removeprefix("share of ")](), least_one])

    measured = builder.join([emit(measure) for measure in encoder.measures])
    centred = builder.node("Sub", [measured, builder.row(encoder.mean)])
    return builder.node("Div", [centred, builder.row(encoder.scale)])


def _cut(builder: GraphBuilder, text: str, analyzer: str, *, is_lowered: bool) -> str:
    """Return the words or characters of each text, [N, most of them], shorter texts filled up with ``""``."""
    flat = builder.node("Squeeze", [text, builder.integers(1)])
    if is_lowered:
        flat = builder.node("StringNormalizer", [flat], case_change_action="LOWER", locale=LOCALE)
    how = {"tokenexp": WORD} if analyzer == "word" else {"separators": [""]}
    return builder.node("Tokenizer", [flat], domain="com.microsoft", mark=0, mincharnum=1, pad_value="", **how)
