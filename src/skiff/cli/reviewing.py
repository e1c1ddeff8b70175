"""A review at the terminal, by keyboard alone: the row, your answer, then what the model suggests. Works from a pipe too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TextIO

from skiff.data.sentences import count_rows
from skiff.flows.labelling import say_hours
from skiff.flows.review import ReviewQueue
from skiff.flows.shown import KeptAnswer, ShownRow
from skiff.report.glossary import clean_name

if TYPE_CHECKING:
    from skiff.flows.sessions import ReviewSession
    from skiff.flows.shown import Suggestion

NOTICE = (
    "Some rows may have answers that are known, and suggestions that are wrong on purpose. How you decide is measured: rows, "
    "answers, and the time to the first answer. Step away with q, not in the middle of a row."
)
KEYS = "s skips, q quits"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was done at the terminal."""

    answered: int = 0
    skipped: int = 0
    changed: int = 0
    against: int = 0
    is_through: bool = False

    def as_result(self) -> dict[str, object]:
        """Return the counts for ``--json``."""
        return asdict(self)


class Quit(Exception):  # noqa: N818  it is a wish, not an error
    """The reviewer wants to stop."""


class Skip(Exception):  # noqa: N818  as above
    """The reviewer wants another row."""


@dataclass(slots=True, kw_only=True)
class Terminal:
    """Shows rows and asks for answers.

    Parameters
    ----------
    queue : ReviewQueue
    reviewer : str
    keys : text stream
        Where answers come from; its end is a wish to stop.
    say : callable
        Shows a line.
    prompt : callable
        Shows what is asked, before the keys are read.
    advice : {"after", "first", "never"} or None
    label : str or None
        Hash of the dataset that is labelled.
    """

    queue: ReviewQueue
    reviewer: str
    keys: TextIO
    say: Callable[[str], None]
    prompt: Callable[[str], None]
    advice: str | None = None
    label: str | None = None

    def run(self, *, most: int | None = None) -> Tally:
        """Go through rows until there is none, or the reviewer stops."""
        tally, skipped = Tally(), set[str]()
        while most is None or tally.answered < most:
            row = self.queue.give(self.reviewer, advice=self.advice, label=self.label, without=skipped)
            if row is None:
                tally.is_through = not skipped
                break
            try:
                self._take(row, tally)
            except Skip:
                self.queue.skip(row.id, self.reviewer)
                skipped.add(row.id)
                self.say("Skipped: it comes back last.")
                tally.skipped += 1
            except Quit:
                break
        return tally

    def _take(self, row: ShownRow, tally: Tally) -> None:
        self._show(row, number=tally.answered + tally.skipped + 1)
        if row.suggestion is not None and row.first is None:
            self._suggest(row.suggestion)
        if row.first is None:
            first = self._ask("Your answer", row, may_skip=True)
            if row.suggestion is not None:
                kept = self._keep(row, first, row.suggestion)
                tally.against += _is_against(kept.final, row.suggestion)
                self._count(kept, row, tally)
                return
            row = self.queue.take_first(row.id, self.reviewer, first)
        else:
            self.say(f"You answered {_say_answer(row.first, row)} before.")
        self._finish(row, tally)

    def _finish(self, row: ShownRow, tally: Tally) -> None:
        """Show the suggestion to a first answer, and let it be kept or changed."""
        first = row.first or ""
        if row.suggestion is None:
            self._count(self._keep(row, first, None), row, tally)
            return
        self._suggest(row.suggestion)
        final = first
        if row.suggestion.answer != first:
            final = self._ask(f"Enter keeps {_say_answer(first, row)}, or another answer", row, keep=first)
        kept = self._keep(row, final, row.suggestion)
        tally.changed += kept.final != first
        tally.against += _is_against(kept.final, row.suggestion)
        self._count(kept, row, tally)

    def _keep(self, row: ShownRow, answer: str, suggestion: Suggestion | None) -> KeptAnswer:
        why = None
        if suggestion is not None and _is_against(answer, suggestion):
            why = self._read("Why not as suggested? (one line, Enter for none) ")
        return self.queue.take_final(row.id, self.reviewer, answer, why=why)

    def _count(self, kept: KeptAnswer, row: ShownRow, tally: Tally) -> None:
        tally.answered += 1
        self.say(f"Kept: {_say_answer(kept.final, row)}.")

    def _show(self, row: ShownRow, *, number: int) -> None:
        self.say("")
        self.say(f"Row {number} · {row.reason}: {clean_name(row.rule)}.")
        if row.key is not None:
            self.say(f"  key: {clean_name(row.key)}")
        width = max((len(clean_name(name)) for name in row.cells), default=0)
        for name, cell in row.cells.items():
            self.say(f"  {clean_name(name):<{width}}  {'–' if cell is None or cell == '' else clean_name(str(cell))}")
        if not row.cells:
            self.say("  The log keeps no inputs of this row that can be read; look the case up by its key.")

    def _suggest(self, found: Suggestion) -> None:
        chance = "" if found.chance is None else f", chance {100 * found.chance:.0f} in 100"
        line = (
            ""
            if found.line is None
            else f" (it says {clean_name(found.line.answer)} from {100 * found.line.chance:.0f} in 100 on)"
        )
        given = "" if found.given is None else f" (the table says {clean_name(found.given)})"
        answer, between = clean_name(found.answer), ""
        if found.chance is None:
            answer = _say_number(float(found.answer))
        if found.low is not None and found.high is not None:
            between = f", from {_say_number(found.low)} to {_say_number(found.high)}"
        self.say(f"The model suggests {answer}{chance}{line}{between}{given}.")
        for name, part in found.reasons:
            self.say(f"  {clean_name(name)}: {_say_part(part, is_number=found.chance is None)}")

    def _ask(self, words: str, row: ShownRow, *, may_skip: bool = False, keep: str | None = None) -> str:
        """Return an answer the row may have: by its number, its word, or the start of it."""
        listed = _list_answers(row.answers)
        keys = KEYS if may_skip else "q quits"
        while True:
            told = self._read(f"{words} [{listed or 'a number'}; {keys}] ").strip()
            if told == "q" and "q" not in row.answers:
                raise Quit
            if may_skip and told == "s" and "s" not in row.answers:
                raise Skip
            if not told and keep is not None:
                return keep
            found = _match(told, row.answers)
            if found is not None:
                return found
            self.say(f"That is none of: {listed}." if row.answers else "That is no number.")

    def _read(self, prompt: str) -> str:
        self.prompt(prompt)
        line = self.keys.readline()
        if not line:
            raise Quit
        return line.rstrip("\r\n")


def _say_part(part: float, *, is_number: bool) -> str:
    """Return what a column does to the answer.

    Examples
    --------
    >>> _say_part(0.12, is_number=False), _say_part(-3.5, is_number=True)
    ('12 in 100 for it', '3.5 less')
    """
    if is_number:
        return f"{_say_number(abs(part))} {'more' if part > 0 else 'less'}"
    return f"{100 * abs(part):.0f} in 100 {'for' if part > 0 else 'against'} it"


def _say_number(value: float) -> str:
    """Return a number as a person writes it.

    Examples
    --------
    >>> _say_number(20021.4), _say_number(3.14159)
    ('20,021', '3.142')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004  thousands are whole


def _say_answer(answer: str, row: ShownRow) -> str:
    return clean_name(answer) if row.answers else f"{float(answer):,.10g}"


def _is_against(answer: str, suggestion: Suggestion) -> bool:
    """Return whether an answer goes against a suggestion: another label, or a number outside the suggested range."""
    if suggestion.chance is not None or suggestion.low is None or suggestion.high is None:
        return answer != suggestion.answer
    return not suggestion.low <= float(answer) <= suggestion.high


def _have_keys(answers: tuple[str, ...]) -> bool:
    """Return whether a number may stand for an answer: not where an answer is a number itself."""
    return not any(name[:1].isdigit() or name[:1] in "+-." for name in answers)


def _list_answers(answers: tuple[str, ...]) -> str:
    """Return the answers as they are asked for, each behind its key where it has one.

    Examples
    --------
    >>> _list_answers(("no", "yes")), _list_answers(("0", "1"))
    ('1 = no, 2 = yes', '0, 1')
    """
    if not _have_keys(answers):
        return ", ".join(map(clean_name, answers))
    return ", ".join(f"{place} = {clean_name(name)}" for place, name in enumerate(answers, start=1))


def _match(told: str, answers: tuple[str, ...]) -> str | None:
    """Return the answer that was meant; None where it is not clear.

    Examples
    --------
    >>> _match("2", ("no", "yes")), _match("Y", ("no", "yes")), _match("x", ("no", "yes"))
    ('yes', 'yes', None)
    >>> _match("1", ("0", "1")), _match("2", ("0", "1"))
    ('1', None)
    """
    if not answers:
        try:
            return repr(float(told))
        except ValueError:
            return None
    if told in answers:
        return told
    if _have_keys(answers) and told.isascii() and told.isdigit() and 1 <= int(told) <= len(answers):
        return answers[int(told) - 1]
    close = [name for name in answers if told and name.lower().startswith(told.lower())]
    return close[0] if len(close) == 1 else None


def say_welcome(session: ReviewSession) -> list[str]:
    """Return what a reviewer is told before the first row."""
    plan = session.plan
    if plan is None:
        waiting = session.count_waiting()
        return (
            [f"{count_rows(waiting)} {'waits' if waiting == 1 else 'wait'}.", NOTICE] if waiting else ["No row waits."]
        )
    doubtful = f" {plan.doubtful:,} of them look wrong." if plan.doubtful else ""
    return [f"{count_rows(plan.labelled)} with a label.{doubtful}", say_hours(plan.effort), plan.curve.sentence]


def say_left(*, gone: int, stuck: int) -> list[str]:
    """Return what became of rows that could not be shown.

    Examples
    --------
    >>> say_left(gone=1, stuck=0)
    ['1 row left the queue undecided: the log no longer has what it is about.']
    """
    told = []
    if gone:
        told.append(
            f"{count_rows(gone)} left the queue undecided: the log no longer has what {'it is' if gone == 1 else 'they are'} about."
        )
    if stuck:
        told.append(
            f"{count_rows(stuck)} {'was' if stuck == 1 else 'were'} passed over: the release that answered cannot be opened. "
            "See `skiff doctor`."
        )
    return told


def tell_tally(tally: Tally, *, waiting: int) -> str:
    """Return what was done, in one line.

    Examples
    --------
    >>> tell_tally(Tally(answered=3, changed=1, against=1, is_through=True), waiting=0)
    '3 rows decided, 1 changed after the suggestion, 1 against it. Nothing waits any more.'
    """
    parts = [
        f"{count_rows(tally.answered)} decided",
        f"{tally.changed} changed after the suggestion",
        f"{tally.against} against it",
    ]
    if tally.skipped:
        parts.append(f"{tally.skipped} skipped")
    rest = "Nothing waits any more." if not waiting else f"{count_rows(waiting)} {'waits' if waiting == 1 else 'wait'}."
    return f"{', '.join(parts)}. {rest}"
