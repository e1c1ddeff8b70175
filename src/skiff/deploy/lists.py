"""Lists in cells into one column for each item, inside the graph."""

from __future__ import annotations

import re

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import ListEncoder
from skiff.deploy.graph import GraphBuilder

BLANKS = r"\t\n\f\r "
"""What is cut off around an item (ASCII only, as RE2 reads blanks)."""


def build_item_pattern(separator: str) -> str:
    """Return the pattern of one item: no separator in it, and no blank at either end.

    Examples
    --------
    >>> re.findall(build_item_pattern(","), " wifi , heated pool,,")
    ['wifi', 'heated pool']
    """
    sign = re.escape(separator)
    return f"[^{sign}{BLANKS}](?:[^{sign}]*[^{sign}{BLANKS}])?"


def emit_items(builder: GraphBuilder, encoder: ListEncoder, text: str) -> tuple[str, str]:
    """Return one column for each item, 1 where the cell holds it, and a column with how many items it holds."""
    flat = builder.node("Squeeze", [text, builder.integers(1)])
    tokens = builder.node(
        "Tokenizer", [flat], domain="com.microsoft", mark=0, mincharnum=1, pad_value="",
        tokenexp=build_item_pattern(encoder.separator),
    )  # fmt: skip
    counts = builder.node(
        "TfIdfVectorizer",
        [tokens],
        mode="TF",
        min_gram_length=1,
        max_gram_length=1,
        max_skip_count=0,
        ngram_counts=[0],
        ngram_indexes=list(range(len(encoder.items))),
        pool_strings=list(encoder.items),
    )
    held = builder.node("Min", [builder.cast(counts, TensorProto.DOUBLE), builder.number(1.0)])
    is_padding = builder.node("Equal", [tokens, builder.constant(np.array([""], dtype=object))])
    one_each = builder.node("Sub", [builder.number(1.0), builder.cast(is_padding, TensorProto.DOUBLE)])
    return held, builder.node("ReduceSum", [one_each, builder.integers(1)], keepdims=1)
