"""What a report cannot tell: limits that hold for every model, and those this run measured."""

from __future__ import annotations

from skiff.report.content import RunStory
from skiff.report.glossary import quote

FEW_ROWS = 500
"""Below this many rows kept aside, a share's 95 % range is wider than about ±4 of 100 (normal approximation at one half)."""


def describe_limits(story: RunStory) -> tuple[str, ...]:
    """Return the limits, those of this run first.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> describe_limits(build_example_story())[-1]
    'That a column matters to the model does not mean that changing it would change what happens.'
    """
    limits = list(story.evaluation.notes) if story.evaluation else []
    if story.evaluation and story.split.test_rows < FEW_ROWS:
        limits.append(
            f"Only {story.split.test_rows:,} rows judged it, so the ranges are wide. More rows would narrow them."
        )
    if story.split.kind in {"stratified", "random"}:
        limits.append(
            "The rows kept aside come from the same time and place as the others. If the world changes, the model will be worse than this."
        )
    elif story.split.kind == "time":
        limits.append(
            "It was judged on the latest rows there were. Nothing here says how it does when the world changes after that."
        )
    if story.task.protected:
        names = ", ".join(quote(name) for name in story.task.protected)
        limits.append(f"It was not given {names}, but other columns may say nearly the same; look at the groups above.")
    if story.evaluation:
        limits.append(
            "It knows only cases like those in this table. For others its answer may look just as sure and be wrong."
        )
        limits.append(
            "The checks look for known kinds of leaks. A column that nobody would have on the day of use can still be among those it was given."
        )
        limits.append("That a column matters to the model does not mean that changing it would change what happens.")
    else:
        limits.append("Nothing was measured, so nothing is claimed about how well a model would do.")
    return tuple(limits)
