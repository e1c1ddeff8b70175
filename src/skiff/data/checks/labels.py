"""Answers that contradict each other, and answers that look wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.checks.duplicates import count_combinations
from skiff.data.facts import ColumnFacts
from skiff.data.rows import SAMPLE_ROWS, code_rows, count_copies, number_rows
from skiff.data.sentences import count_rows, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

FEW_CONFLICTS = 5
"""Contradicting rows below which they are not worth a word, unless the table is tiny."""

MANY_CONFLICTS = 0.01
"""Share of contradicting rows from which someone should ask."""

CLEAR_ANSWER = 0.8
"""Probability of the likeliest class from which a row is clear-cut."""

CLEAR_TABLE = 0.9
"""Share of clear-cut rows from which the classes are separable, so that a contradicted answer is rather a wrong answer
than a hard case. Confident learning assumes as much (Northcutt et al. 2021, theorem 1); where classes overlap, it
counts honest hard cases."""

MIN_CLASS_ROWS = 10
"""Rows of a class needed to say how clear-cut it is."""

HARDEST = 20
"""Rows named for a second look in a table whose classes overlap."""

MIN_PROB = 1e-12

ROUNDING = 1e-9
"""Slack of a comparison with a mean: equal probabilities must not fall below their own mean."""


def find_conflicting_labels(
    frame: pl.DataFrame, y: NDArray[np.float64], task: Task, *, facts: Mapping[str, ColumnFacts]
) -> list[Finding]:
    """Find rows that are equal in every column a model sees and have different answers.

    Parameters
    ----------
    frame : polars.DataFrame
    y : ndarray of float64
        Class codes, NaN where missing.
    facts : mapping of str to ColumnFacts
        Columns that the model sees, counted; texts that are different in every row are not looked at. Where the others could make few
        different rows, conflicts are natural, and that is said.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"weight": [float(row // 2) for row in range(200)], "ok": ["yes", "yes"] * 98 + ["yes", "no"] * 2})
    >>> task = Task(kind="binary", target="ok", classes=("no", "yes"), positive="yes")
    >>> codes = (table["ok"] == "yes").cast(float).to_numpy()
    >>> [finding.rows for finding in find_conflicting_labels(table, codes, task, facts=gather_facts(table[["weight"]]))]
    [2]
    """
    seen = [name for name, fact in facts.items() if fact.is_quantity or fact.n_distinct < fact.n_rows]
    if task.kind == "regression" or not seen:
        return []
    known = np.flatnonzero(np.isfinite(y))
    codes = code_rows(frame, seen)[known]
    n_known = len(known)
    is_repeated = pl.Series(codes).is_duplicated().to_numpy()  # most tables end here, without sorting
    known = known[is_repeated]
    if not len(known):
        return []
    sets = count_copies(codes[is_repeated])[0]
    answer = y[known].astype(np.int64)
    pairs, place, counts = np.unique(sets * len(task.classes) + answer, return_inverse=True, return_counts=True)
    owner = pairs // len(task.classes)
    most = np.zeros(int(owner.max()) + 1, dtype=np.int64)
    np.maximum.at(most, owner, counts)
    lost = int(len(known) - most.sum())  # rows that the best possible answer gets wrong
    if not lost:
        return []
    is_mixed = np.bincount(owner)[sets] > 1
    everywhere = np.zeros(frame.height, dtype=np.bool_)
    everywhere[known[is_mixed & (counts[place] < most[sets])]] = True
    share = lost / n_known
    if lost < FEW_CONFLICTS and share < MANY_CONFLICTS:
        return []
    is_natural = count_combinations({name: facts[name] for name in seen}) < 10.0 * frame.height
    best = say_share(1.0 - share)
    return [
        Finding(
            code="labels.conflicting",
            severity="warn" if share >= MANY_CONFLICTS and not is_natural else "info",
            columns=(task.target,),
            rows=lost,
            sample_rows=number_rows(everywhere),
            evidence={"share": share, "rows_in_conflict": int(is_mixed.sum()), "best_accuracy": 1.0 - share},
            what=f"{count_rows(lost)} ({say_share(share)}) {'is' if lost == 1 else 'are'} equal to others in everything but '{task.target}'.",
            why_it_matters=f"On this table no model can be right more often than {best}.",
            remedy="With so few columns that is natural; more columns would help to tell such rows apart."
            if is_natural
            else "Check whether some of these answers are wrong, or whether a column that tells the rows apart is missing.",
            question="" if is_natural else f"What makes '{task.target}' differ between rows that look the same?",
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDoubts:
    """Rows whose given class the out-of-fold model contradicts.

    Parameters
    ----------
    places : ndarray of int64
        Positions in `y`, most doubtful first.
    suggested : ndarray of int64
        Class code that the model would give each of them.
    scores : ndarray of float64
        Probability of the given class minus that of the likeliest other (normalised margin, -1 to 1), ascending.
    clear_share : float
        Share of rows whose likeliest class has at least 80 %, in the class where that is rarest.
    """

    places: Int
    suggested: Int
    scores: Float
    clear_share: float


def rank_label_doubts(y: NDArray[np.float64], prob: NDArray[np.float64]) -> LabelDoubts:
    """Rank the rows whose label is probably wrong, by confident learning.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes.
    prob : ndarray of shape (n_rows, n_classes), or (n_rows,) for the positive class of two
        Out-of-fold probabilities: no row may have been in the training of its own answer.

    Returns
    -------
    LabelDoubts

    Notes
    -----
    A row is confidently of class k if its probability of k is at least the mean probability of k over the rows labelled
    k. It is doubted if the confident class is not the given one and the given one is not confident too. Ranked by
    normalised margin. Cost is linear.

    References
    ----------
    Northcutt, Jiang and Chuang 2021, Confident learning: estimating uncertainty in dataset labels, JAIR 70,
    doi:10.1613/jair.1.12125, equations 1 and 2 (thresholds, confident joint), section 3.2 (normalised margin).

    Examples
    --------
    >>> y = np.array([0.0] * 50 + [1.0] * 50)
    >>> prob = np.where(y == 1, 0.95, 0.05)
    >>> prob[7] = 0.95
    >>> rank_label_doubts(y, prob).places.tolist()
    [7]
    """
    table = np.column_stack([1.0 - prob, prob]) if prob.ndim == 1 or prob.shape[1] == 1 else prob
    given = y.astype(np.int64)
    n_rows, n_classes = table.shape
    own = table[np.arange(n_rows), given]
    counts = np.bincount(given, minlength=n_classes)
    thresholds = np.bincount(given, weights=own, minlength=n_classes) / np.maximum(1, counts)
    thresholds[counts == 0] = np.inf
    confident = np.where(table >= thresholds - ROUNDING, table, -1.0)
    suggested = confident.argmax(axis=1)
    is_doubted = (confident.max(axis=1) >= 0) & (suggested != given) & (table[np.arange(n_rows), suggested] > own)
    others = table.copy()
    others[np.arange(n_rows), given] = -np.inf
    margin = own - others.max(axis=1)
    places = np.flatnonzero(is_doubted)
    places = places[np.argsort(margin[places], kind="stable")]
    return LabelDoubts(
        places=places.astype(np.int64),
        suggested=suggested[places].astype(np.int64),
        scores=margin[places],
        clear_share=_measure_clearness(table, given),
    )


def _measure_clearness(table: Float, given: Int) -> float:
    """Return the share of clear-cut rows in the least clear class: a frequent class must not hide a rare, blurred one."""
    is_clear = (table.max(axis=1) >= CLEAR_ANSWER).astype(np.float64)
    counts = np.bincount(given)
    shares = np.bincount(given, weights=is_clear)[counts >= MIN_CLASS_ROWS] / counts[counts >= MIN_CLASS_ROWS]
    return float(shares.min(initial=1.0))


def find_label_errors(
    y: NDArray[np.float64], prob: NDArray[np.float64], *, rows: NDArray[np.int64], task: Task
) -> list[Finding]:
    """Find rows whose answer is probably wrong, from the out-of-fold answers of a trained model.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes of the training rows.
    prob : ndarray of shape (n_rows, n_classes), or (n_rows,) for the positive class of two
        Out-of-fold probabilities for the same rows.
    rows : ndarray of int64
        Positions of these rows in the client's table.
    task : Task

    Returns
    -------
    list of Finding
        At most one, ``labels.suspect``. A warning with all doubted rows where the classes are clear-cut; where they
        overlap, a doubted answer is mostly an honest hard case, and only the 20 most doubtful are named.

    Examples
    --------
    >>> task = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")
    >>> y = np.array([0.0] * 50 + [1.0] * 50)
    >>> prob = np.where(y == 1, 0.95, 0.05)
    >>> prob[7] = 0.95
    >>> [(finding.severity, finding.sample_rows) for finding in find_label_errors(y, prob, rows=np.arange(100), task=task)]
    [('warn', (8,))]
    """
    usable = np.isfinite(y) & np.isfinite(prob).reshape(len(y), -1).all(axis=1)
    if task.kind == "regression" or not usable.any():
        return []
    doubts = rank_label_doubts(y[usable], np.clip(prob[usable], MIN_PROB, 1.0))
    if not len(doubts.places):
        return []
    is_clear = doubts.clear_share >= CLEAR_TABLE
    places = doubts.places if is_clear else doubts.places[:HARDEST]
    numbers = tuple(int(row) + 1 for row in rows[usable][places])
    n_rows, share = len(numbers), len(numbers) / int(usable.sum())
    surely = f"{count_rows(n_rows)} ({say_share(share)}) probably have the wrong '{task.target}'"
    maybe = f"{count_rows(n_rows)} look{'s' if n_rows == 1 else ''} most unlike the '{task.target}' that was given"
    return [
        Finding(
            code="labels.suspect",
            severity="warn" if is_clear else "info",
            columns=(task.target,),
            rows=n_rows,
            sample_rows=numbers[:SAMPLE_ROWS],
            evidence={"share": share, "clear_share": round(doubts.clear_share, 4), "rows": numbers[:1_000]},
            what=f"{surely}: a model that had not seen them is sure of another answer."
            if is_clear
            else f"{maybe}: worth a second look, though such cases can be real.",
            why_it_matters="A wrong answer teaches the wrong thing, and counts a right prediction as a mistake."
            if is_clear
            else "If some are slips, correcting them is the cheapest way to a better model.",
            remedy="Look at these rows, the most doubtful first, and correct the answer where it is wrong.",
            question=f"Who fills in '{task.target}', and can these rows be checked?",
        )
    ]
