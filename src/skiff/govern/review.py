"""People who decide beside the model: how far they rely on what it suggests.

Some rows are planted: their answer is known, and the suggestion shown for some of them is wrong on purpose, so that it can be
measured who weighs a suggestion and who only signs it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from scipy.special import bdtr

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import find_wilson_interval
from skiff.govern.stamping import Alarm, find_alarm

Seen: TypeAlias = Literal["after", "first", "never"]
"""When the suggestion was shown: after a first answer, together with the row, or not at all."""

LEAST_CASES = 5
"""Cases from which a rate is told. Below, its 95 % range is wider than four tenths of the scale whatever was counted (Wilson):
a convention of ours."""

LONGEST_S = 600.0
"""A row that took longer was left for something else; such times are counted and left out. A convention of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One row that a person decided.

    Parameters
    ----------
    reviewer : str
    final : str
        The answer that counts: a label, or a number as text.
    first : str or None
        The answer given before the suggestion was seen.
    advice : str or None
        The suggestion.
    seen : {"after", "first", "never"}
    truth : str or None
        The known answer of a planted row.
    margin : float or None
        For numbers: how far from the truth still counts as right. None for labels, which are right or wrong.
    seconds : float or None
        From showing the row to the first answer.
    words : int
        Words that the row has to be read.
    """

    reviewer: str
    final: str
    first: str | None = None
    advice: str | None = None
    seen: Seen = "after"
    truth: str | None = None
    margin: float | None = None
    seconds: float | None = None
    words: int = 0

    @property
    def is_advice_right(self) -> bool | None:
        """Return whether the suggestion was right; None where nobody knows."""
        if self.truth is None or self.advice is None:
            return None
        return is_same(self.advice, self.truth, self.margin)

    @property
    def follows(self) -> bool:
        """Return whether the final answer is the suggestion rather than something else."""
        return self.advice is not None and self.is_with_advice(self.final)

    def is_with_advice(self, answer: str) -> bool:
        """Return whether an answer agrees with the suggestion; a number where it is nearer to it than to a truth far from it."""
        if self.advice is None:
            return False
        if self.margin is None or self.truth is None or is_same(self.advice, self.truth, self.margin):
            return is_same(answer, self.advice, self.margin)
        return abs(float(answer) - float(self.advice)) < abs(float(answer) - float(self.truth))

    @property
    def may_yield(self) -> bool:
        """Return whether the person saw a wrong suggestion and had not come to it alone: the case that tells weighing from signing."""
        if self.is_advice_right is not False or self.seen == "never":
            return False
        return self.first is None or not self.is_with_advice(self.first)


def is_same(one: str, other: str, margin: float | None) -> bool:
    """Return whether two answers are the same: labels by letter, numbers within `margin`.

    Examples
    --------
    >>> is_same("yes", "yes", None), is_same("10.5", "11", 1.0), is_same("10.5", "15", 1.0)
    (True, True, False)
    """
    return one == other if margin is None else abs(float(one) - float(other)) <= margin


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerReport:
    """How one person, or all together, dealt with rows and suggestions. A rate is None where it rests on too few cases.

    Parameters
    ----------
    reviewer : str
        Empty for all together.
    n_rows, n_planted : int
    agreement : Measurement or None
        Final answers that are the suggestion, over all rows on which there was one.
    agreement_right, agreement_wrong : Measurement or None
        The same on planted rows whose suggestion was right, and wrong.
    over_reliance : Measurement or None
        Of wrong suggestions that were seen by somebody who had the right answer, or had not answered yet: those followed.
    under_reliance : Measurement or None
        Of right suggestions that were seen by somebody who had a wrong answer, or had not answered yet: those overridden.
    switched : Measurement or None
        Of suggestions unlike the first answer: those taken over.
    weight_of_advice : Measurement or None
        For numbers: how far the final answer moved from the first towards the suggestion, 0 to 1.
    accuracy_first, accuracy_final, accuracy_advice : Measurement or None
        On planted rows: before the suggestion was seen, after, and of the suggestion itself as it was shown.
    median_s : Measurement or None
    n_breaks : int
        Times above `LONGEST_S`, left out.
    overrides : int
        Rows decided against a suggestion that was seen.
    alarm : Alarm
    """

    reviewer: str
    n_rows: int
    n_planted: int
    agreement: Measurement | None
    agreement_right: Measurement | None
    agreement_wrong: Measurement | None
    over_reliance: Measurement | None
    under_reliance: Measurement | None
    switched: Measurement | None
    weight_of_advice: Measurement | None
    accuracy_first: Measurement | None
    accuracy_final: Measurement | None
    accuracy_advice: Measurement | None
    median_s: Measurement | None
    n_breaks: int
    overrides: int
    alarm: Alarm


def measure_reviewers(rows: Sequence[Reviewed]) -> tuple[ReviewerReport, ...]:
    """Return a report for each person, in the order of their names; see `measure_reviewer`."""
    names = sorted({row.reviewer for row in rows})
    return tuple(measure_reviewer([row for row in rows if row.reviewer == name], reviewer=name) for name in names)


def measure_reviewer(rows: Sequence[Reviewed], *, reviewer: str = "") -> ReviewerReport:
    """Measure how rows were decided, in the order in which they were.

    Parameters
    ----------
    rows : sequence of Reviewed
    reviewer : str
        Name for the report.

    Notes
    -----
    Whether a suggestion was right is known for planted rows alone; nothing is said about the others. Following a wrong suggestion
    is an error of commission [1]_. Where a first answer was given before the suggestion was seen, over-reliance is one less the
    relative self-reliance and under-reliance one less the relative AI reliance of [2]_; where none was, they are the shares of
    wrong suggestions followed and of right ones overridden. The switch fraction is that of [3]_, the weight of advice that of [4]_,
    cut to 0 to 1. Intervals are Wilson's; rows of one person are taken as independent of each other.

    References
    ----------
    .. [1] R. Parasuraman, D. H. Manzey (2010). Complacency and bias in human use of automation: an attentional integration.
       Human Factors 52(3), 381-410. doi:10.1177/0018720810376055
    .. [2] M. Schemmer, N. Kuehl, C. Benz, A. Bartos, G. Satzger (2023). Appropriate reliance on AI advice: conceptualization and
       the effect of explanations. IUI '23, 410-422, section 3. doi:10.1145/3581641.3584066
    .. [3] M. Yin, J. W. Vaughan, H. Wallach (2019). Understanding the effect of accuracy on trust in machine learning models.
       CHI '19, section 3. doi:10.1145/3290605.3300509
    .. [4] I. Yaniv (2004). Receiving other people's advice: influence and benefit. Organizational Behavior and Human Decision
       Processes 93(1), 1-13. doi:10.1016/j.obhdp.2003.08.002

    Examples
    --------
    >>> rows = [Reviewed(reviewer="ada", first="no", final="yes", advice="yes", truth="no")] * 6
    >>> found = measure_reviewer(rows, reviewer="ada")
    >>> found.over_reliance.value, found.over_reliance.n, found.under_reliance is None
    (1.0, 6, True)
    """
    planted = [row for row in rows if row.truth is not None]
    advised = [row for row in rows if row.advice is not None]
    right = [row for row in planted if row.is_advice_right is True]
    wrong = [row for row in planted if row.is_advice_right is False]
    seen_right = [
        row for row in right if row.seen != "never" and (row.first is None or not row.is_with_advice(row.first))
    ]
    seen_wrong = [row for row in wrong if row.seen != "never" and (row.first is None or _is_true(row, row.first))]
    torn = [
        row for row in advised if row.seen == "after" and row.first is not None and not row.is_with_advice(row.first)
    ]
    timed = [row.seconds for row in rows if row.seconds is not None]
    return ReviewerReport(
        reviewer=reviewer,
        n_rows=len(rows),
        n_planted=len(planted),
        agreement=_rate("agreement", advised, lambda row: row.follows),
        agreement_right=_rate("agreement_when_right", right, lambda row: row.follows),
        agreement_wrong=_rate("agreement_when_wrong", wrong, lambda row: row.follows),
        over_reliance=_rate("over_reliance", seen_wrong, lambda row: row.follows),
        under_reliance=_rate("under_reliance", seen_right, lambda row: not row.follows),
        switched=_rate("switch_fraction", torn, lambda row: row.follows),
        weight_of_advice=_measure_weight(rows),
        accuracy_first=_rate(
            "accuracy_first",
            [row for row in planted if row.first is not None],
            lambda row: row.first is not None and _is_true(row, row.first),
        ),
        accuracy_final=_rate("accuracy_final", planted, lambda row: _is_true(row, row.final)),
        accuracy_advice=_rate("accuracy_advice", [*right, *wrong], lambda row: row.is_advice_right is True),
        median_s=measure_median([value for value in timed if value <= LONGEST_S]),
        n_breaks=sum(value > LONGEST_S for value in timed),
        overrides=sum(not row.follows for row in advised if row.seen != "never"),
        alarm=find_alarm(
            [row.follows for row in rows if row.may_yield],
            [(row.seconds, row.words) for row in rows if row.seconds is not None],
        ),
    )


def measure_median(values: Sequence[float], *, name: str = "median_s", unit: str = "s") -> Measurement | None:
    """Return the median with its exact interval from order statistics; None for too few values.

    References
    ----------
    H. A. David, H. N. Nagaraja (2003). Order Statistics, 3rd ed., section 7.1. doi:10.1002/0471722162

    Examples
    --------
    >>> found = measure_median([4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 30.0])
    >>> found.value, found.low, found.high
    (7.0, 4.0, 30.0)
    """
    if len(values) < LEAST_CASES:
        return None
    ordered = sorted(values)
    n = len(ordered)
    # The largest r for which fewer than r of n fall below the median at most once in 40.
    rank = next((r for r in range(n // 2, 0, -1) if bdtr(r - 1, n, 0.5) <= 0.025), 0)  # noqa: PLR2004  half of 5 %
    return Measurement(
        name=name,
        value=float(statistics.median(ordered)),
        low=ordered[rank - 1] if rank else None,
        high=ordered[n - rank] if rank else None,
        n=n,
        unit=unit,
        method="order statistics, David and Nagaraja 2003" if rank else "too few for a range",
    )


def count_words(cells: Mapping[str, Any]) -> int:  # Any: cells as JSON has them
    """Return how many words a row holds; a missing cell has none.

    Examples
    --------
    >>> count_words({"nights": 2, "note": "late arrival please", "city": None})
    4
    """
    return sum(max(1, len(str(cell).split())) for cell in cells.values() if cell is not None and cell != "")


def _is_true(row: Reviewed, answer: str) -> bool:
    return row.truth is not None and is_same(answer, row.truth, row.margin)


def _rate(name: str, rows: Sequence[Reviewed], is_hit: Callable[[Reviewed], bool]) -> Measurement | None:
    n = len(rows)
    if n < LEAST_CASES:
        return None
    hits = sum(map(is_hit, rows))
    low, high = find_wilson_interval(hits, n)
    return Measurement(name=name, value=hits / n, low=low, high=high, n=n, unit="rate", method="Wilson 1927")


def _measure_weight(rows: Sequence[Reviewed]) -> Measurement | None:
    """Return the mean weight of advice, with a normal interval of the mean."""
    found = []
    for row in rows:
        if row.margin is None or row.first is None or row.advice is None or row.seen != "after":
            continue
        way = float(row.advice) - float(row.first)
        if way:
            found.append(min(1.0, max(0.0, (float(row.final) - float(row.first)) / way)))
    n = len(found)
    if n < LEAST_CASES:
        return None
    mean, half = statistics.fmean(found), 1.96 * statistics.stdev(found) / math.sqrt(n)
    return Measurement(
        name="weight_of_advice",
        value=mean,
        low=max(0.0, mean - half),
        high=min(1.0, mean + half),
        n=n,
        unit="rate",
        method="Yaniv 2004; normal interval of the mean",
    )
