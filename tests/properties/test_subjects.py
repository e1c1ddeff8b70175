"""Whatever a table holds, a person's rows go and nobody else's is touched."""

from __future__ import annotations

import io

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skiff.flows.learned import list_unseen
from skiff.flows.persons import find_person
from skiff.flows.places import PLACES, DatasetPlace
from skiff.flows.positions import pack_rows
from skiff.secure.subjects import list_forms, mark_copies, mark_rows, trim
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace

NAMES = st.text(alphabet="abAB12 é'\"\\<&", min_size=1, max_size=8)
TABLES = st.lists(st.tuples(NAMES, st.integers(0, 5)), min_size=1, max_size=40)


def keep(workspace: Workspace, table: pl.DataFrame) -> str:
    stream = io.BytesIO()
    table.write_parquet(stream)
    record = workspace.add_dataset(
        stream.getvalue(),
        name="t.csv",
        source_sha256="0" * 64,
        rows=table.height,
        columns=table.width,
        reading={},
        provenance={},
        kinds=dict.fromkeys(table.columns, "text"),
    )
    return record.sha256


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=TABLES, chosen=st.integers(0, 10_000), seed=st.integers(0, 9))
def test_exactly_the_persons_rows_go_and_sealed_rows_follow(
    rows: list[tuple[str, int]], chosen: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = trim(rows[chosen % len(rows)][0])
    if not name:
        return
    table = pl.DataFrame({"who": [row[0] for row in rows], "n": [row[1] for row in rows], "at": range(len(rows))})
    sealed = np.sort(np.random.default_rng(seed).choice(len(rows), size=len(rows) // 2, replace=False)).astype(np.int64)
    with Workspace.open(tmp_path_factory.mktemp("w"), create=True) as workspace:
        before = keep(workspace, table)
        workspace.count_look(before, workspace.objects.put(pack_rows(sealed)))
        person, _ = find_person(workspace, name, column="who")
        DatasetPlace().erase(workspace, person, at=now_utc)
        after = workspace.datasets.get(before)
        left = pl.read_parquet(io.BytesIO(workspace.datasets.read_parquet(after.sha256)))
        expected = [row for row in table.iter_rows() if row[0].strip() != name]
        assert list(left.iter_rows()) == expected
        kept = list_unseen(workspace, before)
        assert left["at"].to_numpy()[kept].tolist() == [
            at for at in sealed.tolist() if table["who"][at].strip() != name
        ]
        assert sum(place.find(workspace, person) for place in PLACES if place.name == "datasets") == 0
        assert not workspace.objects.has(before)
        assert workspace.verify().ok


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(0, 4), max_size=40), theirs=st.lists(st.integers(0, 4), max_size=10))
def test_of_rows_without_names_no_more_go_than_the_person_had(rows: list[int], theirs: list[int]) -> None:
    frame, gone = (
        pl.DataFrame({"n": pl.Series(rows, dtype=pl.Int64)}),
        pl.DataFrame({"n": pl.Series(theirs, dtype=pl.Float64)}),
    )
    marked = frame.filter(mark_copies(frame, gone))["n"].to_list()
    for value in set(rows) | set(theirs):
        assert marked.count(value) == min(rows.count(value), theirs.count(value))


@settings(max_examples=60, deadline=None)
@given(value=st.text(min_size=6, max_size=12))
def test_every_writing_of_a_value_is_among_its_forms(value: str) -> None:
    encoded = value.encode("utf-8", "ignore").decode()
    if len(encoded.encode()) < 8:
        return
    forms = list_forms(encoded)
    assert encoded.encode() in forms
    assert encoded.encode("utf-16-le") in forms


def test_a_name_is_whole_or_not_at_all() -> None:
    table = pl.DataFrame({"id": ["12", "123", " 12 ", None], "n": [12, 1, 2, 3]})
    assert mark_rows(table, ["id"], "12").to_list() == [True, False, True, False]
    assert mark_rows(table, ["n"], "12").to_list() == [True, False, False, False]
