"""Look for signs that decide alone and for nests of contradicted answers."""

from __future__ import annotations

from skiff.flows.secure.siege import Siege
from skiff.report.secure import Told, tell_poison
from skiff.secure.poison import measure_poison


def attack_poison(siege: Siege) -> Told | str:
    """Look for signs that decide alone and for nests of contradicted answers."""
    champion, outside = siege.champion, siege.outside
    if champion.task.kind == "regression":
        return "Poison was not looked for: the hints are made for decisions, not for numbers."
    siege.progress.stage("Poison", "signs and contradicted answers")
    rows = siege.sample() if outside is None else outside.rows
    found = measure_poison(
        siege.suspect,
        siege.take(rows),
        siege.y[rows],
        outside=None if outside is None else outside.answers,
        seed=siege.wishes.seed,
    )
    return tell_poison(found, table=champion.table.name, rows=(rows + 1).tolist())
