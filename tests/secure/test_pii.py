"""Masks forget, pseudonyms repeat, traits become coarse."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skiff.data.personal import PersonalColumn, find_personal_columns, find_spans
from skiff.data.personal.numbers import is_account, is_card
from skiff.data.personal.phones import is_valid_phone
from skiff.data.personal.risk import measure_reidentification
from skiff.secure.pii import make_token, mask_table, mask_text, pseudonymise_table

KEY, OTHER = b"k" * 32, b"o" * 32

PEOPLE = pl.DataFrame(
    {
        "name": ["Ada Rossi", "Bo Svensson", None, "Anna Kowalska"],
        "email": ["ada@example.org", "bo@example.org", "c@example.org", "anna@example.org"],
        "age": [31, 38, 52, None],
        "zip": ["00118", "00119", "10115", "10117"],
        "note": ["Wrote to ada@example.org about it", "Nothing to say about this one", "", None],
        "spent": [1.0, 2.0, 3.0, 4.0],
    }
)


def _made(column: str, kind: str) -> PersonalColumn:
    return PersonalColumn(column=column, type=kind, risk="direct", share=1.0, reason="")


def test_a_mask_leaves_no_person_and_everything_else_as_it_was() -> None:
    made = mask_table(PEOPLE, find_personal_columns(PEOPLE))
    assert made.frame["name"].to_list() == ["[PERSON]", "[PERSON]", None, "[PERSON]"]
    assert made.frame["note"].to_list() == ["Wrote to [EMAIL] about it", "Nothing to say about this one", "", None]
    assert made.frame["age"].to_list() == ["30-39", "30-39", "50-59", None]
    assert made.frame["zip"].to_list() == ["00***", "00***", "10***", "10***"]
    assert made.frame["spent"].equals(PEOPLE["spent"])
    assert made.frame.columns == PEOPLE.columns
    assert "example.org" not in made.frame.write_csv()


def test_the_same_person_has_the_same_token_in_every_table_and_every_spelling() -> None:
    one = pseudonymise_table(pl.DataFrame({"guest": ["Ada Rossi"]}), [_made("guest", "PERSON")], key=KEY).frame
    two = pseudonymise_table(pl.DataFrame({"client": [" ADA  rossi "]}), [_made("client", "PERSON")], key=KEY).frame
    assert one.item() == two.item()
    assert (
        mask_text("Ask Ada Rossi today", lambda kind, text: make_token(kind, text, key=KEY))
        == f"Ask {one.item()} today"
    )


def test_another_key_gives_other_tokens() -> None:
    assert make_token("EMAIL", "ada@example.org", key=KEY) != make_token("EMAIL", "ada@example.org", key=OTHER)


def test_no_token_can_be_anybodys() -> None:
    assert not is_card(make_token("CREDIT_CARD", "4111111111111111", key=KEY))
    assert not is_account(make_token("IBAN", "GB82WEST12345698765432", key=KEY))
    assert not is_valid_phone("+" + make_token("PHONE", "+39 02 1234567", key=KEY)[2:])
    assert [span.type for span in find_spans(make_token("EMAIL", "a@b.org", key=KEY))] == ["EMAIL"]
    assert [span.type for span in find_spans(make_token("IP", "10.0.0.1", key=KEY))] == ["IP"]


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda text: text.strip() != ""), min_size=1, max_size=20))
def test_tokens_are_one_to_one_with_normalised_values_and_never_hold_them(values: list[str]) -> None:
    made = pseudonymise_table(pl.DataFrame({"c": values}), [_made("c", "CUSTOMER_ID")], key=KEY).frame["c"].to_list()
    from skiff.secure.pii import normalise

    pairs = {(normalise("CUSTOMER_ID", value), token) for value, token in zip(values, made, strict=True)}
    assert len(pairs) == len({token for _, token in pairs}) == len({value for value, _ in pairs})


def test_groups_are_counted_as_by_hand() -> None:
    # Sweeney (2002), figure 3 in spirit: two groups of two, one row alone
    table = pl.DataFrame(
        {"sex": ["f", "f", "m", "m", "m"], "zip": ["1", "1", "2", "2", "3"], "ill": ["a", "a", "a", "b", "b"]}
    )
    found = measure_reidentification(table, ["sex", "zip"], sensitive="ill")
    assert found is not None
    assert (found.k, found.n_unique, found.unique_share, found.median_group) == (1, 1, 0.2, 2.0)
    assert (found.l_distinct, found.l_entropy) == (1, 1.0)
    whole = measure_reidentification(table, ["sex"], sensitive="ill")
    assert whole is not None
    assert whole.k == 2
    assert measure_reidentification(table.head(0), ["sex"]) is None
    assert measure_reidentification(table, []) is None


def test_entropy_of_an_even_group_is_its_number_of_values() -> None:
    table = pl.DataFrame({"sex": ["f"] * 4, "ill": ["a", "b", "c", "d"]})
    found = measure_reidentification(table, ["sex"], sensitive="ill")
    assert found is not None
    assert found.l_entropy == pytest.approx(4.0)


def test_coarse_traits_make_fewer_rows_one_of_a_kind() -> None:
    table = pl.DataFrame(
        {"age": list(range(20, 60)), "sex": ["f", "m"] * 20, "email": [f"g{n}@example.org" for n in range(40)]}
    )
    made = mask_table(table, find_personal_columns(table)).frame
    before, after = (measure_reidentification(frame, ["age", "sex"]) for frame in (table, made))
    assert before is not None
    assert after is not None
    assert before.n_unique == 40
    assert (after.k, after.n_unique) == (5, 0)
