"""Plant rows with known answers in the review queue: of a file, or of the rows that the release was judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.task import label_target
from skiff.deploy.answers import Answers
from skiff.flows.champion import load_champion
from skiff.flows.predict import Columns
from skiff.flows.queueing import OpenReleases
from skiff.flows.read import read_table
from skiff.flows.standing import Standing, refuse_none
from skiff.govern.planting import choose_turned, find_margins, turn_label, turn_number
from skiff.govern.referral import CONTROL_RULE, Policy, find_reason
from skiff.govern.review import count_words
from skiff.store.catalog import to_text
from skiff.store.clock import now_utc
from skiff.store.predictions.keeping import plan_keeping
from skiff.store.reviews import NewReview
from skiff.store.workspace import Workspace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

CHANCE = ("control", CONTROL_RULE)
"""What is told of a planted row that would not have gone to a person: it was chosen by chance, which is true."""

MOST_POOL = 5_000
"""Rows among which is chosen; of more a sample is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What was planted.

    Parameters
    ----------
    rows : int
        New in the queue.
    known : int
        Rows with an answer there were to choose from.
    wrong : int
        Of the chosen rows, those with a wrong suggestion, and `turned`, those that are wrong on purpose.
    release : int
    waiting : int
        Planted rows that wait now.
    """

    rows: int
    known: int
    wrong: int
    turned: int
    release: int
    waiting: int
    evidence: str

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return asdict(self)


def plant(
    folder: Path,
    source: Path | None = None,
    *,
    n_rows: int = 100,
    columns: Columns | None = None,
    seed: int = 0,
    at: Callable[[], str] = now_utc,
) -> Planted:
    """Put rows with known answers into the review queue.

    Parameters
    ----------
    folder : Path
        The workspace.
    source : Path, optional
        A file with the columns of the model and the answer; by default the sealed rows of the release that answers.
    n_rows : int
        How many, chosen by chance.
    columns : Columns, optional
        Which columns name the case and the person of each row.
    seed : int

    Raises
    ------
    SkiffError
        ``no_release``, ``column_not_found``, ``nothing_to_plant``, ``inputs_not_kept``.

    Notes
    -----
    Rows are kept in the queue with their inputs as ``[serving] keep_inputs`` says. What reviewers answer to them becomes no outcome
    and no label: sealed rows stay rows that no model learned from.
    """
    named = columns or Columns()
    with Workspace.open(folder) as workspace:
        _refuse_unreadable(workspace)
        number = refuse_none(workspace.releases.champion(), str(workspace.root))
        standing = OpenReleases(workspace).open(number)
        if standing is None:
            raise SkiffError(
                "release_damaged",
                what=f"Release {number}, which answers now, cannot be opened.",
                where={"release": number},
                fix="See what is wrong with `skiff doctor`, and put the release back from a backup.",
            )
        if source is None:
            champion = load_champion(workspace, number)
            frame, rows, name = champion.table.frame, champion.test, str(champion.manifest["dataset_sha256"])
        else:
            texts = [column.name for column in standing.inputs if column.kind in {"category", "text"}]
            keep_text = [*texts, *(name for name in (named.key, named.subject) if name)]
            read = read_table(source, keep_text=keep_text, keep_words=[standing.target])
            frame, rows, name = read.frame, np.arange(read.frame.height), read.sha256
        items, known = _choose(workspace, frame, rows, standing, name=name, n_rows=n_rows, columns=named, seed=seed)
        added = workspace.reviews.add([item for item, _, _ in items])
        wrong, turned = sum(is_wrong for _, is_wrong, _ in items), sum(is_turned for _, _, is_turned in items)
        noted = workspace.ledger.append(
            "review.plant",
            subject=f"release {number}",
            result={"rows": added, "wrong": wrong, "turned": turned, "is_sealed": source is None},
            at=at(),
        )
        counts = workspace.reviews.count()
        waiting = sum(n for (kind, state, _), n in counts.items() if kind == "planted" and state == "open")
    return Planted(
        rows=added, known=known, wrong=wrong, turned=turned, release=number, waiting=waiting, evidence=noted.id
    )


def _choose(
    workspace: Workspace,
    frame: pl.DataFrame,
    rows: Any,  # noqa: ANN401  positions
    standing: Standing,
    *,
    name: str,
    n_rows: int,
    columns: Columns,
    seed: int,
) -> tuple[list[tuple[NewReview, bool, bool]], int]:
    """Return rows to plant, each with whether its suggestion is wrong and whether on purpose, and how many there were."""
    for column in (standing.target, columns.key, columns.subject):
        if column is not None and column not in frame.columns:
            raise SkiffError.column_not_found(column, columns=frame.columns)
    told = label_target(frame[standing.target])
    is_known = told.is_in(standing.classes) if standing.classes else told.cast(pl.Float64, strict=False).is_finite()
    known: Int = np.asarray(rows)[is_known.fill_null(value=False).to_numpy()[rows]]
    if not len(known):
        raise SkiffError(
            "nothing_to_plant",
            what="There is no row with a known answer that the release did not learn from.",
            where={"column": standing.target},
            fix="Name a file with answered rows:  skiff review plant FILE",
        )
    chosen, reasons = _draw(workspace, frame, known, standing, n_rows=n_rows, seed=seed)
    part, truths = frame[chosen], told[chosen].to_list()
    answers = standing.answer_columns(part)
    people, keys = (
        part[column].cast(pl.String).to_list() if column else [None] * len(chosen)
        for column in (columns.subject, columns.key)
    )
    keep = plan_keeping(workspace.settings.serving.keep_inputs, standing.columns)
    made = []
    threshold = standing.runtime.predictor.threshold if standing.kind == "binary" else None
    share = workspace.settings.review.wrong_advice_share
    kept = keep.keep_rows([_to_json(row) for row in part.select(standing.columns).iter_rows(named=True)])
    for place, (advice, truth, is_wrong) in enumerate(
        _advise(answers, truths, threshold=threshold, share=share, seed=seed)
    ):
        cells = {column: cell for column, cell in part.row(place, named=True).items() if column in standing.columns}
        reason, rule = reasons[place] or CHANCE
        item = NewReview(
            source="planted",
            item=f"planted:{name}:{int(chosen[place])}",
            dataset_sha256=name,
            reason=reason,
            rule=rule,
            rank=int.from_bytes(hashlib.blake2b(f"{seed} {chosen[place]}".encode(), digest_size=6).digest(), "big"),
            release=standing.number,
            subject=people[place],
            key=keys[place],
            inputs=kept[place],
            advice=to_text(advice),
            truth=to_text(truth),
            words=count_words(cells),
        )
        made.append((item, is_wrong, bool(advice.get("turned"))))
    return made, len(known)


def _advise(
    answers: Answers, truths: list[str], *, threshold: float | None, share: float, seed: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any], bool]]:  # Any: JSON documents
    """Yield suggestion, truth, and whether the suggestion is wrong, of each row."""
    if answers.kind == "regression":
        yield from _advise_numbers(answers, np.array(truths, dtype=np.float64), share=share, seed=seed)
        return
    codes = {label: code for code, label in enumerate(answers.classes)}
    is_wrong = np.array([label != truth for label, truth in zip(answers.labels, truths, strict=True)])
    turned = choose_turned(is_wrong, share, seed=seed)
    for place, truth in enumerate(truths):
        label, prob = str(answers.labels[place]), answers.probabilities[place]
        chance = float(prob[codes[label]])
        if turned[place]:
            code, chance = turn_label(prob, codes[truth], threshold=threshold)
            label = answers.classes[code]
        advice: dict[str, Any] = {"answer": label, "chance": round(chance, 4)}
        yield advice | ({"turned": True} if turned[place] else {}), {"answer": truth}, label != truth


def _advise_numbers(
    answers: Answers, truths: Float, *, share: float, seed: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any], bool]]:  # Any: JSON documents
    margins = find_margins(truths, answers.low, answers.high)
    is_wrong = np.abs(answers.values - truths) > margins
    turned = choose_turned(is_wrong, share, seed=seed)
    chances = np.random.default_rng(seed + 1).random(len(truths))
    for place, truth in enumerate(truths.tolist()):
        margin, said = float(margins[place]), float(answers.values[place])
        if turned[place]:
            said = turn_number(truth, margin, chance=float(chances[place]))
        advice: dict[str, Any] = {"answer": repr(said)}
        if answers.low is not None and answers.high is not None:
            moved = said - float(answers.values[place])
            low, high = float(answers.low.ravel()[place]), float(answers.high.ravel()[place])
            advice |= {"low": low + moved, "high": high + moved}
        told = {"answer": repr(truth), "margin": margin}
        yield advice | ({"turned": True} if turned[place] else {}), told, bool(is_wrong[place] or turned[place])


def _draw(
    workspace: Workspace, frame: pl.DataFrame, known: Int, standing: Standing, *, n_rows: int, seed: int
) -> tuple[Int, list[tuple[str, str] | None]]:
    """Choose rows as the log brings them: with a reason of their own; where the log puts rows aside by chance, half without one.

    A planted row is given out among rows of the log with the same reason, so there must be some of each.
    """
    pool = np.random.default_rng(seed).permutation(known)[:MOST_POOL]
    part = frame[pool]
    decisions = standing.answer_columns(part).decisions
    releases = OpenReleases(workspace)
    reasons = [
        _find_reason(workspace, cells, releases, standing.number, None if decisions is None else str(decisions[place]))
        for place, cells in enumerate(map(_to_json, part.select(standing.columns).iter_rows(named=True)))
    ]
    told = [place for place, reason in enumerate(reasons) if reason is not None]
    plain = [place for place, reason in enumerate(reasons) if reason is None]
    n_plain = n_rows // 2 if workspace.settings.serving.control_share else 0
    taken = [*told[: n_rows - min(n_plain, len(plain))], *plain]
    taken = sorted(taken[:n_rows], key=lambda place: pool[place])
    return pool[taken], [reasons[place] for place in taken]


def _find_reason(
    workspace: Workspace, cells: Mapping[str, Any], releases: OpenReleases, number: int, decision: str | None
) -> tuple[str, str] | None:
    """Return the reason that the row would have had in the log."""
    settings = workspace.settings.review
    policy = Policy(
        stakes_column=settings.stakes_column, stakes_amount=settings.stakes_amount, out_of_range=settings.out_of_range
    )
    strange = releases.find_strange(number, cells)
    reason = find_reason(decision=decision, is_control=False, cells=cells, strange=strange, policy=policy)
    return None if reason is None else (reason.code, reason.rule)


def _to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return cells as JSON has them: dates as text."""
    return {name: cell.isoformat() if hasattr(cell, "isoformat") else cell for name, cell in row.items()}


def _refuse_unreadable(workspace: Workspace) -> None:
    keep = workspace.settings.serving.keep_inputs
    if keep in ("none", "hashed"):
        raise SkiffError(
            "inputs_not_kept",
            what="The prediction log keeps no inputs that a person could read, so planted rows would be the only ones with cells.",
            where={"setting": "serving.keep_inputs"},
            fix='Set  keep_inputs = "all"  or a list of columns under [serving] in skiff.toml.',
        )
