"""How people decide beside the model, in plain words, and the page that says it."""

from __future__ import annotations

from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.data.sentences import say_figure, say_reach
from skiff.govern.review import LEAST_CASES, LONGEST_S, ReviewerReport
from skiff.govern.stamping import LEVEL, QUICK_BLOCK, YIELD_BLOCK, Alarm, StampTest
from skiff.report.sheet import Sheet, SheetList, SheetTable, render_sheet

TOO_FEW = "too few to say"
STATES = {"rings": "Signs without looking?", "quiet": "Quiet", "too_few": "Too few to say"}
TESTS = {"yields": "Takes over wrong suggestions", "speed": "Answers faster than reading"}
READING = (
    "Whether a suggestion was right is known only for planted rows: their answer is known, and some of their suggestions are wrong on purpose.",
    "Over-reliance: of wrong suggestions shown to somebody who had the right answer, or had not answered yet, those that were followed.",
    "Under-reliance: of right suggestions shown to somebody who had a wrong answer, or had not answered yet, those that were overridden.",
    "Switched: of suggestions unlike the first answer, those that were taken over, right or wrong.",
    f"Ranges hold the true share in 95 of 100 such counts (Wilson). Below {LEAST_CASES} rows no share is told.",
    f"Times above {LONGEST_S / 60:.0f} minutes are pauses and left out.",
)
LEVEL_NOTE = (
    f"The alarm goes off for an attentive person in at most {100 * LEVEL:.0f} of 100 blocks ({YIELD_BLOCK} wrong suggestions, "
    f"{QUICK_BLOCK} answers), however often one looks."
)
CLOSING = (
    "An alarm is a reason to talk with somebody, not a proof: haste, a bad screen and rows that nobody can decide look alike. "
    "Measuring people at work is itself subject to rules: tell them, and ask those who speak for them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """Rows of one reason: those that wait, and those that were decided."""

    reason: str
    waiting: int
    decided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStory:
    """What is known about the labels of a dataset.

    Parameters
    ----------
    dataset, sentence, hours : str
    points : tuple of (int, Measurement)
        Labels learned from, and the loss then.
    """

    dataset: str
    sentence: str
    hours: str
    points: tuple[tuple[int, Measurement], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStory:
    """What stands on the page.

    Parameters
    ----------
    title, created : str
    reviewers : tuple of ReviewerReport
    together : ReviewerReport
        All of them.
    counts : tuple of QueueCount
    planted_left : int
    labels : tuple of LabelStory
    evidence : str
        Id of the ledger's record.
    notes : tuple of str
        What limits the measurement.
    """

    title: str
    created: str
    reviewers: tuple[ReviewerReport, ...]
    together: ReviewerReport
    counts: tuple[QueueCount, ...] = ()
    planted_left: int = 0
    labels: tuple[LabelStory, ...] = ()
    evidence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[str, ...]:
        """Return who set off the alarm."""
        return tuple(report.reviewer for report in self.reviewers if report.alarm.state == "rings")


def say_share(found: Measurement | None) -> str:
    """Return a share with its range and what it was counted on.

    Examples
    --------
    >>> say_share(Measurement(name="x", value=0.25, low=0.1, high=0.49, n=16)), say_share(None)
    ('25 % (10 to 49 %, n 16)', 'too few to say')
    """
    if found is None or found.low is None or found.high is None:
        return TOO_FEW
    return f"{100 * found.value:.0f} % ({100 * found.low:.0f} to {100 * found.high:.0f} %, n {found.n:,})"


def say_seconds(found: Measurement | None) -> str:
    """Return a time with its range.

    Examples
    --------
    >>> say_seconds(Measurement(name="x", value=8.0, low=6.5, high=12.0, n=16))
    '8.0 s (6.5 to 12.0 s, n 16)'
    """
    if found is None:
        return TOO_FEW
    between = "no range" if found.low is None or found.high is None else f"{found.low:.1f} to {found.high:.1f} s"
    return f"{found.value:.1f} s ({between}, n {found.n:,})"


def say_alarm(alarm: Alarm) -> str:
    """Return what the alarm says of somebody, with the counts behind it."""
    rings = [test for test in alarm.tests if test.state == "rings"]
    if rings:
        return " ".join(_say_test(test) for test in rings)
    if alarm.state == "too_few":
        yields = alarm.tests[0]
        return f"Too few to say: {yields.n} of at least {yields.least} wrong suggestions unlike the first answer."
    return "Quiet."


def say_headline(story: ReviewStory) -> str:
    """Return the page in one sentence."""
    if not story.together.n_rows:
        return "Nobody has decided a row yet."
    if story.alarms:
        n = len(story.alarms)
        people = "reviewer" if len(story.reviewers) == 1 else "reviewers"
        return f"{n} of {len(story.reviewers)} {people} {'seems' if n == 1 else 'seem'} to sign without looking."
    if all(report.alarm.state == "too_few" for report in story.reviewers):
        return "Too few rows with known answers to say who weighs a suggestion."
    return "No reviewer set off the alarm for signing without looking."


def render_review(story: ReviewStory) -> str:
    """Return the page as HTML, without scripts or a network."""
    together = story.together
    sentences = [
        f"{together.n_rows:,} rows were decided, {together.n_planted:,} of them with an answer that was known beforehand.",
        f"Right suggestions were followed: {say_share(together.agreement_right)}.",
        f"Wrong suggestions were followed: {say_share(together.agreement_wrong)}.",
        LEVEL_NOTE,
        *story.notes,
    ]
    if story.evidence:
        sentences.append(f"Kept in the ledger as {story.evidence}.")
    sheet = Sheet(
        kind="Skiff review",
        title=story.title,
        headline=say_headline(story),
        status="Alarm" if story.alarms else "",
        is_good=not story.alarms,
        sentences=tuple(sentences),
        lists=(SheetList(title="How to read this", sentences=READING), *_list_labels(story)),
        tables=tuple(_list_tables(story)),
        closing=CLOSING,
        created=story.created,
    )
    return render_sheet(sheet)


def _list_labels(story: ReviewStory) -> tuple[SheetList, ...]:
    return tuple(
        SheetList(
            title=f"Labels of {item.dataset}", sentences=tuple(text for text in (item.sentence, item.hours) if text)
        )
        for item in story.labels
    )


def _list_tables(story: ReviewStory) -> list[SheetTable]:
    tables = [
        SheetTable(
            title="Right and wrong suggestions",
            caption="Share of them that the final answer follows, with its 95 % range and the rows it rests on",
            head=("reviewer", "followed when right", "followed when wrong"),
            rows=tuple(
                (name, say_share(item.agreement_right), say_share(item.agreement_wrong))
                for name, item in _name_rows(story)
            ),
        ),
        SheetTable(
            title="Reliance",
            caption="What a suggestion did to somebody whose answer was unlike it, or who had none yet",
            head=("reviewer", "over-reliance", "under-reliance", "switched"),
            rows=tuple(
                (name, say_share(item.over_reliance), say_share(item.under_reliance), say_share(item.switched))
                for name, item in _name_rows(story)
            ),
        ),
        SheetTable(
            title="Right, and how fast",
            caption="On rows whose answer was known; the time is that to the first answer, over all rows",
            head=("reviewer", "rows", "right alone", "right in the end", "the suggestion itself", "median time"),
            rows=tuple(
                (
                    name,
                    f"{item.n_rows:,}",
                    say_share(item.accuracy_first),
                    say_share(item.accuracy_final),
                    say_share(item.accuracy_advice),
                    say_seconds(item.median_s),
                )
                for name, item in _name_rows(story)
            ),
        ),
        SheetTable(
            title="The alarm",
            caption="Counts of the latest block; it rings from the evidence that is needed on",
            head=("reviewer", "asks", "counted", "allowed", "evidence", "needed", "says"),
            rows=tuple(_list_test(item.reviewer, test) for item in story.reviewers for test in item.alarm.tests),
        ),
    ]
    if any(item.weight_of_advice for item in story.reviewers):
        tables.append(
            SheetTable(
                title="How far numbers move",
                caption="From the first answer (0 %) to the suggestion (100 %)",
                head=("reviewer", "weight of advice"),
                rows=tuple((name, say_share(item.weight_of_advice)) for name, item in _name_rows(story)),
            )
        )
    if story.counts:
        tables.append(
            SheetTable(
                title="The queue",
                caption=f"Planted rows that still wait: {story.planted_left:,}",
                head=("reason", "waiting", "decided"),
                rows=tuple((item.reason, f"{item.waiting:,}", f"{item.decided:,}") for item in story.counts),
            )
        )
    tables += [
        SheetTable(
            title=f"Learning curve of {item.dataset}",
            caption="Error on labelled rows that the model had not seen, by the number of labels it learned from",
            head=("labels", "error", "95 % range"),
            rows=tuple(
                (f"{n:,}", say_figure(loss.value), say_reach(loss.low, loss.high, none="–")) for n, loss in item.points
            ),
        )
        for item in story.labels
        if item.points
    ]
    return tables


def _name_rows(story: ReviewStory) -> list[tuple[str, ReviewerReport]]:
    rows = [(item.reviewer, item) for item in story.reviewers]
    return rows if len(rows) < 2 else [*rows, ("all together", story.together)]  # noqa: PLR2004  one is all


def _list_test(reviewer: str, test: StampTest) -> tuple[str, ...]:
    return (
        reviewer,
        TESTS[test.name],
        f"{test.hits} of {test.n}",
        f"{100 * test.limit:.0f} %",
        f"{test.evidence:.1f}" if test.evidence < 1000 else "above 1,000",  # noqa: PLR2004  more figures say no more
        f"{test.needed:.0f}",
        STATES[test.state],
    )


def _say_test(test: StampTest) -> str:
    if test.name == "yields":
        return f"Took over {test.hits} of {test.n} wrong suggestions that were unlike the first answer, or came with the row."
    return f"{test.hits} of {test.n} answers came faster than the row can be read."
