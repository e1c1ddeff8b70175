"""Make a copy by asking."""

from __future__ import annotations

from skiff.flows.secure.siege import Siege
from skiff.report.secure import Told, tell_extraction
from skiff.secure.extraction import measure_extraction


def attack_extraction(siege: Siege) -> Told:
    """Make a copy by asking."""
    siege.progress.stage("Extraction", "a copy made by asking")
    found = measure_extraction(
        siege.suspect, siege.take(siege.strangers), siege.take(siege.champion.train), seed=siege.wishes.seed
    )
    return siege.own_up(tell_extraction(found, is_value=siege.champion.task.kind == "regression"))
