"""Ask the model for columns of people it learned from, and of others."""

from __future__ import annotations

from skiff.data.personal import find_personal_columns
from skiff.flows.secure.siege import Siege
from skiff.report.secure import Told, tell_attributes
from skiff.secure.attributes import People, measure_attributes


def attack_attributes(siege: Siege) -> Told | str:
    """Ask the model for columns of people it learned from, and of others."""
    champion = siege.champion
    names, absent = _find_sensitive(siege)
    if not names:
        return (
            "Attribute inference was not tried: no column of the model is personal, or named under [secure] sensitive."
        )
    if not len(champion.test):
        return "Attribute inference was not tried: no row was kept aside that the model did not learn from."
    siege.progress.stage("Attributes", ", ".join(names))
    learned = People(rows=siege.take(champion.train), y=siege.y[champion.train])
    others = People(rows=siege.take(champion.test), y=siege.y[champion.test])
    found = measure_attributes(siege.suspect, learned, others, names, seed=siege.wishes.seed)
    return tell_attributes(found, absent=absent)


def _find_sensitive(siege: Siege) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns worth hiding: those named, else those found to be personal; and those named that the model does not take."""
    inputs = [column.name for column in siege.champion.predictor.signature.inputs]
    named = siege.settings.secure.sensitive
    if not named:
        found = {
            item.column for item in find_personal_columns(siege.champion.table.frame.select(inputs)) if item.is_personal
        }
        found = (found | set(siege.settings.privacy.personal)) - set(siege.settings.privacy.not_personal)
        named = tuple(name for name in inputs if name in found)
    return tuple(name for name in named if name in inputs), tuple(name for name in named if name not in inputs)
