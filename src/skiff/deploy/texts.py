"""Text into TF-IDF columns inside the graph."""

from __future__ import annotations

from onnx import TensorProto

from skiff.core.pipeline import TextEncoder
from skiff.deploy.graph import GraphBuilder

WORD = r"[\p{L}\p{N}_]+"
r"""What counts as a word (RE2 syntax; ``\w`` would be ASCII only)."""

LOCALE = "C.UTF-8"
"""The only locale that lower-cases non-ASCII letters and exists on slim machines and in the browser."""


def emit_terms(builder: GraphBuilder, encoder: TextEncoder, text: str) -> str:
    """Return one column for each term of the vocabulary: count times idf, each row scaled to unit length."""
    flat = builder.node("Squeeze", [text, builder.integers(1)])
    lowered = builder.node("StringNormalizer", [flat], case_change_action="LOWER", locale=LOCALE)
    how = {"tokenexp": WORD} if encoder.analyzer == "word" else {"separators": [""]}
    tokens = builder.node("Tokenizer", [lowered], domain="com.microsoft", mark=0, mincharnum=1, pad_value="", **how)

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
