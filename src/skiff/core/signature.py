"""What a model takes and what it gives, column by column."""

from __future__ import annotations

from dataclasses import dataclass

from skiff.core.task import ColumnKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumn:
    """One raw column that the model takes.

    At the graph's border a ``number`` or ``boolean`` is a double tensor ``[N, 1]`` (missing is NaN, true is 1),
    a ``category`` or ``text`` a string tensor ``[N, 1]`` (missing is ``""``: ONNX has no null string), a ``date``
    an int64 tensor ``[N, 1]`` of seconds since 1970-01-01 UTC (missing is `MISSING_DATE_S`).

    Parameters
    ----------
    name : str
        Column name in the client's table, and the name of the graph's input.
    kind : {"number", "boolean", "category", "text", "date"}
    nullable : bool
        Whether training rows had missing cells here.
    levels : tuple of str
        Levels seen in training, most frequent first, at most 1,000 (category only).
    low, high : float or None
        Smallest and largest training value (number, or date in epoch seconds).
    is_integer : bool
        Whether all training values were whole numbers.
    unit : str
        Unit, if known.
    missing_words : tuple of str
        Words that stood for "no value" where the training rows came from ("?", "n/a"): a later cell of one is missing too.
    """

    name: str
    kind: ColumnKind
    nullable: bool = True
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    is_integer: bool = False
    unit: str = ""
    missing_words: tuple[str, ...] = ()


MISSING_DATE_S = -(2**62)
"""Sentinel for a missing date at the graph's border: no calendar reaches it, and int64 arithmetic on it cannot overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a release takes and gives.

    Parameters
    ----------
    inputs : tuple of InputColumn
        In the order of the graph's inputs.
    outputs : tuple of str
        ``("label", "probabilities")`` for classification, ``("value",)`` for regression.
    """

    inputs: tuple[InputColumn, ...]
    outputs: tuple[str, ...]
