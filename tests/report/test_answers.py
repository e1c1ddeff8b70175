"""The page on which a release answers, as far as it can be read without a browser."""

from __future__ import annotations

from skiff.report.answers import render_answer_page


def test_the_range_that_was_seen_is_not_rounded_inwards() -> None:
    inputs = [
        {"name": "longitude", "kind": "number", "low": -124.35, "high": -114.31},
        {"name": "rooms", "kind": "number", "low": 2.0, "high": 39320.0},
        {"name": "value", "kind": "number", "low": 0.25, "high": 12_345_678.0},
    ]
    manifest = {"task": {"kind": "regression", "target": "price"}, "classes": [], "outputs": [], "inputs": inputs}
    page = render_answer_page(manifest, b"model", title="homes")
    for hint in ("seen: \u2212124.35 to \u2212114.31", "seen: 2 to 39,320", "seen: 0.25 to 12,345,678"):
        assert hint in page or hint.encode("unicode_escape").decode() in page
