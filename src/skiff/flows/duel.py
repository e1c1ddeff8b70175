"""Champion and challenger answer the same rows, which neither has learned from."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from skiff.data.task import encode_target
from skiff.deploy.predictor import Predictor
from skiff.evaluate.challenge import Challenge, Rows, judge_challenge
from skiff.flows.champion import Champion
from skiff.flows.evaluate import answer_frame

MIN_NEW = 50
"""Recent rows below which no comparison could show a difference that matters; see ``[retrain] min_outcomes``."""

NO_PROOF = (
    "Nearly all recent rows are copies of rows that the challenger learned from, so they prove nothing. Report outcomes of new cases, each "
    "case once, and try again."
)


def compare(
    champion: Champion, model: bytes, recent: pl.DataFrame, *, learned: pl.DataFrame, is_promise_kept: bool, seed: int
) -> Challenge:
    """Answer the sealed rows with both released files and judge the difference; `learned` are the challenger's training rows."""
    challenger = Predictor(model)
    new = leave_out_learned(recent, learned, of=champion.table.frame)
    is_proof = new.height >= MIN_NEW
    recent = new if is_proof else recent
    sets = [("recent", recent)]
    frozen = leave_out_learned(champion.table.frame[champion.test], learned, of=champion.table.frame)
    if frozen.height:
        sets.append(("frozen", frozen))
    judged = []
    for name, frame in sets:
        y, has_target = encode_target(frame, champion.task)
        known = frame.filter(pl.Series(has_target))
        judged.append(
            Rows(
                name=name,
                y=y[has_target],
                champion=answer_frame(champion.predictor, known),
                challenger=answer_frame(challenger, known),
            )
        )
    known = recent.filter(pl.Series(encode_target(recent, champion.task)[1]))
    challenge = judge_challenge(
        replace(champion.task, protected=tuple(name for name in champion.task.protected if name in recent.columns)),
        judged[0],
        judged[1] if len(judged) > 1 else None,
        known,
        champion.predictor.signature.inputs,
        is_promise_kept=is_promise_kept,
        seed=seed,
    )
    return challenge if is_proof else replace(challenge, is_won=False, reasons=(NO_PROOF,))


def leave_out_learned(sealed: pl.DataFrame, learned: pl.DataFrame, *, of: pl.DataFrame) -> pl.DataFrame:
    """Return the sealed rows without copies of what a challenger learned from: rows that were answered twice, each with its outcome.

    Parameters
    ----------
    sealed, learned : DataFrame
    of : DataFrame
        The champion's table: a row that stands in it more than once is a common one, and stays.

    Examples
    --------
    >>> table = pl.DataFrame({"nights": [1, 2, 3, 3], "stayed": ["yes", "no", "no", "no"]})
    >>> leave_out_learned(table[1:], table[1:3], of=table)["nights"].to_list()
    [3, 3]
    """
    names = [name for name in learned.columns if name in sealed.columns]
    common = of.select(names).filter(of.select(names).is_duplicated())
    copies = learned.select(names).join(common, on=names, how="anti", nulls_equal=True)
    return sealed.join(copies, on=names, how="anti", nulls_equal=True)
