"""Random pipelines and random frames for them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from hypothesis import strategies as st

from skiff.core.pipeline import (
    LEQ,
    MEMBER,
    AnswerSet,
    Calibration,
    CategoryEncoder,
    DateEncoder,
    Encoder,
    Layers,
    Member,
    NumberEncoder,
    Pipeline,
    Review,
    ShapeEncoder,
    TextEncoder,
    TextMeasure,
    Trees,
    ValueEncoder,
    ValueRange,
)
from skiff.core.signature import InputColumn
from skiff.deploy.reference import encode_reference

LEVELS = ("north", "Süd", "東", "it's", "0")
WORDS = ("boat", "größe", "no", "späte", "x_1")
NAMES = ("value", "column <ü>", "label", "", "probabilities", "tree")
"""Some are names of outputs, one is no name at all."""
PARTS = ("year", "month", "day", "weekday", "hour", "day_of_year", "elapsed_days")
MEASURES: tuple[TextMeasure, ...] = get_args(TextMeasure)


def build_trees(random: np.random.Generator, *, n_features: int, categorical: set[int], n_targets: int) -> Trees:
    """Return random trees of depth up to 3 with both kinds of split."""
    rows: list[tuple[int, int, float, tuple[float, ...] | None, int]] = []
    branches: list[list[tuple[int, int]]] = []
    roots, targets, weights = [], [], []

    def grow(depth: int, target: int) -> tuple[int, int]:
        if depth == 0 or random.random() < 0.2:
            targets.append(target)
            weights.append(float(random.normal()))
            return len(weights) - 1, 1
        feature = int(random.integers(n_features))
        place = len(rows)
        members = (
            tuple(sorted({float(code) for code in random.integers(0, 7, random.integers(1, 7))}))
            if feature in categorical
            else None
        )
        split = float(random.choice([-1.0, 0.0, 0.5, 2.0, 1990.0]))
        rows.append(
            (
                feature,
                LEQ if members is None else MEMBER,
                split,
                members,
                int(random.integers(2)) if members is None else 0,
            )
        )
        branches.append([(0, 0), (0, 0)])
        branches[place] = [grow(depth - 1, target), grow(depth - 1, target)]
        return place, 0

    for number in range(3 * n_targets):
        place, is_leaf = grow(3, number % n_targets)
        if is_leaf:
            rows.append((0, LEQ, 0.0, None, 0))
            branches.append([(place, 1), (place, 1)])
            place = len(rows) - 1
        roots.append(place)
    flat = np.array(branches)
    return Trees(
        roots=np.array(roots),
        feature=np.array([row[0] for row in rows]),
        mode=np.array([row[1] for row in rows]),
        split=np.array([row[2] for row in rows]),
        members=tuple(row[3] for row in rows if row[3] is not None),
        missing_to_true=np.array([row[4] for row in rows]),
        true_node=flat[:, 0, 0],
        false_node=flat[:, 1, 0],
        true_is_leaf=flat[:, 0, 1],
        false_is_leaf=flat[:, 1, 1],
        leaf_target=np.array(targets),
        leaf_weight=np.array(weights),
        base=random.normal(size=n_targets),
        is_float32=bool(random.integers(2)),
    )


def build_encoders(random: np.random.Generator, kinds: list[str]) -> tuple[list[InputColumn], list[Encoder]]:
    """Return one input for each kind and encoders over them."""
    inputs: list[InputColumn] = []
    encoders: list[Encoder] = []
    for number, kind in enumerate(kinds):
        name = NAMES[number]
        inputs.append(InputColumn(name=name, kind=kind))  # type: ignore[arg-type]  # drawn from the kinds
        if kind in {"number", "boolean"}:
            encoders.append(
                NumberEncoder(
                    column=name,
                    impute=float(random.normal()),
                    is_log=bool(random.integers(2)),
                    low=-3.0,
                    high=4.0,
                    mean=float(random.normal()),
                    scale=2.5,
                    has_indicator=bool(random.integers(2)),
                )
            )
        elif kind == "category":
            encoders.append(CategoryEncoder(column=name, levels=LEVELS, n_hot=int(random.integers(1, 6))))
            n_columns = int(random.integers(1, 3))
            encoders.append(
                ValueEncoder(
                    column=name,
                    label="mean",
                    levels=LEVELS[:3],
                    values=random.normal(size=(3, n_columns)),
                    default=random.normal(size=n_columns),
                    missing=random.normal(size=n_columns),
                    mean=np.zeros(n_columns),
                    scale=np.full(n_columns, 2.0),
                )
            )
        elif kind == "date":
            parts = tuple(part for part in PARTS if random.random() < 0.6) or ("year",)
            zeros = random.normal(size=len(parts))
            encoders.append(
                DateEncoder(column=name, parts=parts, origin_s=-86_400, mean=zeros, scale=np.full(len(parts), 3.0))  # type: ignore[arg-type]  # drawn from the parts
            )
        else:
            analyzer: Literal["word", "char"] = "word" if random.integers(2) else "char"
            terms = (*WORDS, "boat no", "no boat") if analyzer == "word" else ("bo", "ö", "ote", " n")
            high = 2 if analyzer == "word" else 3
            encoders.append(
                TextEncoder(
                    column=name,
                    analyzer=analyzer,
                    ngram_range=(1, high),
                    vocabulary=terms,
                    idf=random.uniform(1, 3, size=len(terms)),
                )
            )
            measures = tuple(measure for measure in MEASURES if random.random() < 0.5)
            if measures:
                means = random.normal(size=len(measures))
                encoders.append(
                    ShapeEncoder(column=name, measures=measures, mean=means, scale=np.full(len(measures), 1.7))
                )
    return inputs, encoders


def build_frame(random: np.random.Generator, inputs: list[InputColumn], n_rows: int) -> pl.DataFrame:
    """Return rows with missing, unseen, extreme and non-ASCII cells."""
    columns: dict[str, Any] = {}
    for column in inputs:
        if column.kind in {"number", "boolean"}:
            pool = [
                0.0,
                -0.0,
                0.5,
                -1.0,
                2.0,
                float(np.nextafter(0.5, 1)),
                1e308,
                float("inf"),
                -float("inf"),
                float("nan"),
                None,
            ]
            columns[column.name] = pl.Series([pool[i] for i in random.integers(0, len(pool), n_rows)], dtype=pl.Float64)
        elif column.kind == "category":
            texts = [*LEVELS, "never", "", None]
            columns[column.name] = pl.Series(
                [texts[i] for i in random.integers(0, len(texts), n_rows)], dtype=pl.String
            )
        elif column.kind == "date":
            moments = [
                None,
                dt.datetime(1, 1, 1),
                dt.datetime(1900, 3, 1),
                dt.datetime(1969, 12, 31, 23, 59, 59),
                dt.datetime(1970, 1, 1),
                dt.datetime(2000, 2, 29, 12),
                dt.datetime(2024, 12, 31, 7),
                dt.datetime(9999, 12, 31),
            ]
            columns[column.name] = pl.Series(
                [moments[i] for i in random.integers(0, len(moments), n_rows)], dtype=pl.Datetime("us")
            )
        else:
            lines = [
                None,
                "",
                "No boat, NO BOAT!",
                "GRÖSSE größe x_1",
                "späte boat no",
                "日本語",
                "  ",
                "CALL 0800 now! £5 or €7?",
            ]
            columns[column.name] = pl.Series(
                [lines[i] for i in random.integers(0, len(lines), n_rows)], dtype=pl.String
            )
    return pl.DataFrame(columns)


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[Pipeline, pl.DataFrame]:
    """Draw a pipeline of any kind with rows for it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    kinds = draw(st.lists(st.sampled_from(["number", "boolean", "category", "date", "text"]), min_size=1, max_size=6))
    inputs, encoders = build_encoders(random, kinds)
    frame = build_frame(random, inputs, draw(st.integers(1, 12)))
    tree, linear = encode_reference(encoders, frame)
    kind = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    n_targets = {"binary": 1, "multiclass": 3, "regression": 1}[kind]
    link = {
        "binary": "logistic",
        "multiclass": "softmax",
        "regression": draw(st.sampled_from(["identity", "exp", "expm1"])),
    }[kind]
    n_numbers = sum(item in {"number", "boolean"} for item in kinds)
    n_parts = sum(len(item.parts) for item in encoders if isinstance(item, DateEncoder))
    n_codes = sum(isinstance(item, CategoryEncoder) for item in encoders)
    categorical = set(range(n_numbers + n_parts, n_numbers + n_parts + n_codes))
    members: list[tuple[str, Trees | Layers, str]] = []
    if tree.shape[1]:
        part = build_trees(random, n_features=tree.shape[1], categorical=categorical, n_targets=n_targets)
        members.append(("tree", part, link))
        if kind != "regression":
            n_classes = 2 if kind == "binary" else 3
            forest = build_trees(random, n_features=tree.shape[1], categorical=categorical, n_targets=n_classes)
            positive = replace(forest, leaf_weight=np.abs(forest.leaf_weight) + 0.1, base=np.abs(forest.base))
            members.append(("tree", positive, "normalise"))
    width = linear.shape[1]
    hidden = Layers(
        weights=(random.normal(size=(width, 4)) * 0.1, random.normal(size=(4, n_targets))),
        biases=(random.normal(size=4), random.normal(size=n_targets)),
    )
    if not members or draw(st.booleans()):
        members.append(("linear", hidden, link))
    calibration = Calibration(kind="none")
    if kind == "binary":
        knots = np.sort(random.uniform(size=6))
        choices = [
            calibration,
            Calibration(kind="sigmoid", x=(0.8,), y=(0.1,)),
            Calibration(kind="isotonic", x=tuple(np.repeat(knots[::2], 2).tolist()), y=tuple(np.sort(knots).tolist())),
            Calibration(kind="isotonic", x=tuple(knots.tolist()), y=tuple(np.sort(random.uniform(size=6)).tolist())),
        ]
        calibration = draw(st.sampled_from(choices))
    elif kind == "multiclass":
        calibration = draw(st.sampled_from([calibration, Calibration(kind="temperature", x=(1.7,))]))
    pipeline = Pipeline(
        kind=kind,  # type: ignore[arg-type]  # drawn from the kinds
        inputs=tuple(inputs),
        encoders=tuple(encoders),
        members=tuple(
            Member(name=view, view=view, part=part, link=one, weight=1.0 / len(members))  # type: ignore[arg-type]  # drawn from the links
            for view, part, one in members
        ),
        calibration=calibration,
        classes={"binary": ("no", "yes"), "multiclass": ("a", "b", "ç"), "regression": ()}[kind],
        threshold=float(random.uniform()),
        value_low=float(draw(st.sampled_from([-50.0, 0.0]))),
        value_high=50.0,
    )
    return _promise(pipeline, random), frame


def _promise(pipeline: Pipeline, random: np.random.Generator) -> Pipeline:
    """Add what is promised about the answers, in any combination."""
    low, high = np.sort(random.uniform(size=2)).tolist()
    is_reviewed, is_promised = (bool(random.integers(3)) for _ in range(2))
    if pipeline.kind != "regression":
        floors = random.uniform(0, 0.7, size=len(pipeline.classes))
        floors /= max(1.0, floors.sum())
        return replace(
            pipeline,
            review=Review(low=low, high=high) if is_reviewed else None,
            answer_set=AnswerSet(floors=tuple(floors.tolist()), coverage=0.9) if is_promised else None,
        )
    edges = tuple(np.sort(random.normal(size=int(random.integers(4)))).tolist())
    below, above = random.uniform(0, 3, size=(2, len(edges) + 1)).tolist()
    promised = ValueRange(edges=edges, below=tuple(below), above=tuple(above), coverage=0.9)
    return replace(
        pipeline,
        review=Review(low=0.0, high=3.0) if is_reviewed else None,
        value_range=promised if is_promised else None,
    )
