"""Signals: what passed the budget, in words, with what to do next, ranked by whether it could move the score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from skiff.core.finding import Finding
from skiff.data.sentences import say_figure
from skiff.monitor.budget import Budgeted
from skiff.monitor.delivered import say_number, say_promise
from skiff.monitor.drift import ColumnDrift
from skiff.monitor.harm import CouldMove, Harm
from skiff.monitor.results import Signal, WindowReport

COLUMN_KINDS = ("distribution", "trend", "missing", "unseen")

URGENCY: Mapping[str, int] = {
    "delivered": 0,
    "concept": 1,
    "failures": 2,
    "contract": 3,
    "slice": 4,
    "estimate": 5,
    "unseen": 6,
    "missing": 7,
    "distribution": 8,
    "trend": 9,
    "joint": 10,
    "answers": 11,
    "latency": 12,
    "review": 13,
}
"""What is known to hurt stands before what may hurt, and that before what only changed."""

MAX_SLICES = 3
"""Groups told of at once: where it got worse for everybody, three say so."""

FORESEEN = frozenset({*COLUMN_KINDS, "joint", "answers", "estimate"})
"""Kinds that only foretell a loss; outcomes of the same rows say whether it came."""

MIN_KNOWN = 0.5
"""Share of a window's rows whose outcomes must be known before they speak for the window: a convention."""

NEXT: Mapping[str, str] = {
    "contract": "Ask whoever delivers the data what changed; rows that break the contract should not be decided on.",
    "distribution": "Find out whether the world changed or the way the data is collected; if it stays, train again on recent rows.",
    "trend": "A slow change: plan to train again on recent rows, and look whether outcomes confirm it.",
    "missing": "Check the form, export or join that fills this column; repair it there, not in the model.",
    "unseen": "The model has never learned from such values: send these rows to a person, and train again once outcomes are known.",
    "joint": "Look at the columns named first; what changed is how they go together.",
    "answers": "Compare with the change of the inputs; decisions and workload change with the answers.",
    "review": "Tell those who review; if it stays, look at which inputs changed.",
    "latency": "Look at the machine: load, disk, other programs. The model itself does not slow down.",
    "failures": "Look at the server's log for the error codes, and at what the callers send.",
    "estimate": "Collect outcomes for this window first; if they confirm it, run skiff retrain.",
    "delivered": "Run skiff retrain; until it has passed, decide important cases by hand.",
    "concept": "The world answers differently now: only outcomes of recent months can teach that. Run skiff retrain.",
    "slice": "Decide cases of this group by hand until it is understood; see whether its outcomes are recorded rightly.",
}


def tell_signals(
    counting: Sequence[Budgeted], report: WindowReport, importances: Mapping[str, float | None]
) -> tuple[Signal, ...]:
    """Put tests that count into words, what matters most first; one signal a column."""
    columns = {item.name: item for item in report.columns}
    told: dict[str, Signal] = {}
    ranks: dict[str, tuple[bool, int, float, float]] = {}
    slices = 0
    kept = say_kept(report)
    for item in sorted(counting, key=lambda one: (_rank_kind(one.test.kind), one.test.chance)):
        slices += item.test.kind == "slice"
        if item.test.kind == "slice" and slices > MAX_SLICES:
            continue
        kind, subject = item.test.kind, item.test.subject
        harm = report.harms.get(subject) if kind in COLUMN_KINDS else None
        could: CouldMove = "yes" if kind in {"delivered", "concept", "slice", "estimate"} else "unknown"
        if harm is not None:
            could = harm.could_move
        elif kind in {"answers", "joint"} and _is_estimate_kept(report):
            could = "no"
        is_refuted = bool(kept) and kind in FORESEEN and could != "no"
        could = "no" if is_refuted else could
        name = subject if kind in COLUMN_KINDS else f"{kind}:{subject}"
        if name in told:  # one word about a column is enough: the one that chance explains least
            continue
        words = _say_column(kind, columns[subject], harm) if kind in COLUMN_KINDS else _SAY[kind](report, subject)
        told[name] = Signal(
            kind=kind,
            subject=subject,
            what=f"{words} {kept}" if is_refuted else words,
            next_step=NEXT[kind],
            chance=item.test.chance,
            allowed=item.allowed,
            could_move=could,
            is_alert=could != "no",
        )
        weight = importances.get(subject) or 0.0
        moved = columns[subject].js or 0.0 if subject in columns else 0.0
        ranks[name] = (could == "no", _rank_kind(kind), -weight * moved, -moved)
    return tuple(
        sorted(told.values(), key=lambda signal: ranks[signal.subject if signal.kind in COLUMN_KINDS else signal.key])
    )


def say_kept(report: WindowReport) -> str:
    """Return a sentence where most outcomes of the window are known and surely keep the promise; else nothing.

    Surely: the whole interval of what was delivered is on the good side of the promised one's worse end.
    """
    made = report.delivered
    if made is None or made.delivered is None or made.promised is None or made.n_outcomes < MIN_KNOWN * report.rows:
        return ""
    now, before = made.delivered, made.promised
    ends = (now.low, before.low) if before.higher_is_better else (before.high, now.high)
    if ends[0] is None or ends[1] is None or ends[0] < ends[1]:
        return ""
    return f"The outcomes of this window show no loss: {say_promise(made)}."


def _is_estimate_kept(report: WindowReport) -> bool:
    """Whether the quality that the window's own answers lead to expect is not below the promised interval."""
    found = report.estimated.get(report.headline)
    low_end = report.promised.low if report.promised and report.promised.higher_is_better else None
    high_end = report.promised.high if report.promised and report.promised.higher_is_better is False else None
    if found is None or (low_end is None and high_end is None):
        return False
    return found.value >= low_end if low_end is not None else high_end is not None and found.value <= high_end


def _rank_kind(kind: str) -> int:
    return URGENCY["distribution"] if kind in COLUMN_KINDS else URGENCY[kind]


def tell_contract(findings: Sequence[Finding]) -> tuple[Signal, ...]:
    """Return broken rules of a contract as signals: they are facts, not chances, and spend no budget."""
    return tuple(
        Signal(
            kind="contract",
            subject=", ".join(finding.columns) or finding.code,
            what=finding.what,
            next_step=finding.remedy or NEXT["contract"],
            chance=0.0,
            allowed=0.0,
            could_move="unknown",
            is_alert=finding.severity == "block",
        )
        for finding in findings
        if finding.severity != "info"
    )


def _say_column(kind: str, item: ColumnDrift, harm: Harm | None) -> str:
    name = f"'{item.name}'"
    if kind == "missing":
        return f"{name} is empty in {_share(item.missing_rate)} of the rows; in training it was {_share(item.missing_before)}.{_say_harm(harm)}"
    if kind == "unseen":
        if item.kind == "category":
            names = f" ({', '.join(repr(level) for level in item.new_levels)})" if item.new_levels else ""
            return f"{name} has values that training hardly knew{names} in {_share(item.unseen_rate)} of the rows.{_say_harm(harm)}"
        return f"{name} lies beyond the range of training in {_share(item.unseen_rate)} of the rows.{_say_harm(harm)}"
    lately = " over the last weeks" if kind == "trend" else ""
    if item.wasserstein is not None and item.test == "ks":
        length = "its length" if item.kind == "text" else "its values"
        return f"{name} has moved{lately}: {length} lie {item.wasserstein:.2f} standard deviations from training on average.{_say_harm(harm)}"
    return f"{name} is mixed differently{lately} (Jensen-Shannon distance {item.js or 0.0:.2f} of 1).{_say_harm(harm)}"


def _say_harm(harm: Harm | None) -> str:
    if harm is None or harm.change is None:
        return " Whether that moves the score cannot be told from the sealed rows."
    if harm.could_move == "no":
        return " On the sealed rows such a mix would not make the answers worse."
    change = f"{harm.change:+.1%}" if abs(harm.change) < 1 else say_figure(harm.change, digits=3, is_signed=True)
    return f" On the sealed rows such a mix changes the errors by {change}."


def _say_joint(report: WindowReport, subject: str) -> str:
    del subject
    if report.joint is None:
        return "The columns go together differently."
    names = ", ".join(f"'{name}'" for name, _ in report.joint.columns[:3])
    return f"All columns together tell these rows from training (AUC {report.joint.auc.value:.2f}, 0.50 is chance), most by {names}."


def _say_answers(report: WindowReport, subject: str) -> str:
    del subject
    found = report.answers
    if found is None:
        return "The model answers differently."
    return f"The model answers differently: the middle answer is {say_figure(found.middle, digits=3)}, on the sealed rows it was {say_figure(found.middle_before, digits=3)}."


def _say_review(report: WindowReport, subject: str) -> str:
    del subject
    return f"{_share(report.operations.review_share or 0.0)} of the rows go to a person, unlike in the windows before."


def _say_latency(report: WindowReport, subject: str) -> str:
    del subject
    return f"Answers have become slow: one in twenty takes more than {(report.operations.p95_us or 0) / 1000:.1f} ms."


def _say_failures(report: WindowReport, subject: str) -> str:
    del subject
    return (
        f"{_share(report.operations.failed_share or 0.0)} of the rows got no answer, more than in the windows before."
    )


def _say_estimate(report: WindowReport, subject: str) -> str:
    return f"The quality is estimated at {say_number(report.estimated[subject])} ({subject}), below what was promised; no outcomes were used."


def _say_delivered(report: WindowReport, subject: str) -> str:
    made = report.delivered
    if made is None or made.promised is None or made.delivered is None:
        return "Less was delivered than promised."
    return f"Less was delivered than promised ({subject}): promised {say_number(made.promised)}, delivered {say_number(made.delivered)}."


def _say_concept(report: WindowReport, subject: str) -> str:
    made = report.delivered
    if made is None or made.expected is None or made.delivered is None:
        return "Concept drift: the same inputs have other answers."
    return (
        f"Concept drift: the same inputs now have other answers. The inputs led to expect {say_number(made.expected)} ({subject}), "
        f"delivered was {say_number(made.delivered)}."
    )


def _say_slice(report: WindowReport, subject: str) -> str:
    for item in report.worse_groups:
        if f"{item.column} = {item.level}" == subject:
            now, before = (
                (f"{item.wrong:.0%} wrong", f"{item.wrong_before:.0%}")
                if item.wrong_before <= 1 and item.wrong <= 1
                else (f"a mean error of {say_figure(item.wrong, digits=3)}", say_figure(item.wrong_before, digits=3))
            )
            return f"It got worse for '{item.column}' = '{item.level}' ({item.n:,} rows): {now}, at release {before}."
    return f"It got worse for {subject}."


_SAY: Mapping[str, Callable[[WindowReport, str], str]] = {
    "joint": _say_joint,
    "answers": _say_answers,
    "review": _say_review,
    "latency": _say_latency,
    "failures": _say_failures,
    "estimate": _say_estimate,
    "delivered": _say_delivered,
    "concept": _say_concept,
    "slice": _say_slice,
}


def _share(value: float) -> str:
    return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"  # noqa: PLR2004  a digit more where it is small
