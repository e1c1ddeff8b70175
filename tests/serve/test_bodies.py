"""Large bodies are read by column, and mean what small ones mean."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet
from skiff.serve import bodies
from skiff.serve.bodies import decode_infer, decode_predict

COLUMNS = ("lead_days", "price", "größe", 'a "b"')
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "web", "10:30:00", '":', '\\":', "a\nb", "größe 🦀", "x" * 40]),
)


def decode(body: bytes, *, columns: tuple[str, ...]) -> tuple[object, ...]:
    """Return what a body says, or which error it gives."""
    with patch.object(bodies, "SHEET_BYTES", 0):
        try:
            found = decode_predict(body, row_limit=4, columns=columns)
        except SkiffError as error:
            return error.code, error.what, error.where
    return [dict(row) for row in found.rows], found.key, found.subject, found.reasons


@st.composite
def draw_body(draw: st.DrawFn) -> bytes:
    """Return a body that is right, or wrong in one of the ways there are."""
    rows: list[dict[str, Any]] = draw(
        st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS[:3], CELLS), optional={"more": CELLS}), max_size=5)
    )
    rows = [dict(draw(st.permutations(list(row.items())))) for row in rows]
    for row in rows[: draw(st.integers(0, 1))]:
        del row[draw(st.sampled_from(COLUMNS[:3]))]
    body = {"rows": rows, **draw(st.fixed_dictionaries({}, optional={"key": CELLS, "reasons": st.booleans()}))}
    text = json.dumps(body, separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " \t:\r")])))
    twice = draw(st.sampled_from(["", '"price":1,', '"rows":[],', '"price": {"a":[]},']))
    at = text.find("{", draw(st.integers(0, 1))) + 1
    return (text[:at] + twice + text[at:]).encode()


@settings(max_examples=300, deadline=None)
@given(body=draw_body())
@example(body=b'{"rows":[{"lead_days":1,"price":2,"gr\\u00f6\\u00dfe":"10:30"}],"reasons":true}')
@example(body=b'{"rows":[{"lead_days":1,"price":2,"gr\xc3\xb6\xc3\x9fe":NaN}]}')
def test_rows_of_just_the_models_columns_are_read_as_any_others(body: bytes) -> None:
    assert decode(body, columns=COLUMNS[:3]) == decode(body, columns=())


def test_only_large_bodies_of_rows_that_are_whole_come_as_columns() -> None:
    row = {"lead_days": 1, "price": 2.5, "größe": "10:30"}
    n_rows = 1_000

    def read(changed: dict[str, object], columns: tuple[str, ...] = COLUMNS[:3]) -> object:
        return decode_predict(json.dumps({"rows": [changed] * n_rows}).encode(), row_limit=n_rows, columns=columns).rows

    assert isinstance(read(row), Sheet)
    assert isinstance(read(dict(reversed(row.items()))), Sheet)
    assert isinstance(read({**row, "more": 1}), list)
    assert isinstance(read({"price": 1.0}), list)
    assert isinstance(read({'a "b"': 1.0}, ('a "b"',)), list)
    assert isinstance(read({str(place): place for place in range(65)}, tuple(map(str, range(65)))), list)
    assert isinstance(decode_predict(json.dumps({"rows": [row]}).encode(), row_limit=1, columns=COLUMNS[:3]).rows, list)


INFER = (
    '{"id":"7","inputs":[{"name":"price","shape":[2],"datatype":"FP64","data":[1,2],"parameters":{"a":1,"b":2}}],'
    '"outputs":[{"name":"label","parameters":{"binary_data":false}}],"parameters":{"key":"B:1"}}'
)


def test_an_inference_request_is_searched_for_repeated_names_only_where_there_could_be_one() -> None:
    with patch.object(bodies, "refuse_repeated_names") as search:
        assert decode_infer(INFER.encode()).inputs[0].data == [1, 2]
        decode_infer(INFER.replace(",", " ,\n").replace('":', '"\t: ').encode())
        assert not search.called


@pytest.mark.parametrize(
    "name",
    ["id", "inputs", "name", "shape", "datatype", "data", "parameters", "a", "b", "outputs", "binary_data", "key"],
)
def test_a_name_that_comes_twice_in_an_inference_request_is_refused(name: str) -> None:
    twice = INFER.replace(f'"{name}":', f'"{name}":{{}},"{name}":', 1)
    with pytest.raises(SkiffError) as caught:
        decode_infer(twice.encode())
    assert caught.value.code in {"json_malformed", "body_invalid"}
    repeated = INFER.replace('"data":[1,2]', '"data":[1,2],"more":1,"more":2')
    with pytest.raises(SkiffError, match="comes twice"):
        decode_infer(repeated.encode())
