"""One attack as a person reads it, and the words that all of them share."""

from __future__ import annotations

from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.secure.lights import Light

STATUS = {"red": "Red", "amber": "Amber", "green": "Green", None: "Too few rows to say"}
TITLES = {
    "membership": "Was this row learned from?",
    "attributes": "What does it tell about people?",
    "inversion": "Can it be asked for rows it learned from?",
    "evasion": "How little turns a decision over?",
    "extraction": "How good is a copy?",
    "poison": "Does it look as if it was misled?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One attack, as a person reads it.

    Parameters
    ----------
    attack : {"membership", "attributes", "inversion", "evasion", "extraction", "poison"}
    light : {"red", "amber", "green"} or None
    headline : str
        What came of it, in one sentence.
    sentences : tuple of str
    remedy : str
        What helps; empty where nothing has to.
    not_measured : str
        What the light does not speak of.
    measured : tuple of Measurement
    """

    attack: str
    light: Light | None
    headline: str
    sentences: tuple[str, ...] = ()
    remedy: str = ""
    not_measured: str = ""
    measured: tuple[Measurement, ...] = ()

    @property
    def title(self) -> str:
        """Return the question that the attack answers."""
        return TITLES[self.attack]

    @property
    def status(self) -> str:
        """Return the light in words."""
        return STATUS[self.light]


def tell_too_few(attack: str, n_rows: int) -> Told:
    """Say that there are too few rows for an attack to mean anything."""
    return Told(attack=attack, light=None, headline=f"{n_rows:,} rows are too few to say.")


def say_percent(share: float) -> str:
    """Return a share with as many digits as tell it from its neighbours.

    Examples
    --------
    >>> say_percent(0.0486), say_percent(0.00143), say_percent(0.41), say_percent(1.0)
    ('4.9 %', '0.14 %', '41 %', '100 %')
    """
    percent = 100 * share
    if percent == 0 or percent >= 10:  # noqa: PLR2004  from ten on no decimal is needed
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 1 else f"{percent:.2f} %"


def say_range(found: Measurement) -> str:
    """Return a share with its range.

    Examples
    --------
    >>> say_range(Measurement(name="flipped_by_1", value=0.3, low=0.067, high=0.652))
    '30 % (6.7 % to 65 %)'
    """
    if found.low is None or found.high is None:
        return say_percent(found.value)
    return f"{say_percent(found.value)} ({say_percent(found.low)} to {say_percent(found.high)})"
