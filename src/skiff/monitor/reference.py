"""The reference profile of a release (``reference.json``), as values instead of JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.task import ColumnKind
from skiff.data.bins import Bins, build_bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Numbers as a staircase: at each of ``points`` the exact share of rows up to it.

    ``low``, ``high`` are the smallest and largest number, ``sd`` the standard deviation, ``n`` the rows behind it.
    """

    n: int
    points: Float
    shares: Float
    low: float
    high: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnReference:
    """One column in training: a curve (numbers, dates, lengths of texts) or levels with their rows."""

    name: str
    kind: ColumnKind
    n: int
    n_missing: int
    curve: Curve | None = None
    levels: tuple[str, ...] = ()
    level_rows: Float = field(default_factory=lambda: np.zeros(0))
    other: int = 0
    counts: tuple[tuple[float, int], ...] = ()
    bins: Bins | None = None
    train: Float = field(default_factory=lambda: np.zeros(0))
    test: Float = field(default_factory=lambda: np.zeros(0))
    wrong: Float = field(default_factory=lambda: np.zeros(0))
    wrong_sd: Float = field(default_factory=lambda: np.zeros(0))
    importance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreMap:
    """Stated probability against what happened on the sealed rows: bins, and the straight line through their log odds."""

    score: Float
    n: Float
    hits: Float
    line: Float
    line_covariance: Float
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ErrorTree:
    """Absolute errors by where a row stands: a small tree over bins, with mean, mean square and fourth power per leaf."""

    columns: tuple[str, ...]
    orders: tuple[Float, ...]
    answer_edges: Float
    feature: Float
    cut: Float
    left: Float
    right: Float
    n: Float
    mean: Float
    square: Float
    fourth: Float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What a window is compared with.

    Parameters
    ----------
    rows : int
        Training rows.
    columns : tuple of ColumnReference
    answers : tuple of Curve
        The answers to the sealed rows, one curve per output; to training rows where a release has no others.
    judged_rows : int
        Sealed rows; 0 for a release made before these were kept.
    wrong_rate : float or None
        Share of wrong answers, or mean absolute error, on the sealed rows.
    classes : tuple of ScoreMap
    top : ScoreMap or None
    errors : ErrorTree or None
    shift_variance : float
        By how much calibration (in log odds) or errors (as a logarithm) moved between blocks of sealed rows.
    periods : int
        Earlier periods whose answers were compared; 0 where no time orders the rows.
    between_periods : ndarray of shape (2, 2) or (1, 1)
        Covariance between them: of the offset in log odds and the logarithm of the slope, or of the logarithm of the errors.
    headline : str
        The metric that leads.
    """

    rows: int
    columns: tuple[ColumnReference, ...]
    answers: tuple[Curve, ...]
    judged_rows: int = 0
    wrong_rate: float | None = None
    classes: tuple[ScoreMap, ...] = ()
    top: ScoreMap | None = None
    errors: ErrorTree | None = None
    shift_variance: float = 0.0
    periods: int = 0
    between_periods: Float = field(default_factory=lambda: np.zeros((1, 1)))
    headline: str = ""

    def __getitem__(self, name: str) -> ColumnReference:
        """Return one column; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def decode_reference(data: bytes) -> Reference:
    """Return the profile from the bytes of ``reference.json``.

    Raises
    ------
    SkiffError
        ``reference_unreadable``.

    Examples
    --------
    >>> decode_reference(b'{"version": 1, "rows": 3, "columns": {}, "predictions": []}').rows
    3
    """
    try:
        body = msgspec.json.decode(data)
        return _build(body)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SkiffError(
            "reference_unreadable",
            what="The reference profile of this release cannot be understood.",
            where={"file": "reference.json"},
            fix="Check the release with `skiff ledger verify`; train and release again if it stays unreadable.",
        ) from error


def _build(body: Mapping[str, Any]) -> Reference:  # Any: JSON
    judged: Mapping[str, Any] = body.get("judged") or {}
    columns = tuple(
        _build_column(name, item, judged.get("columns", {}).get(name), judged.get("importances", {}).get(name))
        for name, item in body["columns"].items()
    )
    calibration = judged.get("calibration") or {}
    shift = judged.get("shift") or {}
    answers = judged.get("answers") or body["predictions"]
    return Reference(
        rows=body["rows"],
        columns=columns,
        answers=tuple(curve for item in answers if (curve := _build_curve(item, "quantiles")) is not None),
        judged_rows=int(judged.get("n") or 0),
        wrong_rate=judged.get("wrong_rate"),
        classes=tuple(_build_map(item) for item in calibration.get("classes", ())),
        top=_build_map(calibration["top"]) if calibration else None,
        errors=_build_tree(judged["errors"]) if "errors" in judged else None,
        shift_variance=float(shift.get("logit_variance") or shift.get("log_variance") or 0.0),
        periods=int(shift.get("periods") or 0),
        between_periods=_square(shift.get("between_periods") or [0.0]),
        headline=str(judged.get("headline") or ""),
    )


def _build_column(
    name: str, item: Mapping[str, Any], judged: Mapping[str, Any] | None, importance: float | None
) -> ColumnReference:  # Any: JSON
    n, rate = int(item["n"]), float(item["missing_rate"])
    levels: Mapping[str, int] = item.get("levels") or {}
    binned = {} if judged is None else {key: _floats(judged[key]) for key in ("train", "test", "wrong", "wrong_sd")}
    return ColumnReference(
        name=name,
        kind=item["kind"],
        n=n,
        n_missing=round(n * rate / (1 - rate)) if rate < 1 else 1,
        curve=_build_curve(item, "length_quantiles" if item["kind"] == "text" else "quantiles"),
        levels=tuple(levels),
        level_rows=_floats(list(levels.values())),
        other=int(item.get("other") or 0),
        counts=tuple((float(value), int(rows)) for value, rows in item.get("counts", ())),
        bins=build_bins(judged) if judged else None,
        importance=importance,
        **binned,
    )


def _build_curve(item: Mapping[str, Any], key: str) -> Curve | None:  # Any: JSON
    points = _floats(item.get(key) or [])
    if not len(points):
        return None
    n = int(item["n"])
    # A release of the first days has no counts: its quantiles then say where they stand, exact but for repeated values.
    shares = (
        _floats(item["cumulative"]) / n if "cumulative" in item else np.arange(1, len(points) + 1) / (len(points) + 1)
    )
    last = np.append(points[1:] != points[:-1], [True])
    points, shares = points[last], shares[last]
    low, high = float(item.get("low", points[0])), float(item.get("high", points[-1]))
    if high > points[-1]:
        points, shares = np.append(points, high), np.append(shares, 1.0)
    return Curve(n=n, points=points, shares=shares, low=low, high=high, sd=float(item.get("sd", np.std(points))))


def _build_map(item: Mapping[str, Any]) -> ScoreMap:  # Any: JSON
    return ScoreMap(
        score=_floats(item["score"]),
        n=_floats(item["n"]),
        hits=_floats(item["hits"]),
        line=_floats(item["line"]),
        line_covariance=_floats(item["line_covariance"]).reshape(2, 2),
        code=item.get("class"),
    )


def _build_tree(item: Mapping[str, Any]) -> ErrorTree:  # Any: JSON
    names = ("answer_edges", "feature", "cut", "left", "right", "n", "mean", "square", "fourth")
    return ErrorTree(
        columns=tuple(item["columns"]),
        orders=tuple(_floats(order) for order in item["orders"]),
        **{name: _floats(item[name]) for name in names},
    )


def _square(values: Any) -> Float:  # noqa: ANN401  a list of JSON numbers
    flat = _floats(values)
    side = math.isqrt(len(flat))
    return flat.reshape(side, side)


def _floats(values: Any) -> Float:  # noqa: ANN401  a list of JSON numbers
    return np.asarray(values, dtype=np.float64)
