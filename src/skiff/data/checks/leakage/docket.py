"""What is known of the case before anyone is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.events import find_leads, find_telling_gaps
from skiff.data.checks.leakage.identifiers import find_identities, judge_identities
from skiff.data.checks.leakage.power import Power, measure_alone
from skiff.data.checks.leakage.states import State, tabulate_blanks, tabulate_states
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.texts import find_naming_texts
from skiff.data.checks.leakage.witness import Bench, build_bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Docket:
    """What is known of the case before anyone is judged; measured once, used in every sitting.

    Parameters
    ----------
    case : Case
    bench : Bench
    powers : mapping of str to Power
    states : mapping of str to tuple of State
    blanks : mapping of str to pair of State
    shifts : mapping of str to int
        Columns that are the target moved in time: steps ahead (a leak) or behind (strong and honest), by name.
    told : tuple of Suspicion
        What texts and gaps between dates give away.
    identities : frozenset of str
        Columns that name rows; no witness hears them.
    """

    case: Case
    bench: Bench
    powers: Mapping[str, Power]
    states: Mapping[str, tuple[State, ...]]
    blanks: Mapping[str, tuple[State, State]]
    shifts: Mapping[str, int] = field(default_factory=dict)
    told: tuple[Suspicion, ...] = ()
    identities: frozenset[str] = frozenset()

    @property
    def lags(self) -> set[str]:
        """Columns that hold earlier values of the target."""
        return {name for name, steps in self.shifts.items() if steps < 0}

    def list_free(self, guilty: Collection[str]) -> list[str]:
        """Return the columns that are neither guilty nor mere names of rows."""
        return [name for name in self.powers if name not in guilty and name not in self.identities]


def open_docket(case: Case) -> tuple[Docket, list[Suspicion]]:
    """Measure what every sitting needs, and the verdicts on columns that only name rows."""
    powers = measure_alone(case)
    identities = find_identities(case)
    named = judge_identities(case, identities, powers)
    docket = Docket(
        case=case,
        bench=build_bench(case, powers),
        powers=powers,
        states=tabulate_states(case, powers, without=identities),
        blanks=tabulate_blanks(case),
        shifts=find_leads(case),
        told=(*find_naming_texts(case), *find_telling_gaps(case, powers, without=())),
        identities=frozenset(identities),
    )
    return docket, named
