"""What skiff.toml may say, and what is said about mistakes in it."""

from __future__ import annotations

import tomllib

import pytest

from skiff.core.errors import SkiffError
from skiff.core.settings import SECTIONS, Settings, decode_settings, list_settings


def refuse(text: str) -> SkiffError:
    with pytest.raises(SkiffError) as caught:
        decode_settings(text)
    return caught.value


def test_an_empty_file_gives_the_defaults() -> None:
    assert decode_settings("") == Settings()


def test_every_key_is_read_into_its_type() -> None:
    settings = decode_settings(
        """
        [task]
        target = "churned"
        drop = ["note"]
        [criteria]
        require = ["roc_auc >= 0.75"]
        [costs]
        false_negative = 100
        [train]
        budget_s = 90
        prefer = "small"
        [owner]
        name = "Ada"
        [reading."orders.csv"]
        delimiter = ";"
        """
    )
    assert settings.task.target == "churned"
    assert settings.task.drop == ("note",)
    assert settings.criteria.require == ("roc_auc >= 0.75",)
    assert settings.costs is not None
    assert settings.costs.false_negative == 100.0
    assert settings.train.budget_s == 90.0
    assert settings.train.prefer == "small"
    assert settings.owner.name == "Ada"
    assert settings.reading == {"orders.csv": {"delimiter": ";"}}


def test_no_costs_are_assumed_where_none_are_given() -> None:
    assert decode_settings("[costs]\n").costs is None


def test_an_unknown_key_is_named_with_its_closest_match() -> None:
    error = refuse("[train]\nbuget_s = 3")
    assert error.code == "setting_unknown"
    assert error.where["setting"] == "train.buget_s"
    assert "train.budget_s" in error.fix


def test_an_unknown_table_is_named_with_its_closest_match() -> None:
    error = refuse("[trian]\nseed = 3")
    assert error.where["setting"] == "trian"
    assert "'train'" in error.fix


def test_a_key_in_the_wrong_table_is_told_where_it_belongs() -> None:
    assert "'task.target'" in refuse('[train]\ntarget = "x"').fix


def test_an_unknown_key_like_no_other_lists_what_is_known() -> None:
    error = refuse('[train]\nzzz = "x"')
    assert error.code == "setting_unknown"
    assert "train.budget_s, train.seed, train.prefer" in error.fix


def test_all_unknown_keys_are_reported_at_once() -> None:
    error = refuse("[train]\nsed = 1\n[task]\ntarge = 2")
    assert "'train.sed'" in error.what
    assert "'task.targe'" in error.what


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ('[train]\nbudget_s = "long"', "train.budget_s", "must be a number, not a text in quotes"),
        ("[task]\ntarget = 3", "task.target", "must be a text in quotes, not a whole number"),
        ('[task]\ndrop = "a"', "task.drop", "must be a list in [ ], not a text in quotes"),
        ('[task]\ndrop = ["a", 1]', "task.drop[1]", "must be a text in quotes, not a whole number"),
        ("[train]\nseed = 1.5", "train.seed", "must be a whole number, not a number"),
        ("task = 3", "task", "must be a table, not a whole number"),
        ('[reading]\n"a.csv" = 3', "reading", "must be a table, not a whole number"),
    ],
)
def test_a_wrong_type_is_said_in_plain_words(text: str, path: str, words: str) -> None:
    error = refuse(text)
    assert error.code == "setting_bad_type"
    assert error.where["setting"] == path
    assert words in error.what


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[train]\nbudget_s = -1", "must be more than 0"),
        ("[train]\nseed = -1", "must be 0 or more"),
        ('[train]\nprefer = "fast"', 'must be one of "best", "small"'),
        ("[train]\nbudget_s = inf", "must be an ordinary number"),
        ("[costs]\nfalse_positive = nan", "must be an ordinary number"),
        ('[task]\ntarget = ""', "must not be empty"),
    ],
)
def test_a_value_out_of_range_is_said_in_plain_words(text: str, words: str) -> None:
    error = refuse(text)
    assert error.code == "setting_bad_value"
    assert words in error.what
    assert error.fix.startswith("For example:")


def test_a_text_that_is_no_toml_names_the_line() -> None:
    error = refuse('[task]\ntarget = "a\n')
    assert error.code == "settings_unreadable"
    assert error.where["line"] == 2


def test_every_example_is_valid_for_its_key() -> None:
    for doc in list_settings():
        settings = decode_settings(f"[{doc.section}]\n{doc.key} = {doc.example}")
        shown = tomllib.loads(f"x = {doc.example}")["x"]
        value = getattr(getattr(settings, doc.section), doc.key)
        assert (list(value) if isinstance(value, tuple) else value) == shown


def test_every_section_has_its_settings_described() -> None:
    assert {doc.section for doc in list_settings()} == set(SECTIONS)
    assert all(doc.meaning.endswith(".") for doc in list_settings())


def test_a_direction_is_up_or_down() -> None:
    found = decode_settings('[train]\nmonotone = { income = "up" }\nquantile = 0.9')
    assert found.train.monotone == {"income": "up"}
    for text, words in (
        ('monotone = { income = "sideways" }', 'must be one of "up", "down"'),
        ("quantile = 1.0", "must be less than 1"),
    ):
        with pytest.raises(SkiffError, match=words):
            decode_settings(f"[train]\n{text}")
