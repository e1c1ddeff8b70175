"""Personal data inside running text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.data.personal import find_spans


def _found(text: str) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in find_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to Ada.Rossi+x@mail.example.org.", [("EMAIL", "Ada.Rossi+x@mail.example.org")]),
        ("my card number is 4111 1111 1111 1111 thanks", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("order 4111111111111112 was lost", []),
        ("to IBAN GB82 WEST 1234 5698 7654 32 today", [("IBAN", "GB82 WEST 1234 5698 7654 32")]),
        ("SSN: 460-89-9847", [("NATIONAL_ID", "460-89-9847")]),
        ("from 10.1.2.30 at noon", [("IP", "10.1.2.30")]),
        ("version 1.2.3.4 of the app", []),
        ("Mobile: 0341 8387176", [("PHONE", "0341 8387176")]),
        ("Call me on +44 (0)20 7946 0958 x12", [("PHONE", "+44 (0)20 7946 0958 x12")]),
        ("between 2019-2024 and 10/23/1951", []),
        ("Yesterday Frau Dr. Ostwald called", [("PERSON", "Ostwald")]),
        ("I spoke with Oluwaseun Adeyemi about it", [("PERSON", "Oluwaseun Adeyemi")]),
        ("Deliver to Hauptstraße 12 by noon", [("ADDRESS", "Hauptstraße 12")]),
        ("He lives at 24 Clarke Avenue", [("ADDRESS", "24 Clarke Avenue")]),
        ("On Monday the White House in May was grey", []),
    ],
)
def test_spans_are_found_where_they_are(text: str, expected: list[tuple[str, str]]) -> None:
    assert _found(text) == expected


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_ordered_spans_inside_it(text: str) -> None:
    spans = find_spans(text)
    ends = [0, *(span.end for span in spans)]
    assert all(before <= span.start < span.end <= len(text) for before, span in zip(ends, spans, strict=False))


@pytest.mark.parametrize(
    "text", ["1 " * 5000, "A " * 5000, "Aa " * 4000, "(" * 5000, "1-" * 5000, "a@" * 5000, "Rue de " * 1500, ":" * 5000]
)
def test_hostile_texts_take_no_long_time(text: str) -> None:
    import time

    began = time.process_time()
    find_spans(text)
    assert time.process_time() - began < 3
