"""The list of answers to look at first, and what correcting them would be worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.finding import EvidenceValue, Finding
from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.labels import LabelDoubts, rank_label_doubts
from skiff.data.checks.leakage.case import Case, build_case
from skiff.data.checks.leakage.power import measure_alone
from skiff.data.checks.leakage.proof import Z_95
from skiff.data.checks.leakage.witness import Witness, build_bench, fit_witness, measure_losses, measure_score
from skiff.data.checks.wrong_values import rank_value_doubts
from skiff.data.rows import SAMPLE_ROWS
from skiff.data.sentences import count_rows, say_share

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Bool = NDArray[np.bool_]

MIN_PROB = 1e-12

MANY = 0.0075
"""Share of doubted rows from which, in a table whose classes overlap, they are more than the honest surprises: the clean
tables we measured have up to 0.005 (`benchmarks/label_errors.py`)."""

MAX_EVIDENCE = 1_000
"""Row numbers kept in the finding; the list itself holds all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One answer to look at.

    Parameters
    ----------
    row : int
        Row number, counted from 1 without the header.
    given, suggested : str or float
        The class or number that is there, and the one a model that has not seen the row expects.
    confidence : float
        How sure the suggestion is, 0 to 1.
    """

    row: int
    given: str | float
    suggested: str | float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FixList:
    """Answers to look at, the most doubtful first.

    Parameters
    ----------
    fixes : tuple of Fix
    rows : ndarray of int64
        Their positions in the client's table.
    suggested : ndarray of float64
        Class codes or numbers.
    n_judged : int
        Rows that were looked at.
    is_sure : bool
        Whether they are rather wrong than hard cases.
    clear_share : float
        As in `LabelDoubts`.
    """

    fixes: tuple[Fix, ...]
    rows: NDArray[np.int64]
    suggested: NDArray[np.float64]
    n_judged: int
    is_sure: bool
    clear_share: float


def list_fixes(
    y: NDArray[np.float64], answers: NDArray[np.float64], *, rows: NDArray[np.int64], task: Task
) -> FixList | None:
    """List the rows whose answer is probably wrong, from the out-of-fold answers of a trained model; None for none.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or numbers of the training rows.
    answers : ndarray of shape (n_rows, n_classes), or (n_rows,) for numbers or the second class of two
        Out-of-fold answers for the same rows; rows without one are passed over.
    rows : ndarray of int64
        Positions of these rows in the client's table.
    task : Task

    Examples
    --------
    >>> task = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")
    >>> y = np.array([0.0] * 50 + [1.0] * 50)
    >>> prob = np.where(y == 1, 0.95, 0.05)
    >>> prob[7] = 0.95
    >>> list_fixes(y, prob, rows=np.arange(100), task=task).fixes
    (Fix(row=8, given='no', suggested='yes', confidence=0.95),)
    """
    usable = np.isfinite(y) & np.isfinite(answers).reshape(len(y), -1).all(axis=1)
    if not usable.any():
        return None
    given, places = y[usable], rows[usable]
    doubts = _rank(given, answers[usable], task)
    n_doubted, n_judged = len(doubts.places), len(given)
    if n_doubted == 0:
        return None
    is_blurred = task.kind == "regression" or not doubts.is_clear
    return FixList(
        fixes=tuple(
            Fix(
                row=int(places[place]) + 1,
                given=_name(given[place], task),
                suggested=_name(suggestion, task),
                confidence=round(float(confidence), 4),
            )
            for place, suggestion, confidence in zip(doubts.places, doubts.suggested, doubts.confidence, strict=True)
        ),
        rows=places[doubts.places],
        suggested=doubts.suggested,
        n_judged=n_judged,
        is_sure=not is_blurred or n_doubted >= MANY * n_judged,
        clear_share=doubts.clear_share,
    )


def _rank(y: NDArray[np.float64], answers: NDArray[np.float64], task: Task) -> LabelDoubts:
    """Rank doubts about classes or numbers."""
    if task.kind == "regression":
        return rank_value_doubts(y, answers.reshape(len(y)))
    one_column = answers.ndim == 2 and answers.shape[1] == 1  # noqa: PLR2004  rows and classes
    return rank_label_doubts(y, np.clip(answers.ravel() if one_column else answers, MIN_PROB, 1.0))


def _name(answer: float, task: Task) -> str | float:
    """Return a class by its name, a number to six digits."""
    return float(f"{answer:.6g}") if task.kind == "regression" else task.classes[int(answer)]


def measure_fixing(
    frame: pl.DataFrame,
    task: Task,
    inputs: Sequence[InputColumn],
    fixes: FixList,
    *,
    rows: NDArray[np.int64],
    seed: int = 0,
    threads: int = 2,
) -> dict[str, EvidenceValue]:
    """Measure what a quick model gains on rows nobody doubts if the listed answers are corrected as suggested.

    Parameters
    ----------
    frame : polars.DataFrame
        The client's table.
    rows : ndarray of int64
        Training positions; the sealed rows are not looked at.

    Returns
    -------
    dict of str to evidence
        ``score_as_given`` and ``score_if_fixed`` (``roc_auc``, ``log_loss`` or ``r2``) on the undoubted rows, and
        ``loss_saved``: the share of the loss that goes away, with a paired 95 % interval. Empty where nothing can be measured.

    Notes
    -----
    Cross-fitted on at most 20,000 training rows: each row is answered by models that have not seen it, learnt once from the
    answers as given and once as suggested. The suggestions come from models that have seen other rows of the same table,
    which may flatter the gain slightly.
    """
    case = build_case(frame, task, inputs, rows=rows, seed=seed, threads=threads)
    if case is None or not case.inputs:
        return {}
    fixed = case.y.copy()
    place = np.searchsorted(case.rows, fixes.rows)
    is_here = (place < len(case.rows)) & (case.rows[np.minimum(place, len(case.rows) - 1)] == fixes.rows)
    fixed[place[is_here]] = fixes.suggested[is_here]
    doubted = np.zeros(case.n_rows, dtype=np.bool_)
    doubted[place[is_here]] = True
    bench = build_bench(case, measure_alone(case))
    heard = tuple(bench.encodings)
    before = fit_witness(case, bench, heard)
    after = fit_witness(replace(case, y=fixed), bench, heard)
    return _compare(case, before, after, undoubted=~doubted[case.sample])


def _compare(case: Case, before: Witness, after: Witness, *, undoubted: Bool) -> dict[str, EvidenceValue]:
    """Return both scores and the share of the loss that is saved, on the undoubted rows."""
    kept = replace(case, sample=case.sample[undoubted], weight=case.weight[undoubted], fold=case.fold[undoubted])
    answered = [replace(witness, out_of_fold=witness.out_of_fold[undoubted]) for witness in (before, after)]
    if len(np.unique(kept.y[kept.sample])) < 2:  # noqa: PLR2004  one answer left is no question
        return {}
    losses = [measure_losses(kept, witness) * kept.weight for witness in answered]
    saved = losses[0] - losses[1]
    share = float(saved.mean() / losses[0].mean())
    influence = (saved - share * losses[0]) / losses[0].mean()  # delta method on the ratio of two means
    half = Z_95 * float(influence.std()) / len(saved) ** 0.5
    gain = Measurement(
        name="loss_saved",
        value=share,
        low=share - half,
        high=share + half,
        n=len(saved),
        unit="rate",
        higher_is_better=True,
        method="quick model on rows nobody doubts, paired; delta method, Oehlert 1992",
        baseline=0.0,
    )
    return {
        "score_as_given": measure_score(kept, answered[0], "as given"),
        "score_if_fixed": measure_score(kept, answered[1], "as suggested"),
        "loss_saved": gain,
    }


def find_label_errors(
    y: NDArray[np.float64], prob: NDArray[np.float64], *, rows: NDArray[np.int64], task: Task
) -> list[Finding]:
    """Find rows whose answer is probably wrong: `list_fixes`, told in one finding, without what correcting them is worth.

    Examples
    --------
    >>> task = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")
    >>> y = np.array([0.0] * 50 + [1.0] * 50)
    >>> prob = np.where(y == 1, 0.95, 0.05)
    >>> prob[7] = 0.95
    >>> [(finding.severity, finding.sample_rows) for finding in find_label_errors(y, prob, rows=np.arange(100), task=task)]
    [('warn', (8,))]
    """
    fixes = list_fixes(y, prob, rows=rows, task=task)
    return [] if fixes is None else [tell_fixes(fixes, task)]


def tell_fixes(fixes: FixList, task: Task, *, effect: dict[str, EvidenceValue] | None = None) -> Finding:
    """Return the finding ``labels.suspect``: a warning where the answers are rather wrong than hard cases.

    Parameters
    ----------
    effect : dict, optional
        `measure_fixing`.
    """
    n_rows = len(fixes.fixes)
    share = n_rows / fixes.n_judged
    numbers = tuple(fix.row for fix in fixes.fixes)
    surely = f"{count_rows(n_rows)} ({say_share(share)}) probably {'has' if n_rows == 1 else 'have'} the wrong '{task.target}'"
    maybe = f"{count_rows(n_rows)} look{'s' if n_rows == 1 else ''} most unlike the '{task.target}' that was given"
    return Finding(
        code="labels.suspect",
        severity="warn" if fixes.is_sure else "info",
        columns=(task.target,),
        rows=n_rows,
        sample_rows=numbers[:SAMPLE_ROWS],
        evidence={
            "share": share,
            "clear_share": round(fixes.clear_share, 4),
            "rows": numbers[:MAX_EVIDENCE],
            **(effect or {}),
        },
        what=f"{surely}: a model that had not seen {'it' if n_rows == 1 else 'them'} is sure of another answer."
        if fixes.is_sure
        else f"{maybe}: worth a second look, though such cases can be real.",
        why_it_matters=_say_worth(effect or {})
        or (
            "A wrong answer teaches the wrong thing, and counts a right prediction as a mistake."
            if fixes.is_sure
            else "If some are slips, correcting them is the cheapest way to a better model."
        ),
        remedy="Look at these rows, the most doubtful first (fix_list.csv), and correct the answer where it is wrong.",
        question=f"Who fills in '{task.target}', and can these rows be checked?",
    )


def _say_worth(effect: dict[str, EvidenceValue]) -> str:
    """Return what correcting is worth, or "" where it was not measured or cannot be told from nothing."""
    gain = effect.get("loss_saved")
    if not isinstance(gain, Measurement) or gain.low is None or gain.high is None or gain.low <= 0:
        return ""
    return (
        f"Corrected as suggested, a quick model errs {say_share(gain.low)} to {say_share(gain.high)} less "
        "on the rows nobody doubts."
    )
