"""Champion and challenger answer the same rows, which neither has learned from."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from skiff.data.task import encode_target
from skiff.deploy.predictor import Predictor
from skiff.evaluate.challenge import Challenge, Rows, judge_challenge
from skiff.flows.champion import Champion
from skiff.flows.evaluate import answer_frame


def compare(
    champion: Champion, model: bytes, recent: pl.DataFrame, *, learned: pl.DataFrame, is_promise_kept: bool, seed: int
) -> Challenge:
    """Answer the sealed rows with both released files and judge the difference; `learned` are the challenger's training rows."""
    challenger = Predictor(model)
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
    return judge_challenge(
        replace(champion.task, protected=tuple(name for name in champion.task.protected if name in recent.columns)),
        judged[0],
        judged[1] if len(judged) > 1 else None,
        known,
        champion.predictor.signature.inputs,
        is_promise_kept=is_promise_kept,
        seed=seed,
    )


def leave_out_learned(sealed: pl.DataFrame, learned: pl.DataFrame, *, of: pl.DataFrame) -> pl.DataFrame:
    """Return the sealed rows without those that came back in use with their outcomes, so that a challenger learned from them.

    Parameters
    ----------
    sealed, learned : DataFrame
    of : DataFrame
        The table that `sealed` is from: a row that stands in it more than once is a common one, and stays.

    Examples
    --------
    >>> table = pl.DataFrame({"nights": [1, 2, 3, 3], "stayed": ["yes", "no", "no", "no"]})
    >>> leave_out_learned(table[1:], table[1:3], of=table)["nights"].to_list()
    [3, 3]
    """
    names = [name for name in learned.columns if name in sealed.columns]
    rare = of.select(names).filter(of.select(names).is_unique())
    came_back = rare.join(learned.select(names), on=names, how="semi", nulls_equal=True)
    return sealed.join(came_back, on=names, how="anti", nulls_equal=True)
