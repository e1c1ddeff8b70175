"""Change cells until decisions turn over."""

from __future__ import annotations

from skiff.flows.secure.siege import Siege
from skiff.report.secure import Told, tell_evasion
from skiff.secure.evasion import measure_evasion


def attack_evasion(siege: Siege) -> Told | str:
    """Change cells until decisions turn over."""
    if siege.champion.task.kind == "regression":
        return "Evasion was not tried: a model of numbers takes no decision that could be turned over."
    siege.progress.stage("Evasion", "cells that people can change")
    found = measure_evasion(
        siege.suspect,
        siege.take(siege.strangers),
        siege.take(siege.champion.train),
        immutable=siege.settings.secure.immutable,
        seed=siege.wishes.seed,
    )
    return siege.own_up(tell_evasion(found))
