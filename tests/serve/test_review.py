"""Rows under review over HTTP: held, answered once, kept as outcomes; nothing tells a planted row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from skiff.flows.planting import plant
from skiff.flows.predictions import open_predictions
from skiff.store.keys import KeyRing
from skiff.store.workspace import Workspace

from .conftest import ROW, Served

UNSURE = {"lead_days": 0.0, "price": 50.0, "channel": "web"}
"""A row between 0.3 and 0.6, where the model asks for a person."""


def next_row(served: Served, reviewer: str = "ada") -> dict[str, Any] | None:
    status, body, _ = served.ask("GET", f"/review/next?reviewer={reviewer}")
    assert status == 200, body
    found: dict[str, Any] | None = body["row"]
    return found


def post(served: Served, id_: str, **body: object) -> tuple[int, Any]:
    status, answer, _ = served.ask("POST", f"/review/{id_}", {"reviewer": "ada", **body})
    return status, answer


def find_unsure(served: Served) -> dict[str, Any]:
    """Return a row that the model of the tests sends to a person."""
    for lead in range(0, 200, 5):
        row = {**UNSURE, "lead_days": float(lead)}
        if served.predict([row])[1]["predictions"][0].get("decision") == "review":
            return row
    pytest.fail("the model is sure of everything")


def test_a_row_is_answered_first_then_finally_and_becomes_an_outcome(served: Served) -> None:
    row = find_unsure(served)
    shown = next_row(served)
    assert shown is not None
    assert shown["cells"] == row
    assert (shown["suggestion"], shown["first"], shown["answers"]) == (None, None, ["no", "yes"])
    assert "not sure" in shown["reason"]
    assert next_row(served) == shown
    assert next_row(served, "bob") is None
    id_ = shown["id"]
    assert post(served, id_, final="yes")[1]["error"]["code"] == "review_not_first"
    assert post(served, id_, first="maybe")[0] == 422
    status, told = post(served, id_, first="yes")
    assert status == 200
    suggestion = told["row"]["suggestion"]
    assert suggestion["answer"] in {"no", "yes"}
    assert 0.3 <= suggestion["chance"] <= 0.7
    assert post(served, id_, first="no")[1]["error"]["code"] == "review_answered"
    assert post(served, id_, final="yes", why="they rang") == (
        200,
        {"kept": {"id": id_, "final": "yes", "first": "yes"}},
    )
    assert post(served, id_, final="yes")[0] == 200
    assert next_row(served) is None
    with Workspace.open(served.folder) as workspace, open_predictions(workspace) as reader:
        known = reader.read_window().filter(pl.col("outcome").is_not_null())
    assert known["outcome"].to_list() == ["yes"]
    assert served.ask("GET", "/review/status")[1] == {"waiting": 0, "being_decided": 0, "decided": 1, "by_reason": {}}


def test_what_really_happened_is_not_overwritten_by_a_review(served: Served) -> None:
    row = find_unsure(served)
    [answer] = served.predict([row])[1]["predictions"]
    shown = [next_row(served), next_row(served, "bob")]
    ids = [item["id"] for item in shown if item]
    assert served.ask("POST", "/outcomes", {"outcomes": [{"id": answer["id"], "value": "no"}]})[1]["new"] == 1
    for reviewer, id_ in zip(("ada", "bob"), ids, strict=False):
        post(served, id_, reviewer=reviewer, first="yes")
        assert post(served, id_, reviewer=reviewer, final="yes")[0] == 200
    with Workspace.open(served.folder) as workspace, open_predictions(workspace) as reader:
        outcomes = dict(reader.read_window().select("id", "outcome").iter_rows())
    assert outcomes[answer["id"]] == "no"


def test_a_planted_row_cannot_be_told_from_the_others(served: Served, tmp_path: Path) -> None:
    (served.folder / "skiff.toml").write_text("[review]\nplanted_share = 1.0\nwrong_advice_share = 1.0\n")
    table = tmp_path / "known.csv"
    row = find_unsure(served)
    lines = [f"{row['lead_days']},{row['price']},{row['channel']},{'yes' if n % 2 else 'no'}" for n in range(6)]
    table.write_text("lead_days,price,channel,cancelled\n" + "\n".join(lines) + "\n")
    planted = plant(served.folder, table)
    assert (planted.rows, planted.wrong) == (6, 6)
    shown = next_row(served)
    assert shown is not None
    assert set(shown) == {"id", "reason", "rule", "cells", "answers", "key", "first", "suggestion"}
    assert "plant" not in json.dumps(shown)
    told = post(served, shown["id"], first="yes")[1]["row"]
    assert set(told["suggestion"]) == {"answer", "chance", "low", "high", "given", "line", "reasons"}
    kept = post(served, shown["id"], final="yes")[1]
    assert set(kept["kept"]) == {"id", "final", "first"}
    with Workspace.open(served.folder) as workspace:
        [record] = workspace.reviews.list(state="done")
    assert record.source == "planted"
    assert json.loads(record.truth or "")["answer"] != json.loads(record.advice or "")["answer"]


def test_skipping_gives_the_row_back(served: Served) -> None:
    find_unsure(served)
    shown = next_row(served)
    assert shown is not None
    assert post(served, shown["id"], skip=True) == (200, {"skipped": True})
    other = next_row(served, "bob")
    assert other is not None
    assert other["id"] == shown["id"]
    assert post(served, shown["id"], first="yes")[1]["error"]["code"] == "review_not_held"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/review/next", None, 422),
        ("GET", "/review/next?reviewer=", None, 422),
        ("GET", "/review/next?reviewer=%00", None, 422),
        ("GET", "/review/next?reviewer=%ff", None, 422),
        ("GET", "/review/next?reviewer=a&reviewer=b", None, 422),
        ("GET", "/review/next?reviewer=" + "a" * 129, None, 422),
        ("POST", "/review/next", {"reviewer": "ada", "first": "yes"}, 405),
        ("GET", "/review/0123456789abcdef", None, 405),
        ("POST", "/review/0123456789abcdef", {"reviewer": "ada", "first": "yes"}, 404),
        ("POST", "/review/0123456789abcdef", {"reviewer": "ada"}, 422),
        ("POST", "/review/0123456789abcdef", {"reviewer": "ada", "first": "yes", "final": "yes"}, 422),
        ("POST", "/review/0123456789abcdef", {"reviewer": "ada", "first": "yes", "why": "x"}, 422),
        ("POST", "/review/0123456789abcdef", {"reviewer": "ada", "first": "yes", "more": 1}, 422),
        ("POST", "/review/0123456789abcdef", b"{", 400),
        ("POST", "/review/0123456789abcdef", b'{"reviewer":"ada","first":"yes","first":"no"}', 400),
        ("POST", "/review/zz", {"reviewer": "ada", "first": "yes"}, 404),
        ("POST", "/review/0123456789abcdef/x", {"reviewer": "ada", "first": "yes"}, 404),
    ],
)  # fmt: skip
def test_odd_requests_are_refused_in_four_parts(
    shared: Served, method: str, path: str, body: object, status: int
) -> None:
    found, answer, _ = shared.ask(method, path, body)
    assert found == status, answer
    assert {"code", "what", "where", "fix"} == set(answer["error"])


def test_a_page_of_another_host_may_not_hold_rows(shared: Served) -> None:
    status, answer, _ = shared.ask("GET", "/review/next?reviewer=ada", headers={"Sec-Fetch-Site": "cross-site"})
    assert (status, answer["error"]["code"]) == (403, "host_not_allowed")


def test_reviewing_needs_a_key_of_its_own(launch: Callable[..., Served], folder: Path) -> None:
    ring = KeyRing(folder / ".skiff")
    _, predict = ring.create(name="shop", scopes=["predict"], now_s=0)
    _, review = ring.create(name="ada", scopes=["review"], now_s=0)
    served = launch()
    assert served.ask("GET", "/review/status")[0] == 401
    assert served.ask("GET", "/review/status", headers={"Authorization": f"Bearer {predict}"})[0] == 403
    assert served.ask("GET", "/review/status", headers={"Authorization": f"Bearer {review}"})[0] == 200
    assert served.ask("POST", "/predict", {"rows": [ROW]}, headers={"Authorization": f"Bearer {review}"})[0] == 403


def test_a_stopped_server_leaves_the_queue_whole(served: Served) -> None:
    find_unsure(served)
    shown = next_row(served)
    assert shown is not None
    post(served, shown["id"], first="no")
    served.stop()
    with Workspace.open(served.folder) as workspace:
        assert workspace.verify().problems == ()
