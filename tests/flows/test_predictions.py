"""What reviewers decided is told apart from what happened."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from skiff.flows.predictions import name_deciders, set_aside_decisions
from skiff.store.reviews import NewReview, Wanted
from skiff.store.workspace import Workspace


def test_decisions_about_referred_rows_do_not_count_as_delivered_quality(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "outcome": ["yes", "no", "yes", None, "no"],
            "is_control": [False, False, True, False, False],
        }
    )
    with Workspace.open(tmp_path / "w", create=True) as workspace:
        workspace.reviews.add(
            [
                NewReview(source="log", item=item, reason="abstention", rule="unsure", rank=place, release=1)
                for place, item in enumerate("abc")
            ]
        )
        for answer in ("yes", "yes", "yes"):
            held = workspace.reviews.claim("ana", Wanted(), hold_s=60.0, seen="never")
            assert held is not None
            workspace.reviews.answer_final(held.id, "ana", answer)
        assert name_deciders(workspace, rows).to_list() == ["ana", None, "ana", None, None], "what happened to b was no"
        left, n_decided = set_aside_decisions(workspace, rows)
    assert n_decided == 1, "c was drawn at random"
    assert left["outcome"].to_list() == [None, "no", "yes", None, "no"]
