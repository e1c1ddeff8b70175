"""A model file alone answers rows, tables and nonsense."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from fitted import Fitted, fit_lightgbm
from numpy.typing import NDArray
from onnx import helper

from skiff.core.errors import SkiffError
from skiff.core.pipeline import Calibration, CategoryEncoder, Layers, Member, NumberEncoder, Pipeline, TextEncoder
from skiff.core.signature import InputColumn
from skiff.deploy import session
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.predictor import Predictor

NAMES = ("value", "label", "probabilities", "tree", "linear", "c_1", "where_3", "", "a\nb", "<ü> 'x'", "value (input)")

LAST_DIGIT = 1e-15
"""onnxruntime adds the trees of a lone row in another order than those of a batch."""


@pytest.fixture(scope="module")
def booking_model() -> Fitted:
    return fit_lightgbm("binary")


@pytest.fixture(scope="module")
def predictor(booking_model: Fitted) -> Predictor:
    return Predictor(compile_pipeline(booking_model.pipeline))


def _build_sum(names: tuple[str, ...], *, kind: str) -> Pipeline:
    """Return a pipeline that adds the named columns."""
    encoders = tuple(
        NumberEncoder(column=name, impute=0, is_log=False, low=-9, high=9, mean=0, scale=1, has_indicator=False)
        for name in names
    )
    part = Layers(weights=(np.ones((len(names), 1)),), biases=(np.zeros(1),))
    link = "identity" if kind == "regression" else "logistic"
    return Pipeline(
        kind=kind,  # type: ignore[arg-type]  # one of the kinds
        inputs=tuple(InputColumn(name=name, kind="number") for name in names),
        encoders=encoders,
        members=(Member(name="sum", view="linear", part=part, link=link, weight=1.0),),  # type: ignore[arg-type]  # one of the links
        calibration=Calibration(kind="none"),
        classes=() if kind == "regression" else ("no", "yes"),
    )


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_columns_may_have_any_name_even_that_of_an_output(kind: str) -> None:
    pipeline = _build_sum(NAMES, kind=kind)
    predictor = Predictor(compile_pipeline(pipeline))
    row = {name: 0.1 * (place + 1) for place, name in enumerate(NAMES)}
    assert [column.name for column in predictor.signature.inputs] == list(NAMES)
    answer = predictor.predict_row(row)
    table = predictor.predict_columns({name: [cell, cell] for name, cell in row.items()})
    if kind == "regression":
        assert answer.value == pytest.approx(6.6, abs=1e-12)
        np.testing.assert_allclose(table.values, [6.6, 6.6], atol=1e-12)
    else:
        assert answer.probabilities is not None
        assert answer.probabilities["yes"] == pytest.approx(1 / (1 + np.exp(-6.6)), abs=1e-15)
        assert answer.label == "yes"


def test_a_row_a_list_of_rows_and_any_table_answer_alike(predictor: Predictor, booking_model: Fitted) -> None:
    frame = booking_model.frame.head(50)
    expected = predictor.predict_columns(frame)
    tables = {
        "pandas": frame.to_pandas(),
        "pyarrow": frame.to_arrow(),
        "mapping": frame.to_dict(as_series=False),
        "pandas nullable": frame.to_pandas().convert_dtypes(),
    }
    assert isinstance(tables["pandas"], pd.DataFrame)
    assert isinstance(tables["pyarrow"], pa.Table)
    for name, table in tables.items():
        found = predictor.predict_columns(table)
        np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=0, atol=LAST_DIGIT, err_msg=name)
        assert found.labels.tolist() == expected.labels.tolist()
    rows = frame.to_dicts()
    found = predictor.predict_rows(rows)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=0, atol=LAST_DIGIT)
    for number, row in enumerate(rows):
        single = predictor.predict_row(row)
        assert single.label == expected.labels[number]
        assert single.probabilities is not None
        assert list(single.probabilities) == ["no", "yes"]
        np.testing.assert_allclose(list(single.probabilities.values()), expected.probabilities[number], atol=LAST_DIGIT)


def test_a_large_table_is_answered_in_pieces_with_the_same_result(
    predictor: Predictor, booking_model: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predictor.predict_columns(booking_model.frame)
    monkeypatch.setattr(session, "CHUNK_ROWS", 7)
    in_rows = predictor.predict_columns(booking_model.frame)
    monkeypatch.setattr(session, "CHUNK_LETTERS", 30)
    in_letters = predictor.predict_columns(booking_model.frame)
    for pieces in (in_rows, in_letters):
        np.testing.assert_allclose(pieces.probabilities, whole.probabilities, rtol=0, atol=LAST_DIGIT)
        assert pieces.labels.tolist() == whole.labels.tolist()


def test_no_rows_give_no_answers(predictor: Predictor, booking_model: Fitted) -> None:
    for found in (predictor.predict_columns(booking_model.frame.head(0)), predictor.predict_rows([])):
        assert found.labels.shape == (0,)
        assert found.probabilities.shape == (0, 2)
        assert len(found.values) == 0


def test_other_columns_are_ignored_and_cells_of_other_types_are_read(predictor: Predictor) -> None:
    plain = {"nights": 3, "value": 120.5, "city": "city 004", "arrival": "2022-02-01"}
    typed = {
        "nights": "3",
        "value": np.float64(120.5),
        "city": "city 004",
        "arrival": pd.Timestamp("2022-02-01"),
        "z": object(),
    }
    assert predictor.predict_row(plain) == predictor.predict_row(typed)


def test_a_row_without_a_column_is_refused_with_its_number(predictor: Predictor) -> None:
    full = {"nights": 3, "value": 120.5, "city": "city 004", "arrival": None}
    with pytest.raises(SkiffError) as caught:
        predictor.predict_row({key: cell for key, cell in full.items() if key != "city"})
    assert (caught.value.code, caught.value.where) == ("missing_column", {"column": "city"})
    with pytest.raises(SkiffError) as caught:
        predictor.predict_rows([full, {"nights": 1}])
    assert caught.value.where == {"column": "value", "row": 2}


def test_a_bad_cell_of_a_row_is_refused_without_quoting_it(predictor: Predictor) -> None:
    with pytest.raises(SkiffError) as caught:
        predictor.predict_row({"nights": "three of them", "value": 1, "city": "x", "arrival": None})
    assert (caught.value.code, caught.value.where) == ("bad_value", {"column": "nights", "row": 1})
    assert "three" not in str(caught.value)


def _build_stranger() -> bytes:
    value = helper.make_tensor_value_info("x", onnx.TensorProto.DOUBLE, ["N"])
    made = helper.make_tensor_value_info("y", onnx.TensorProto.DOUBLE, ["N"])
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "g", [value], [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(model.SerializeToString())


def test_files_that_are_not_ours_are_refused(booking_model: Fitted) -> None:
    model = compile_pipeline(booking_model.pipeline)
    for data in (b"", b"not a model", model[: len(model) // 2], _build_stranger()):
        with pytest.raises(SkiffError) as caught:
            Predictor(data)
        assert caught.value.code == "not_a_skiff_model"


def test_a_model_of_a_newer_format_says_so(booking_model: Fitted) -> None:
    model = onnx.load_from_string(compile_pipeline(booking_model.pipeline))
    [entry] = [item for item in model.metadata_props if item.key == "skiff.format"]
    entry.value = "2"
    with pytest.raises(SkiffError) as caught:
        Predictor(model.SerializeToString())
    assert caught.value.code == "model_newer"


def test_the_file_alone_tells_what_it_takes_and_gives(predictor: Predictor, booking_model: Fitted) -> None:
    assert predictor.kind == "binary"
    assert predictor.classes == ("no", "yes")
    assert predictor.threshold == 0.4
    assert predictor.signature.inputs == booking_model.pipeline.inputs
    assert predictor.signature.outputs == ("label", "probabilities")


def test_answering_loads_no_frame_or_learning_library() -> None:
    program = (
        "import sys; import skiff.deploy.runtime; "
        "print(sorted({'polars','onnx','sklearn','lightgbm','pandas','scipy','pyarrow'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_frames_are_not_changed_by_answering(predictor: Predictor, booking_model: Fitted) -> None:
    before = booking_model.frame.clone()
    predictor.predict_columns(booking_model.frame)
    assert booking_model.frame.equals(before, null_equal=True)
    assert isinstance(booking_model.frame, pl.DataFrame)


def test_categories_do_not_make_pieces_smaller_and_terms_do(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = _build_sum(("city",), kind="binary")
    category = CategoryEncoder(column="city", levels=("oslo",), n_hot=1)
    part = Layers(weights=(np.ones((3, 1)),), biases=(np.zeros(1),))
    inputs = (InputColumn(name="city", kind="category"),)
    narrow = replace(sums, inputs=inputs, encoders=(category,), members=(replace(sums.members[0], part=part),))
    words = TextEncoder(column="city", analyzer="char", ngram_range=(1, 1), vocabulary=("o",), idf=np.ones(1))
    wide = replace(narrow, encoders=(words,), members=sums.members)
    seen: list[int] = []
    cut = session._list_chunks

    def note(n_rows: int, columns: Sequence[NDArray[Any]], chunk_rows: int) -> Iterator[tuple[int, int]]:
        seen.append(len(columns))
        return cut(n_rows, columns, chunk_rows)

    monkeypatch.setattr(session, "_list_chunks", note)
    for pipeline in (narrow, wide):
        Predictor(compile_pipeline(pipeline)).predict_rows([{"city": "oslo"}, {"city": None}])
    assert seen == [0, 1]
