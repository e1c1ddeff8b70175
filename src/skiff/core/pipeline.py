"""The whole fitted model as plain values: what `train` makes and `deploy` compiles.

`train` and `deploy` do not know each other. They meet here: an encoder says how one raw column becomes numbers,
a member is one fitted model in arrays, a `Pipeline` is all of it. No library's objects are kept, so nothing has to
be pickled and everything can be written as one ONNX graph.

Two views of the encoded row exist: the *tree* view (few columns, NaN for missing, integer codes for categories)
and the *linear* view (scaled, imputed, one-hot). Each encoder adds its columns to both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from skiff.core.signature import InputColumn
from skiff.core.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

View: TypeAlias = Literal["tree", "linear"]
Link: TypeAlias = Literal["identity", "logistic", "softmax", "normalise", "exp", "expm1"]
"""How a member's raw score becomes a probability or value.

``logistic``: one raw column r becomes [1-s(r), s(r)]; ``softmax``: K raw columns; ``normalise``: rows divided by their
sum (forests); ``exp``, ``expm1``: regression on a log scale; ``identity``: as it is.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberEncoder:
    """A number or boolean. Tree view: 1 column, the value, NaN kept.

    Linear view: ``(clip(t(impute(x)), low, high) - mean) / scale``, then, if `has_indicator`, one column that is 1
    where x is missing. ``t`` is ``sign(x) * log1p(abs(x))`` if `is_log`, else the identity. The missing value is
    replaced by `impute` before ``t``; infinities count as missing in both views.
    """

    column: str
    impute: float
    is_log: bool
    low: float
    high: float
    mean: float
    scale: float
    has_indicator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryEncoder:
    """A category with few enough levels to keep as codes.

    Tree view: 1 *categorical* column: the position of the value in `levels`; ``""`` (missing) is ``len(levels)``,
    any unseen value ``len(levels) + 1``. Linear view: ``n_hot`` one-hot columns for the first `n_hot` of `levels`,
    then one for missing and one for everything else (rare or unseen).
    """

    column: str
    levels: tuple[str, ...]
    n_hot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueEncoder:
    """A category replaced by numbers looked up per level (target means, frequencies): both views get the columns.

    ``values`` has shape (n_levels, n_columns); unseen values give ``default`` (n_columns,), missing (``""``) gives
    ``missing`` (n_columns,). Linear view: ``(v - mean) / scale`` per column.
    """

    column: str
    label: str
    levels: tuple[str, ...]
    values: Float
    default: Float
    missing: Float
    mean: Float
    scale: Float


DatePart: TypeAlias = Literal["year", "month", "day", "weekday", "hour", "day_of_year", "elapsed_days"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateEncoder:
    """A date or time in epoch seconds (UTC, proleptic Gregorian).

    Tree view: one column per part, NaN where the date is missing. ``weekday`` is 0 for Monday, ``day_of_year`` runs
    from 1, ``elapsed_days`` is the (fractional) days since `origin_s`. Linear view: the same parts, missing replaced by
    `mean`, then ``(v - mean) / scale``, with one final column that is 1 where the date is missing.
    """

    column: str
    parts: tuple[DatePart, ...]
    origin_s: int
    mean: Float
    scale: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoder:
    r"""Free text as TF-IDF. Linear view only: one column per term, rows scaled to unit length (L2); ``""`` gives zeros.

    The text is lower-cased (locale C.UTF-8); ``word`` terms are runs of ``[\\p{L}\\p{N}_]`` of `ngram_range` words joined
    by one space; ``char`` terms are runs of `ngram_range` characters. Column value: ``count * idf`` before scaling
    (``(1 + log(count)) * idf`` is not used: counts are small).
    """

    column: str
    analyzer: Literal["word", "char"]
    ngram_range: tuple[int, int]
    vocabulary: tuple[str, ...]
    idf: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEncoder:
    """A cell that holds several items, parted by `separator`; blanks around an item do not count.

    Both views get one column for each of `items`, 1 where the cell holds it and else 0, and then one with the number of all
    items in the cell, known or not (0 for a missing cell); in the linear view that number is ``(n - mean) / scale``.
    """

    column: str
    separator: str
    items: tuple[str, ...]
    mean: float
    scale: float


CAPITALS = "".join(letter for letter in map(chr, (*range(0x250), *range(0x370, 0x530))) if letter.isupper())
"""Letters that count as capitals: Latin, Greek and Cyrillic ones."""

CURRENCIES = "$£€¥¢₹₽₺₩"
SIGNS = "!?" + CURRENCIES + "\"#%&'()*+,-./:;<=>@[\\]^_`{|}~¡¿§°«»–—‘’“”„…•"
"""Characters that count as signs; ``!``, ``?`` and currencies are also counted apart."""

TextMeasure: TypeAlias = Literal[
    "characters", "words", "digits", "capitals", "signs", "exclamation marks", "question marks", "currency signs",
    "share of digits", "share of capitals", "share of signs",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeEncoder:
    r"""What a free text looks like, whatever it says. Linear view only: one column for each of `measures`, in their order.

    A count n gives ``(log(1 + n) - mean) / scale``, a share (of all characters, 0 of an empty text) ``(share - mean) / scale``.
    ``characters`` are code points; ``words`` are runs of ``[\\p{L}\\p{N}_]``; ``digits`` are 0 to 9; ``capitals``, ``signs``
    and ``currency signs`` are the characters of `CAPITALS`, `SIGNS` and `CURRENCIES`. A missing text is an empty one.
    """

    column: str
    measures: tuple[TextMeasure, ...]
    mean: Float
    scale: Float


Encoder: TypeAlias = (
    NumberEncoder | CategoryEncoder | ValueEncoder | DateEncoder | TextEncoder | ShapeEncoder | ListEncoder
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMatrix:
    """Encoded rows: what the emitted featurizer graph gives.

    Parameters
    ----------
    tree : ndarray of shape (n_rows, n_tree)
    linear : ndarray of shape (n_rows, n_linear)
    tree_names, linear_names : tuple of str
        ``column`` or ``column: part`` for each view's columns.
    tree_columns, linear_columns : tuple of str
        The raw column that each view's column came from.
    categorical : tuple of int
        Positions in the tree view that hold codes, not quantities.
    """

    tree: Float
    linear: Float
    tree_names: tuple[str, ...]
    linear_names: tuple[str, ...]
    tree_columns: tuple[str, ...]
    linear_columns: tuple[str, ...]
    categorical: tuple[int, ...]


class Featurize(Protocol):
    """Turns a typed frame into features by running the emitted graph; handed to `train` as an argument."""

    def __call__(
        self, inputs: Sequence[InputColumn], encoders: Sequence[Encoder], frame: pl.DataFrame
    ) -> FeatureMatrix:
        """Return the encoded rows of `frame`, in its order; a frame of 0 rows gives 0-row matrices."""


LEQ, MEMBER = 0, 6
"""Node modes of ai.onnx.ml TreeEnsemble 5: x <= threshold goes to the true branch; x in the set goes to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """A tree ensemble in the layout of ai.onnx.ml ``TreeEnsemble`` (opset 5), all double.

    ``raw[:, k] = base[k] + sum of the weights of the leaves reached whose target is k``.

    Parameters
    ----------
    roots : ndarray of int64, shape (n_trees,)
        Index of each tree's first node. A tree that is one leaf is written as a node whose two branches are equal leaves.
    feature : ndarray of int64, shape (n_nodes,)
        Column of the tree view.
    mode : ndarray of int64, shape (n_nodes,)
        `LEQ` or `MEMBER`.
    split : ndarray of float64, shape (n_nodes,)
        Threshold (`LEQ`); 0 for `MEMBER`.
    members : tuple of tuple of float
        One set per `MEMBER` node, in node order.
    missing_to_true : ndarray of int64, shape (n_nodes,)
        1 where a NaN follows the true branch.
    true_node, false_node : ndarray of int64, shape (n_nodes,)
        Index of the next node, or of the leaf where ``*_is_leaf`` is 1.
    true_is_leaf, false_is_leaf : ndarray of int64, shape (n_nodes,)
    leaf_target : ndarray of int64, shape (n_leaves,)
    leaf_weight : ndarray of float64, shape (n_leaves,)
    base : ndarray of float64, shape (n_targets,)
    is_float32 : bool
        Whether the features are rounded to float32 before they are compared (scikit-learn's forests do).
    """

    roots: Int
    feature: Int
    mode: Int
    split: Float
    members: tuple[tuple[float, ...], ...]
    missing_to_true: Int
    true_node: Int
    false_node: Int
    true_is_leaf: Int
    false_is_leaf: Int
    leaf_target: Int
    leaf_weight: Float
    base: Float
    is_float32: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """A linear model or small perceptron over the linear view.

    ``h = x; for each layer: h = h @ weights + bias``, with ReLU between layers, none after the last. One layer is a
    linear model. Shapes: weights (n_in, n_out), bias (n_out,).
    """

    weights: tuple[Float, ...]
    biases: tuple[Float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One fitted model of the blend.

    Parameters
    ----------
    name : str
        E.g. ``"lightgbm 31 leaves"``.
    view : {"tree", "linear"}
    part : Trees or Layers
    link : see `Link`
    weight : float
        Share in the blend; the weights of a pipeline sum to 1.
    """

    name: str
    view: View
    part: Trees | Layers
    link: Link
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A monotone map from blended to calibrated probability.

    Parameters
    ----------
    kind : {"none", "isotonic", "sigmoid", "temperature"}
        ``isotonic`` (binary): linear interpolation of the positive-class probability through `x`, `y`, constant outside;
        ``sigmoid`` (binary): ``1 / (1 + exp(-(a * logit(p) + b)))`` with ``x=[a]``, ``y=[b]``;
        ``temperature`` (multiclass): ``softmax(log(p) / t)`` with ``x=[t]``. p is clipped to [1e-15, 1 - 1e-15] first.
    """

    kind: Literal["none", "isotonic", "sigmoid", "temperature"]
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRange:
    """How far the truth may lie from a predicted number, by the size of the prediction.

    A prediction v is in bin ``sum(v >= edge for edge in edges)``; its range is ``[v - below[bin], v + above[bin]]``. Where no
    answer of the model can be negative (`value_low` of the pipeline is 0 or more), the low end is kept at 0 or above.

    Parameters
    ----------
    edges : tuple of float
        Ascending; one fewer than there are bins.
    below, above : tuple of float
        One for each bin.
    coverage : float
        Promised share of rows to come whose truth lies inside.
    """

    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSet:
    """Which classes cannot be ruled out: each from a probability of its own upwards.

    Parameters
    ----------
    floors : tuple of float
        One for each class. Of several classes the most probable is in the set whatever its floor; of two, floors that together are
        at most 1 leave no set empty.
    coverage : float
        Promised share of rows to come whose true class is in the set, whichever class that is.
    """

    floors: tuple[float, ...]
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Which answers a person should look at before anyone acts on them.

    Parameters
    ----------
    low, high : float
        Binary: reviewed where ``low <= p < high`` of the positive class. Several classes: where the largest probability is
        below `high`. Numbers: where the range is wider than `high`. ``low >= high`` reviews nothing (binary).
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything between a raw row and the answer.

    The blend is the weighted mean of the members' probabilities (classification) or values (regression), then
    calibration, then: binary label = positive class where its probability >= `threshold`; multiclass label = the most
    probable class (first on ties); regression value clipped to [`value_low`, `value_high`].

    Parameters
    ----------
    kind : {"binary", "multiclass", "regression"}
    inputs : tuple of InputColumn
    encoders : tuple of Encoder
    members : tuple of Member
    calibration : Calibration
    classes : tuple of str
        Column order of the probabilities; the positive class is the last of a binary pair.
    threshold : float
        Binary only.
    value_low, value_high : float
        Regression only.
    value_range : ValueRange or None
        Regression only.
    answer_set : AnswerSet or None
        Classification only.
    review : Review or None
    exposure : str
        Regression only: the input by which the value is multiplied after it was clipped, ``""`` for none. Where the row has
        none (missing or infinite) it counts as 1, below 0 as 0.
    """

    kind: TaskKind
    inputs: tuple[InputColumn, ...]
    encoders: tuple[Encoder, ...]
    members: tuple[Member, ...]
    calibration: Calibration
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    value_low: float = float("-inf")
    value_high: float = float("inf")
    value_range: ValueRange | None = None
    answer_set: AnswerSet | None = None
    review: Review | None = None
    exposure: str = ""
