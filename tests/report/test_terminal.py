"""What a terminal shows of a run adds up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skiff.report.examples import build_example_story
from skiff.report.terminal import build_lines


@pytest.mark.parametrize(("n_members", "more"), [(4, ""), (5, " and 1 more"), (7, " and 3 more")])
def test_members_that_are_not_named_are_counted(n_members: int, more: str) -> None:
    story = build_example_story()
    assert story.model is not None
    members = tuple((f"model {number}", 1 / n_members) for number in range(n_members))
    lines = build_lines(replace(story, model=replace(story.model, members=members)), files={})
    [line] = [line for line in lines if "tried in" in str(line)]
    assert f"model 3 {1 / n_members:.0%}{more}; " in str(line)
