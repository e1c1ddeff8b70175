"""Where the model is wrong, in sentences: mix-ups, groups where it does worse, probabilities that mean something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.evaluate.results import CalibrationBin, Confusion, Slice
from skiff.report.content import RunStory
from skiff.report.glossary import describe_metric, quote
from skiff.report.numbers import (
    count_of,
    describe_share,
    describe_share_range,
    format_amount,
    format_range,
    format_score,
)
from skiff.report.words import name_cases

MAX_NAMED = 8
"""Groups that a sentence names before it counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixUp:
    """One kind of mistake: rows of class `truth` that were called `said`."""

    truth: str
    said: str
    rows: int
    of_rows: int


def find_mix_ups(confusion: Confusion, *, limit: int = 10) -> tuple[MixUp, ...]:
    """Return the most frequent mistakes, most frequent first.

    Examples
    --------
    >>> table = Confusion(labels=("cat", "dog"), counts=((8, 2), (1, 9)))
    >>> [(item.truth, item.said, item.rows, item.of_rows) for item in find_mix_ups(table)]
    [('cat', 'dog', 2, 10), ('dog', 'cat', 1, 10)]
    """
    found = [
        MixUp(truth=truth, said=said, rows=count, of_rows=sum(row))
        for truth, row in zip(confusion.labels, confusion.counts, strict=True)
        for said, count in zip(confusion.labels, row, strict=True)
        if said != truth and count > 0
    ]
    return tuple(sorted(found, key=lambda item: (-item.rows, item.truth, item.said))[:limit])


def describe_confusion(story: RunStory, confusion: Confusion) -> tuple[str, ...]:
    """Return the confusion table in words."""
    if story.task.kind == "binary" and len(confusion.labels) == 2:  # noqa: PLR2004  yes and no
        return _describe_warnings(story, confusion)
    worst = find_mix_ups(confusion, limit=3)
    if not worst:
        return ("Not one row kept aside was mixed up.",)
    first = worst[0]
    sentence = (
        f"The most frequent mix-up: {quote(first.truth)} taken for {quote(first.said)}, "
        f"{first.rows:,} of the {count_of(first.of_rows, 'row')} that really are {quote(first.truth)}."
    )
    return (sentence,)


def _describe_warnings(story: RunStory, confusion: Confusion) -> tuple[str, ...]:
    yes = confusion.labels.index(story.task.positive) if story.task.positive in confusion.labels else 1
    no = 1 - yes
    caught, missed = confusion.counts[yes][yes], confusion.counts[yes][no]
    alarms, quiet = confusion.counts[no][yes], confusion.counts[no][no]
    return (
        f"Of {caught + missed:,} {name_cases(story)}, it caught {caught:,} and missed {missed:,}.",
        f"Of {count_of(caught + alarms, 'warning')}, {caught:,} were right and {alarms:,} were false alarms.",
        f"It rightly stayed quiet {quiet:,} times.",
    )


def describe_slice(item: Slice) -> str:
    """Return what is known about one group.

    Examples
    --------
    >>> describe_slice(Slice(column="city", level="Graz", n=12, metric=None, gap=None, is_too_small=True))
    '“city”: “Graz” has 12 rows here: too few to say.'
    """
    name = f"{quote(item.column)}: {quote(item.level)}"
    if item.is_too_small or item.metric is None or item.gap is None:
        return f"{name} has {count_of(item.n, 'row')} here: too few to say."
    label = describe_metric(item.metric.name).label
    return (
        f"{name}: {label} {_show(item.metric)}, {_show_gap(item.gap)} than for all others "
        f"({format_gap_range(item.gap)}; {count_of(item.n, 'row')})."
    )


def describe_slices(slices: tuple[Slice, ...], *, protected: Sequence[str] = ()) -> str:
    """Return what was found over all groups: how many were compared, are worse, or could not be judged.

    Parameters
    ----------
    slices : tuple of Slice
        Every group that was looked at (`Evaluation.every_slice`), not only those that are shown.
    protected : sequence of str
        Columns whose groups are named where they are too small.

    Examples
    --------
    >>> few = Slice(column="origin", level="abroad", n=12, metric=None, gap=None, is_too_small=True)
    >>> many = Slice(column="shop", level="north", n=90, metric=None, gap=None, is_worse=True)
    >>> describe_slices((many, few), protected=("origin",))
    'Of 1 group compared, it does clearly worse for 1: rows where “shop” is “north”. 1 group was too small to say anything; of those to be protected: “origin”: “abroad” (12 rows).'
    """
    worse = [item for item in slices if item.is_worse]
    small = [item for item in slices if item.is_too_small]
    if not slices:
        return "No groups were compared."
    verb = "was" if len(small) == 1 else "were"
    named = _name_small([item for item in small if item.column in protected])
    if len(small) == len(slices):
        some = "The one group there is was" if len(small) == 1 else f"All {count_of(len(small), 'group')} were"
        return f"{some} too small to compare{named}."
    tail = f" {count_of(len(small), 'group')} {verb} too small to say anything{named}." if small else ""
    compared = count_of(len(slices) - len(small), "group")
    if not worse:
        return f"Among the {compared} compared, none is clearly worse off.{tail}"
    first = f"{', worst for ' if len(worse) > 1 else ': '}{worst_slice_name(worse[0])}"
    return f"Of {compared} compared, it does clearly worse for {len(worse):,}{first}.{tail}"


def _name_small(protected: Sequence[Slice]) -> str:
    if not protected:
        return ""
    names = ", ".join(
        f"{quote(item.column)}: {quote(item.level)} ({count_of(item.n, 'row')})" for item in protected[:MAX_NAMED]
    )
    more = f" and {len(protected) - MAX_NAMED} more" if len(protected) > MAX_NAMED else ""
    return f"; of those to be protected: {names}{more}"


def count_groups(slices: Sequence[Slice], *, shown: int) -> str:
    """Return what a list of groups holds, where it does not hold them all.

    Examples
    --------
    >>> count_groups([Slice(column="age", level="", n=9, metric=None, gap=None)] * 54, shown=15)
    '15 of 54 groups, the worst first'
    """
    n = len(slices)
    return f"Every group compared ({n:,})" if shown >= n else f"{shown:,} of {count_of(n, 'group')}, the worst first"


def worst_slice_name(item: Slice) -> str:
    """Return the group as it stands in a sentence.

    Examples
    --------
    >>> worst_slice_name(Slice(column="city", level="Graz", n=40, metric=None, gap=None))
    'rows where “city” is “Graz”'
    """
    return f"rows where {quote(item.column)} is {quote(item.level)}"


def format_gap_range(gap: Measurement) -> str:
    """Return the interval of a difference, with signs.

    Examples
    --------
    >>> format_gap_range(Measurement(name="gap", value=-0.1, low=-0.15, high=-0.05))
    '−0.150 to −0.050'
    """
    if gap.low is None or gap.high is None:
        return "no range known"
    return f"{format_signed(gap.low)} to {format_signed(gap.high)}"


def format_signed(value: float) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> format_signed(0.031), format_signed(-0.2)
    ('+0.031', '−0.200')
    """
    return f"+{format_score(value)}" if value > 0 else format_score(value)


def _show(metric: Measurement) -> str:
    return format_amount(metric.value, metric.unit) if metric.unit else format_score(metric.value)


def _show_gap(gap: Measurement) -> str:
    size = format_amount(abs(gap.value), gap.unit) if gap.unit else format_score(abs(gap.value))
    return f"{size} {'higher' if gap.value > 0 else 'lower'}"


def describe_calibration(bins: tuple[CalibrationBin, ...], cases: str = "it") -> tuple[str, ...]:
    """Return whether the stated probabilities can be taken at their word, with the worst exception."""
    if not bins:
        return ()
    off = [item for item in bins if not item.low <= item.predicted <= item.high]
    if not off:
        middle = min(bins, key=lambda item: abs(item.predicted - 0.5))
        sentence = (
            f"The probabilities can be taken at their word: where it said {describe_share(middle.predicted)}, "
            f"{cases} happened {describe_share(middle.observed)} times "
            f"({describe_share_range(middle.low, middle.high)}; {count_of(middle.n, 'row')})."
        )
        return (sentence,)
    worst = max(off, key=lambda item: abs(item.predicted - item.observed))
    direction = "too high" if worst.predicted > worst.observed else "too low"
    sentence = (
        f"In {len(off)} of {len(bins)} bands the probabilities are off. Worst: where it said "
        f"{describe_share(worst.predicted)}, {cases} happened {describe_share(worst.observed)} times "
        f"({describe_share_range(worst.low, worst.high)}; {count_of(worst.n, 'row')}): {direction}."
    )
    return (sentence,)


def describe_residuals(story: RunStory) -> tuple[str, ...]:
    """Return how far a number model's answers are off beside its typical error."""
    evaluation = story.evaluation
    if evaluation is None or story.task.kind != "regression" or story.task.quantile is not None:
        return ()
    rmse, mae = evaluation.metrics.get("rmse"), evaluation.metrics.get("mae")
    if rmse is None or mae is None:
        return ()
    unit = story.task.unit or rmse.unit
    reach = format_range(rmse.low, rmse.high, unit)
    sentence = (
        f"Counting large errors more heavily, it is off by {format_amount(rmse.value, unit)}"
        f"{f' ({reach})' if reach else ''}; the more this exceeds {format_amount(mae.value, unit)}, "
        "the more a few answers are far off."
    )
    return (sentence,)
