"""A plain NumPy reading of a `Pipeline`, written from its docstrings and sharing no code with the emitters.

Slow and obvious on purpose: the second twin that a compiled graph is compared with in tests.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from skiff.core.pipeline import (
    CAPITALS,
    CURRENCIES,
    LEQ,
    SIGNS,
    Calibration,
    CategoryEncoder,
    DateEncoder,
    Encoder,
    Layers,
    ListEncoder,
    NumberEncoder,
    Pipeline,
    ShapeEncoder,
    TextEncoder,
    Trees,
    ValueEncoder,
)

Float = NDArray[np.float64]
Columns = list[Float]

WORD = re.compile(r"\w+")  # what Python calls \w, RE2 calls [\p{L}\p{N}_]


def predict_reference(pipeline: Pipeline, frame: pl.DataFrame) -> Float:
    """Return probabilities (n, K) or values (n,) for a typed frame.

    Examples
    --------
    >>> from skiff.core.signature import InputColumn
    >>> encoder = NumberEncoder(column="x", impute=0.0, is_log=False, low=-1, high=1, mean=0, scale=1, has_indicator=False)
    >>> from skiff.core.pipeline import Member
    >>> part = Layers(weights=(np.array([[2.0]]),), biases=(np.array([1.0]),))
    >>> pipeline = Pipeline(kind="regression", inputs=(InputColumn(name="x", kind="number"),), encoders=(encoder,),
    ...     members=(Member(name="line", view="linear", part=part, link="identity", weight=1.0),),
    ...     calibration=Calibration(kind="none"))
    >>> predict_reference(pipeline, pl.DataFrame({"x": [0.5, None]})).tolist()
    [2.0, 1.0]
    """
    with np.errstate(over="ignore"):  # an exponential may reach infinity before it is clipped, as in the graph
        return _predict(pipeline, frame)


def _predict(pipeline: Pipeline, frame: pl.DataFrame) -> Float:
    tree, linear = encode_reference(pipeline.encoders, frame)
    total: Float | float = 0.0
    for member in pipeline.members:
        view = tree if member.view == "tree" else linear
        raw = _run_trees(member.part, view) if isinstance(member.part, Trees) else _run_layers(member.part, view)
        total = total + member.weight * _link(member.link, raw)
    blended = np.asarray(total)
    if pipeline.kind == "regression":
        values: Float = np.clip(blended[:, 0], pipeline.value_low, pipeline.value_high)
        if not pipeline.exposure:
            return values
        amounts = _numbers(frame, pipeline.exposure)
        values *= np.array([1.0 if np.isnan(amount) else max(amount, 0.0) for amount in amounts])
        return values
    return _calibrate(pipeline.calibration, blended)


def encode_reference(encoders: Sequence[Encoder], frame: pl.DataFrame) -> tuple[Float, Float]:  # noqa: C901, PLR0912  one branch a kind, in plain sight
    """Return the tree view and the linear view, columns in the documented order."""
    tree: Columns = []
    linear: Columns = []
    numbers = [item for item in encoders if isinstance(item, NumberEncoder)]
    for number in numbers:
        _encode_number(number, _numbers(frame, number.column), tree, linear)
    for number in numbers:
        if number.has_indicator:
            linear.append(np.isnan(_numbers(frame, number.column)).astype(float))
    for item in encoders:
        if isinstance(item, DateEncoder):
            _encode_date(item, frame[item.column], tree, linear)
    for item in encoders:
        if isinstance(item, CategoryEncoder):
            _encode_category(item, frame[item.column].to_list(), tree, linear)
    for item in encoders:
        if isinstance(item, ListEncoder):
            _encode_list(item, frame[item.column].to_list(), tree, linear)
    for item in encoders:
        if isinstance(item, ValueEncoder):
            _encode_values(item, frame[item.column].to_list(), tree, linear)
    for item in encoders:
        if isinstance(item, ShapeEncoder):
            linear.extend(_encode_shape(item, frame[item.column].to_list()).T)
    for item in encoders:
        if isinstance(item, TextEncoder):
            linear.extend(_encode_text(item, frame[item.column].to_list()).T)
    empty = np.zeros((frame.height, 0))
    return (np.stack(tree, axis=1) if tree else empty), (np.stack(linear, axis=1) if linear else empty)


def _numbers(frame: pl.DataFrame, column: str) -> Float:
    values = np.array([math.nan if cell is None else float(cell) for cell in frame[column].to_list()])
    return np.where(np.isinf(values), np.nan, values)


def _encode_number(item: NumberEncoder, values: Float, tree: Columns, linear: Columns) -> None:
    tree.append(values)
    filled = np.where(np.isnan(values), item.impute, values)
    bent = np.sign(filled) * np.log1p(np.abs(filled)) if item.is_log else filled
    linear.append((np.clip(bent, item.low, item.high) - item.mean) / item.scale)


def _encode_date(item: DateEncoder, moments: pl.Series, tree: Columns, linear: Columns) -> None:
    cells = moments.cast(pl.Datetime("us")).dt.epoch("us").to_list()
    known = [None if cell is None else _read_calendar(cell // 1_000_000, item.origin_s) for cell in cells]
    for place, part in enumerate(item.parts):
        values = np.array([math.nan if parts is None else parts[part] for parts in known])
        tree.append(values)
        filled = np.where(np.isnan(values), item.mean[place], values)
        linear.append((filled - item.mean[place]) / item.scale[place])
    linear.append(np.array([float(parts is None) for parts in known]))


def _read_calendar(seconds: int, origin_s: int) -> dict[str, float]:
    """Return the parts of a date of any year: Python's own calendar, moved by 400 years at a time, after which it repeats."""
    days, second = divmod(seconds, 86_400)
    cycles = days // 146_097
    day = dt.date(1970, 1, 1) + dt.timedelta(days=days - cycles * 146_097)
    return {
        "year": float(day.year + 400 * cycles),
        "month": float(day.month),
        "day": float(day.day),
        "weekday": float(day.weekday()),
        "hour": float(second // 3600),
        "day_of_year": float(day.timetuple().tm_yday),
        "elapsed_days": (seconds - origin_s) / 86_400,
    }


def _encode_category(item: CategoryEncoder, cells: list[Any], tree: Columns, linear: Columns) -> None:
    codes = []
    for cell in cells:
        text = cell or ""
        if text in item.levels:
            codes.append(item.levels.index(text))
        else:
            codes.append(len(item.levels) if not text else len(item.levels) + 1)
    code = np.array(codes, dtype=float)
    tree.append(code)
    hot = [(code == place).astype(float) for place in range(item.n_hot)]
    missing = (code == len(item.levels)).astype(float)
    linear.extend([*hot, missing, 1.0 - sum(hot, missing)])


def _encode_list(item: ListEncoder, cells: list[Any], tree: Columns, linear: Columns) -> None:
    split = [[piece.strip("\t\n\f\r ") for piece in (cell or "").split(item.separator)] for cell in cells]
    held = [[piece for piece in pieces if piece] for pieces in split]
    for name in item.items:
        column = np.array([float(name in pieces) for pieces in held])
        tree.append(column)
        linear.append(column)
    number = np.array([float(len(pieces)) for pieces in held])
    tree.append(number)
    linear.append((number - item.mean) / item.scale)


def _encode_values(item: ValueEncoder, cells: list[Any], tree: Columns, linear: Columns) -> None:
    table = {level: item.values[place] for place, level in enumerate(item.levels)} | {"": item.missing}
    found = np.array([table.get(cell or "", item.default) for cell in cells]).reshape(len(cells), -1)
    tree.extend(found.T)
    linear.extend(((found - item.mean) / item.scale).T)


def _encode_shape(item: ShapeEncoder, cells: list[Any]) -> Float:
    rows = []
    for cell in cells:
        text = cell or ""
        counts = {
            "characters": len(text),
            "words": len(WORD.findall(text)),
            "digits": sum(letter in "0123456789" for letter in text),
            "capitals": sum(letter in CAPITALS for letter in text),
            "signs": sum(letter in SIGNS for letter in text),
            "exclamation marks": text.count("!"),
            "question marks": text.count("?"),
            "currency signs": sum(letter in CURRENCIES for letter in text),
        }
        shares = {f"share of {name}": counts[name] / max(1, len(text)) for name in ("digits", "capitals", "signs")}
        values = {name: math.log1p(count) for name, count in counts.items()} | shares
        rows.append([values[measure] for measure in item.measures])
    return np.asarray((np.array(rows).reshape(len(cells), -1) - item.mean) / item.scale)


def _encode_text(item: TextEncoder, cells: list[Any]) -> Float:
    low, high = item.ngram_range
    made = np.zeros((len(cells), len(item.vocabulary)))
    place = {term: index for index, term in enumerate(item.vocabulary)}
    for row, cell in enumerate(cells):
        # Letter by letter, as the C library does it: one letter never becomes two.
        text = "".join(letter.lower()[0] for letter in cell or "")
        units = WORD.findall(text) if item.analyzer == "word" else list(text)
        glue = " " if item.analyzer == "word" else ""
        for size in range(low, high + 1):
            for start in range(len(units) - size + 1):
                term = glue.join(units[start : start + size])
                if term in place:
                    made[row, place[term]] += 1.0
    weighed = made * item.idf
    length = np.sqrt((weighed**2).sum(axis=1, keepdims=True))
    return np.asarray(weighed / np.where(length == 0, 1.0, length))


def _run_trees(trees: Trees, view: Float) -> Float:
    if trees.is_float32:
        with np.errstate(over="ignore"):
            view = view.astype(np.float32).astype(np.float64)
    sets = iter(trees.members)
    members = {node: next(sets) for node, mode in enumerate(trees.mode) if mode != LEQ}
    made = np.tile(trees.base, (len(view), 1))
    for row, values in enumerate(view):
        for root in trees.roots:
            leaf = _find_leaf(trees, members, int(root), values)
            made[row, trees.leaf_target[leaf]] += trees.leaf_weight[leaf]
    return made


def _find_leaf(trees: Trees, members: dict[int, tuple[float, ...]], root: int, values: Float) -> int:
    node = root
    while True:
        value = values[trees.feature[node]]
        if np.isnan(value):
            is_true = bool(trees.missing_to_true[node])
        elif node in members:
            is_true = value in members[node]
        else:
            is_true = bool(value <= trees.split[node])
        nodes, leaves = (trees.true_node, trees.true_is_leaf) if is_true else (trees.false_node, trees.false_is_leaf)
        if leaves[node]:
            return int(nodes[node])
        node = int(nodes[node])


def _run_layers(layers: Layers, view: Float) -> Float:
    found = view
    for number, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        found = (np.maximum(found, 0.0) if number else found) @ weights + bias
    return found


def _link(link: str, raw: Float) -> Float:
    if link == "logistic":
        positive = 1.0 / (1.0 + np.exp(-raw))
        return np.hstack([1.0 - positive, positive])
    if link == "softmax":
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    if link == "normalise":
        return np.asarray(raw / raw.sum(axis=1, keepdims=True))
    if link in {"exp", "expm1"}:
        return np.asarray(np.exp(raw) - (1.0 if link == "expm1" else 0.0))
    return raw


def _calibrate(calibration: Calibration, blended: Float) -> Float:
    if calibration.kind == "none":
        return blended
    bounded = np.clip(blended, 1e-15, 1.0 - 1e-15)
    if calibration.kind == "temperature":
        return _link("softmax", np.log(bounded) / calibration.x[0])
    positive = bounded[:, 1]
    if calibration.kind == "sigmoid":
        score = calibration.x[0] * np.log(positive / (1.0 - positive)) + calibration.y[0]
        positive = 1.0 / (1.0 + np.exp(-score))
    else:
        positive = np.interp(positive, calibration.x, calibration.y)
    return np.stack([1.0 - positive, positive], axis=1)
