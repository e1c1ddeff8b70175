"""Make up rows that please the model, and see whom they resemble."""

from __future__ import annotations

from skiff.flows.secure.siege import Siege
from skiff.report.secure import Told, tell_inversion
from skiff.secure.inversion import measure_inversion


def attack_inversion(siege: Siege) -> Told | str:
    """Make up rows that please the model, and see whom they resemble."""
    champion = siege.champion
    if not len(champion.test):
        return "Inversion was not tried: no row was kept aside that the model did not learn from."
    siege.progress.stage("Inversion", "rows made up to please the model")
    found = measure_inversion(
        siege.suspect, siege.take(champion.train), siege.take(champion.test), seed=siege.wishes.seed
    )
    return tell_inversion(found)
