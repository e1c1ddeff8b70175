from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.report.stories import HOSTILE, bookings, flats, hostile

from skiff.core.task import Costs
from skiff.evaluate.results import Decision, Evaluation, Slice
from skiff.report.charts import (
    PAPER,
    Chart,
    build_calibration_chart,
    build_curve_chart,
    build_gain_chart,
    build_importance_chart,
    build_leak_chart,
    build_profit_chart,
    build_residuals_chart,
    build_slices_chart,
)
from skiff.report.svg import render_svg


def _judged(name: str) -> Callable[[], Chart | None]:
    story, evaluation = bookings(), bookings().evaluation
    assert evaluation is not None
    made: dict[str, Callable[[], Chart | None]] = {
        "importance": lambda: build_importance_chart(evaluation.importances),
        "slices": lambda: build_slices_chart(evaluation.slices),
        "calibration": lambda: build_calibration_chart(evaluation.calibration),
        "roc": lambda: build_curve_chart(evaluation),
        "precision_recall": lambda: build_curve_chart(
            replace(evaluation, headline="average_precision", precision_recall=((0.0, 1.0), (1.0, 0.3)))
        ),
        "leaks": lambda: build_leak_chart(story.left_out),
        "residuals": lambda: build_residuals_chart([(1.0, 1.1), (2.0, 1.7)]),
    }
    return made[name]


@pytest.mark.parametrize(
    "name", ["importance", "slices", "calibration", "roc", "precision_recall", "leaks", "residuals"]
)
def test_every_chart_draws_in_the_colours_of_the_page_and_says_what_to_see(name: str) -> None:
    chart = _judged(name)()
    assert chart is not None
    svg = render_svg(chart)
    assert len(chart.see) > 20
    assert chart.alt
    assert "var(--" in svg
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) <= {
        "none", "var(--ink)", "var(--muted)", "var(--line)", "var(--accent)", "var(--accent-soft)", "var(--bad)", "transparent",
    }  # fmt: skip
    assert "style=" not in svg
    assert "href" not in svg


def test_names_cannot_leave_their_label() -> None:
    evaluation = hostile().evaluation
    assert evaluation is not None
    svg = render_svg(build_importance_chart(evaluation.importances))
    assert HOSTILE not in svg
    assert "&lt;script&gt;" in svg
    assert "<img" not in svg


def test_columns_with_the_same_short_name_keep_their_own_bars() -> None:
    evaluation = bookings().evaluation
    assert evaluation is not None
    same = "the_same_very_long_beginning_" + "x" * 40 + "_and_the_same_end"
    chart = build_importance_chart(tuple(replace(item, column=same) for item in evaluation.importances[:4]))
    assert len({value["name"] for value in chart.spec["data"]["values"]}) == 4


def test_worse_groups_are_red_and_small_ones_are_not_drawn() -> None:
    evaluation = bookings().evaluation
    assert evaluation is not None
    chart = build_slices_chart(evaluation.slices)
    assert chart is not None
    values = chart.spec["data"]["values"]
    assert [value["worse"] for value in values] == [True, True, False, False, False, False, False]
    assert "Of the 7 groups drawn, 2 (red)" in chart.see


def test_only_small_groups_give_no_chart() -> None:
    assert build_slices_chart((Slice(column="a", level="b", n=3, metric=None, gap=None, is_too_small=True),)) is None


def test_no_scores_give_no_leak_chart() -> None:
    assert build_leak_chart(flats().left_out) is None


def test_lower_is_better_turns_the_bad_side_round() -> None:
    evaluation = flats().evaluation
    assert evaluation is not None
    chart = build_slices_chart(evaluation.slices)
    assert chart is not None
    assert "right of zero is worse" in chart.see


def test_paper_has_no_css_variables() -> None:
    evaluation = bookings().evaluation
    assert evaluation is not None
    assert "var(" not in render_svg(build_calibration_chart(evaluation.calibration, palette=PAPER))


def test_lift_is_told_of_the_numbers_that_are_printed() -> None:
    gain = ((0.0, 0.0), (0.102, 0.676), (0.5, 0.9), (1.0, 1.0))
    chart = build_gain_chart(Evaluation(headline="roc_auc", metrics={}, baselines=(), gain=gain))
    assert chart is not None
    assert "10 in 100 most probable rows hold 68 in 100 of the cases: 6.8 times" in chart.see


@pytest.mark.parametrize("build", [build_gain_chart, build_profit_chart])
def test_the_threshold_and_the_room_are_marked(build: Callable[[Evaluation], Chart | None]) -> None:
    points = ((0.0, 0.0), (0.1, 0.5), (0.5, 0.9), (1.0, 1.0))
    costs = Costs(capacity_per_week=50, rows_per_month=2000)
    decision = Decision(threshold=0.4, reason="", costs=costs, flagged=0.074)
    chart = build(
        Evaluation(headline="roc_auc", metrics={}, baselines=(), gain=points, profit=points, decision=decision)
    )
    assert chart is not None
    marked = [layer["encoding"]["x"].get("datum") for layer in chart.spec["layer"]]
    assert 0.074 in marked
    assert pytest.approx(50 * 52 / 12 / 2000) in marked
    assert "7.4 in 100 rows are flagged; the dashed one the 10.8 in 100 you can act on" in chart.see
    assert "<svg" in render_svg(chart)


def test_nothing_is_not_written_as_thousands_on_an_axis() -> None:
    drawn = render_svg(build_residuals_chart([(0.0, 100.0), (6000.0, 5000.0)]))
    assert ">0k<" not in drawn
    assert ">0<" in drawn
