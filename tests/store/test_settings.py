"""skiff.toml is written with every key explained and changed without losing a word of its owner."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings, TaskSettings, list_settings
from skiff.store.settings import (
    build_initial_settings,
    explain_settings,
    read_settings,
    update_reading,
    update_task,
    write_initial_settings,
    write_value,
)

MINE = """\
# My notes
[task]
target = "churned"   # agreed with the client

[reading."orders.csv"]   # do not touch by hand
# the client's export
delimiter = ";"  # always
decimal = "."    # changed in March
dates = [
  "%d.%m.%Y",  # German
  "%Y-%m-%d",
]

# Costs are from the meeting of 3 March
[costs]
false_positive = 5
"""


def test_a_folder_without_the_file_has_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()


def test_the_first_file_explains_every_key_and_changes_nothing(tmp_path: Path) -> None:
    path = write_initial_settings(tmp_path)
    text = path.read_text()
    for doc in list_settings():
        assert f"\n# {doc.key} = {doc.example}  # {doc.meaning}\n" in text
    assert read_settings(tmp_path) == Settings()


def test_every_line_of_the_first_file_may_be_uncommented() -> None:
    lines = build_initial_settings({}).splitlines()
    used = "\n".join(line.removeprefix("# ") if " = " in line else line for line in lines)
    assert len(tomllib.loads(used)["task"]) == len(dataclasses.fields(TaskSettings))


def test_given_names_are_filled_in_even_odd_ones(tmp_path: Path) -> None:
    write_initial_settings(tmp_path, target='Größe "in cm"', drop=["a\\b", "c\nd"], keep=["x"])
    task = read_settings(tmp_path).task
    assert task.target == 'Größe "in cm"'
    assert task.drop == ("a\\b", "c\nd")
    assert task.keep == ("x",)


def test_a_file_that_was_changed_is_left_alone(tmp_path: Path) -> None:
    path = write_initial_settings(tmp_path)
    path.write_text(MINE)
    write_initial_settings(tmp_path, target="other")
    assert path.read_text() == MINE


def test_an_untouched_first_file_takes_the_names_given_later(tmp_path: Path) -> None:
    write_initial_settings(tmp_path)
    write_initial_settings(tmp_path, target="churned")
    assert read_settings(tmp_path).task.target == "churned"


def test_a_recipe_is_appended_and_everything_else_stays(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_text(MINE)
    assert update_reading(tmp_path, "may.csv", {"delimiter": ",", "skip_rows": 2, "sheet": None})
    text = (tmp_path / "skiff.toml").read_text()
    assert text.startswith(MINE)
    assert read_settings(tmp_path).reading["may.csv"] == {"delimiter": ",", "skip_rows": 2}


def test_only_lines_with_a_new_value_change_and_comments_stay(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_text(MINE)
    recipe = {"delimiter": ";", "decimal": ",", "dates": ["%d.%m.%Y", "%Y-%m-%d"], "encoding": "cp1252"}
    assert update_reading(tmp_path, "orders.csv", recipe)
    expected = MINE.replace('decimal = "."    # changed in March', 'decimal = ","').replace(
        '"%Y-%m-%d",\n]\n', '"%Y-%m-%d",\n]\nencoding = "cp1252"\n'
    )
    assert (tmp_path / "skiff.toml").read_text() == expected
    assert not update_reading(tmp_path, "orders.csv", recipe)


def test_a_key_that_no_longer_applies_is_removed(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_text(MINE)
    update_reading(tmp_path, "orders.csv", {"delimiter": ";"})
    assert read_settings(tmp_path).reading["orders.csv"] == {"delimiter": ";"}
    assert "# the client's export" in (tmp_path / "skiff.toml").read_text()


def test_permissions_that_the_owner_chose_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "skiff.toml"
    path.write_text(MINE)
    path.chmod(0o644)
    update_reading(tmp_path, "orders.csv", {"delimiter": "|"})
    assert path.stat().st_mode & 0o777 == 0o644


def test_answers_are_written_beside_what_a_person_wrote(tmp_path: Path) -> None:
    path = write_initial_settings(tmp_path, target="churned")
    before = path.read_text()
    assert update_task(tmp_path, {"keep": ["status"], "drop": []})
    task = read_settings(tmp_path).task
    assert (task.target, task.keep, task.drop) == ("churned", ("status",), ())
    assert path.read_text().replace('keep = ["status"]\n', "") == before
    assert not update_task(tmp_path, {"keep": ["status"], "drop": []})
    assert update_task(tmp_path, {"keep": [], "drop": ["status"]})
    task = read_settings(tmp_path).task
    assert (task.target, task.keep, task.drop) == ("churned", (), ("status",))


@pytest.mark.parametrize(
    "text",
    ['reading = {"orders.csv" = {delimiter = ";"}}\n', '[reading]\n"orders.csv" = {delimiter = ";"}\n'],
)
def test_a_form_that_cannot_be_changed_safely_is_refused_and_left(tmp_path: Path, text: str) -> None:
    path = tmp_path / "skiff.toml"
    path.write_text(text)
    with pytest.raises(SkiffError) as caught:
        update_reading(tmp_path, "orders.csv", {"delimiter": ","})
    assert caught.value.code == "settings_not_updated"
    assert '[reading."orders.csv"]' in caught.value.fix
    assert path.read_text() == text


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_bytes('[owner]\nname = "Müller"'.encode("latin-1"))
    with pytest.raises(SkiffError, match="UTF-8"):
        read_settings(tmp_path)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_bytes(b'\xef\xbb\xbf[task]\ntarget = "x"')
    assert read_settings(tmp_path).task.target == "x"


def test_config_says_where_each_value_comes_from_and_hides_passwords(tmp_path: Path) -> None:
    text = MINE + '[store]\ndatabase = "postgresql+psycopg://ada:secret@db/skiff"\n'
    (tmp_path / "skiff.toml").write_text(text)
    found = {line.path: line for line in explain_settings(tmp_path)}
    assert (found["task.target"].value, found["task.target"].origin) == ("churned", "skiff.toml")
    assert (found["train.budget_s"].value, found["train.budget_s"].origin) == (60.0, "default")
    assert found["costs.false_negative"].value is None  # no cost is made up
    assert found['reading."orders.csv"'].value["delimiter"] == ";"
    assert found["store.database"].value == "postgresql+psycopg://ada:…@db/skiff"


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(value=VALUES)
@settings(max_examples=150, deadline=None)
def test_any_value_comes_back_from_toml_as_it_went_in(value: Any) -> None:
    assert tomllib.loads(f"x = {write_value(value)}")["x"] == value


@given(
    source=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    recipe=st.dictionaries(st.text("ab. #", max_size=4), VALUES, max_size=3),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_recipe_of_any_source_is_kept_beside_the_others(
    tmp_path: Path, source: str, recipe: dict[str, Any]
) -> None:
    (tmp_path / "skiff.toml").write_text(MINE)
    update_reading(tmp_path, source, {"first": 1})
    update_reading(tmp_path, source, recipe)
    found = read_settings(tmp_path).reading
    assert found[source] == recipe
    assert found["orders.csv"]["decimal"] == "."
