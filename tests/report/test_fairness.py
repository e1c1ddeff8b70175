"""Protected groups in the report: counted, explained, and never called fair or unfair."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.report.stories import STORIES

from skiff.core.measurement import Measurement
from skiff.evaluate.results import Fairness, GroupRates, Proxy, Tradeoff
from skiff.report.content import RunStory
from skiff.report.fairness import describe_fairness
from skiff.report.html import render_report
from skiff.report.pdf import render_pdf
from skiff.report.run_json import build_result


def rate(name: str, value: float) -> Measurement:
    return Measurement(name=name, value=value, low=value - 0.02, high=value + 0.02, n=300, unit="rate")


def tell() -> RunStory:
    story = STORIES["bookings"]()
    assert story.evaluation is not None
    whole = {"base_rate": 0.1, "selection_rate": 0.2, "recall": 0.7, "false_positive_rate": 0.05, "precision": 0.6}
    fairness = Fairness(
        groups=(
            GroupRates(column="sex", level="f", n=300, rates={name: rate(name, value) for name, value in whole.items()}),
            GroupRates(
                column="sex", level="m", n=300, rates={name: rate(name, value * 1.3) for name, value in whole.items()}
            ),
            GroupRates(column="sex", level="<x>", n=12),
        ),
        ratios={"sex": rate("selection_ratio", 0.77)},
        tradeoffs=(
            Tradeoff(
                column="sex", levels=("f", "m"), base_rates=(0.1, 0.13), recall=0.8, precision=0.7, false_positive_rates=(0.04, 0.06)
            ),
        ),
        proxies=(Proxy(column="sex", by="title", strength=rate("cramers_v", 0.9)),),
    )  # fmt: skip
    return replace(story, evaluation=replace(story.evaluation, fairness=fairness))


def test_the_report_shows_each_group_with_its_ranges() -> None:
    page = render_report(tell())
    part = page[page.index("Groups it was judged by") :]
    part = part[: part.index("</table>")]
    assert part.count("<tr>") == 4
    assert "&lt;x&gt;" in part
    assert "<x>" not in part
    assert "too few rows" in part
    assert "0.180 to 0.220" in part
    assert render_pdf(page).startswith(b"%PDF")


def test_what_cannot_be_equal_and_what_gives_a_group_away_is_said() -> None:
    ratio, tradeoff, proxy = describe_fairness(tell())
    assert "2 of 10 where it is “f” and 26 of 100 where it is “m”: 0.770 times as often (0.750 to 0.790)" in ratio
    assert "would have to be 4 of 100 and 6 of 100" in tradeoff
    assert "“title” (0.900, 0.880 to 0.920, n=300)" in proxy
    assert not re.search(r"\b(fair|unfair|discriminat\w+|biased|compliant)\b", f"{ratio} {tradeoff} {proxy}")


def test_rates_that_no_model_can_have_are_not_called_all() -> None:
    story = tell()
    assert story.evaluation is not None
    assert story.evaluation.fairness is not None
    (tradeoff,) = story.evaluation.fairness.tradeoffs
    fairness = replace(story.evaluation.fairness, tradeoffs=(replace(tradeoff, false_positive_rates=(0.3, 7.9)),))
    told = describe_fairness(replace(story, evaluation=replace(story.evaluation, fairness=fairness)))
    assert "would have to be 3 of 10 and more than all" in told[1]


def test_programs_get_the_same_numbers() -> None:
    found = build_result(tell())["fairness"]
    assert isinstance(found, dict)
    assert found["groups"][0]["rates"]["recall"]["value"] == 0.7  # type: ignore[index,call-overload]
    assert found["groups"][2]["rates"] == {}  # type: ignore[index,call-overload]
    assert found["proxies"][0]["by"] == "title"  # type: ignore[index,call-overload]
    assert build_result(STORIES["bookings"]())["fairness"] is None


def test_nothing_is_said_where_nothing_is_protected() -> None:
    assert "Groups it was judged by" not in render_report(STORIES["bookings"]())


def test_protected_groups_of_amounts_are_told_as_too_high_or_too_low() -> None:
    story = STORIES["flats"]()
    assert story.evaluation is not None
    high = Measurement(name="mean_error", value=96.5, low=72.6, high=120.4, n=474)
    even = Measurement(name="mean_error", value=-7.1, low=-17.0, high=2.8, n=5156)
    fairness = Fairness(
        groups=(
            GroupRates(column="ethnicity", level="afam", n=474, rates={"mean_error": high}),
            GroupRates(column="ethnicity", level="cauc", n=5156, rates={"mean_error": even}),
        )
    )
    story = replace(story, evaluation=replace(story.evaluation, fairness=fairness))
    (told,) = describe_fairness(story)
    assert told.startswith("Where “ethnicity” is “afam”, it predicts 96.5 ")
    assert "too high on average (73 to 120; 474 rows)." in told
    page = render_report(story)
    assert "true share" not in page
    assert "range in which the true mean lies" in page
