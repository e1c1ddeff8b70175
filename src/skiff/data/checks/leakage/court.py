"""The sittings of the court: accuse, hear the rest of the table, judge, and sit again without the guilty."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.finding import Finding, sort_findings
from skiff.core.progress import Progress, Silent
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.leakage.accomplices import ask_about_partners, build_formula_suspicion, find_doubles
from skiff.data.checks.leakage.case import build_case
from skiff.data.checks.leakage.clock import find_clock
from skiff.data.checks.leakage.copies import Rule, accuse_rules, judge_number_copies, judge_rules
from skiff.data.checks.leakage.derived import find_formula
from skiff.data.checks.leakage.docket import Docket, open_docket
from skiff.data.checks.leakage.events import (
    build_lead,
)
from skiff.data.checks.leakage.groups import find_likely_groups, find_straddling_groups
from skiff.data.checks.leakage.identifiers import find_sorted_file
from skiff.data.checks.leakage.missingness import BlankClaim, accuse_blanks, judge_missingness
from skiff.data.checks.leakage.pairs import find_pair_rules, judge_pair_rule
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proxies import accuse_proxies, judge_proxies
from skiff.data.checks.leakage.purity import FlagClaim, accuse_flags, judge_purity
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.traces import find_traces
from skiff.data.checks.leakage.twins import find_twins
from skiff.data.checks.leakage.verdicts import keep_strongest, pronounce, score_suspects
from skiff.data.checks.leakage.witness import (
    call_witness,
)

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

SILENT = Silent()
"""Hears nothing."""

MAX_SITTINGS = 6
"""The court rises when a sitting condemns nobody; leaks hidden six deep have not been seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """Who stands accused on structural grounds, before the rest of the table is heard."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    proxies: Mapping[str, Power] = field(default_factory=dict)
    blanks: Mapping[str, BlankClaim] = field(default_factory=dict)
    flags: Mapping[str, FlagClaim] = field(default_factory=dict)

    @property
    def accused(self) -> set[str]:
        """Names of all accused columns: their testimony about each other is not heard."""
        return {*self.rules, *self.proxies, *self.blanks, *self.flags}


def find_leakage(  # noqa: PLR0913  the contract of the room: everything beyond the three nouns by name
    frame: pl.DataFrame,
    task: Task,
    inputs: Sequence[InputColumn],
    *,
    rows: NDArray[np.int64] | None = None,
    test_rows: NDArray[np.int64] | None = None,
    seed: int = 0,
    threads: int = 2,
    keep: Collection[str] = (),
    progress: Progress = SILENT,
) -> list[Finding]:
    """Try every input column for leakage and return the verdicts with their proof.

    Parameters
    ----------
    frame : polars.DataFrame
        The whole typed table: numbers Float64 or Int64, Boolean, String, Date or Datetime("us").
    task : Task
    inputs : sequence of InputColumn
        Candidate columns with their kinds; the target, group and protected columns are not among them.
    rows : ndarray of int64, optional
        Training positions: only these are judged. Default: every row.
    test_rows : ndarray of int64, optional
        Test positions, looked at only for copies of training rows and for groups on both sides; never for the target.
    seed : int
        Seed of sampling and cross-fitting; the same seed gives the same findings.
    threads : int
        Threads of the quick models.
    keep : collection of str
        Columns that the user keeps in spite of a verdict: their findings have the action ``kept``.
    progress : Progress, optional
        Told how far the court is.

    Returns
    -------
    list of Finding
        Worst first. ``block`` means proven (action ``left_out``, or ``kept``); ``warn`` means suspicious but not provable
        from the data (action ``asked``, the column stays in training), except for identifiers, which are left out because
        they cannot generalise.

    Notes
    -----
    Models are fitted on at most 20,000 rows; counts of states, blanks and levels use every row. Fewer than 24 answered
    rows are not judged at all. The court cannot see a leak that behaves like an honest strong feature: such a column is at
    most asked about.

    Examples
    --------
    A lifeboat number that only the saved have:

    >>> import numpy as np, polars as pl
    >>> rng = np.random.default_rng(0)
    >>> saved = rng.random(400) < 0.4
    >>> table = pl.DataFrame({"age": rng.normal(40.0, 9.0, 400), "saved": saved})
    >>> table = table.with_columns(boat=pl.when("saved").then(pl.lit("A")))
    >>> found = find_leakage(table, Task(kind="binary", target="saved", classes=("false", "true"), positive="true"),
    ...                      [InputColumn(name="age", kind="number"), InputColumn(name="boat", kind="category")])
    >>> [(finding.code, finding.severity, finding.columns, finding.action) for finding in found]
    [('leakage.missingness', 'block', ('boat',), 'left_out')]
    """
    case = build_case(frame, task, inputs, rows=rows, seed=seed, threads=threads)
    if case is None or not case.inputs:
        return []
    progress.step("looking at each column alone")
    docket, names = open_docket(case)

    def find_beside() -> list[Suspicion]:
        twins = find_twins(frame, case, test_rows=test_rows, without=docket.identities) if test_rows is not None else []
        straddling = find_straddling_groups(frame, case, test_rows=test_rows) if test_rows is not None else []
        return [*find_sorted_file(case), *find_clock(case), *twins, *straddling]

    with ThreadPoolExecutor(max_workers=1) as pool:  # what needs no verdict, while the witnesses are heard
        beside = pool.submit(find_beside)
        proven, doubtful = _hold_sittings(docket, progress=progress)
        told = [*names, *beside.result()]
    guilty = {name for suspicion in proven for name in suspicion.columns}
    broken = [suspicion for suspicion in proven if not set(suspicion.columns) & set(keep)]
    doubtful = keep_strongest([*doubtful, *ask_about_partners(case, broken, guilty=guilty, innocent=docket.lags)])
    progress.step("measuring the score with and without each suspect")
    scored = score_suspects(docket, [*proven, *doubtful], guilty=guilty)
    told += find_likely_groups(case, docket.powers, without=guilty | docket.identities)
    return sort_findings([finding for suspicion in [*scored, *told] for finding in pronounce(suspicion, keep=keep)])


def _hold_sittings(docket: Docket, *, progress: Progress) -> tuple[list[Suspicion], list[Suspicion]]:
    """Sit until nobody new is condemned; return the proven and the doubtful suspicions, one for each set of columns."""
    proven: list[Suspicion] = []
    doubtful: list[Suspicion] = []
    for sitting in range(1, MAX_SITTINGS + 1):
        progress.step(f"trying columns that may hold the answer (round {sitting})", done=sitting, total=MAX_SITTINGS)
        guilty = {name for suspicion in proven for name in suspicion.columns}
        heard = keep_strongest(_sit(docket, guilty))
        condemned = [suspicion for suspicion in heard if suspicion.severity == "block"]
        named = guilty | {name for suspicion in condemned for name in suspicion.columns}
        condemned += find_doubles(docket.case, condemned, free=docket.list_free(named | docket.lags))
        doubtful = [suspicion for suspicion in heard if suspicion.severity != "block"]
        proven += [replace(suspicion, evidence={**suspicion.evidence, "sitting": sitting}) for suspicion in condemned]
        if not condemned:
            break
    guilty = {name for suspicion in proven for name in suspicion.columns}
    return proven, [suspicion for suspicion in doubtful if not set(suspicion.columns) <= guilty]


def _sit(docket: Docket, guilty: set[str]) -> list[Suspicion]:
    """Hold one sitting over the columns that are not `guilty`."""
    case = docket.case
    free = docket.list_free(guilty)
    exact = _find_exact(docket, guilty)
    if exact:
        return exact
    charges = _accuse(docket, free)
    witness = call_witness(case, docket.bench, [name for name in free if name not in charges.accused])
    blanks = {name: pair for name, pair in docket.blanks.items() if name in free}
    found = [
        *judge_rules(case, witness, charges.rules),
        *judge_proxies(case, witness, charges.proxies),
        *judge_missingness(case, witness, charges.blanks, blanks),
        *judge_purity(case, witness, charges.flags),
    ]
    if any(suspicion.severity == "block" for suspicion in found):
        return found
    # What follows looks at what is left; it would be wasted on a table from which somebody is still to be removed.
    found += [
        judge_pair_rule(case, docket.bench, pair, others=free)
        for pair in find_pair_rules(case, docket.powers, without={*guilty, *docket.identities})
    ]
    return found + find_traces(docket, free)


def _find_exact(docket: Docket, guilty: set[str]) -> list[Suspicion]:
    """Return what needs no witness: copies, leads, formulas, telling texts and gaps between dates."""
    case = docket.case
    free = {name: power for name, power in docket.powers.items() if name not in guilty and name not in docket.lags}
    found = [build_lead(case, name, steps) for name, steps in docket.shifts.items() if steps > 0 and name in free]
    named = docket.identities
    found += [copy for copy in judge_number_copies(case, free) if copy.columns[0] not in named]
    if not found:
        formula = find_formula(case, without=guilty | named)
        if formula:
            found.append(build_formula_suspicion(case, docket.bench, formula, others=free, innocent=docket.lags))
    found += [suspicion for suspicion in docket.told if not set(suspicion.columns) <= guilty]
    return found if any(suspicion.severity == "block" for suspicion in found) else []


def _accuse(docket: Docket, free: Sequence[str]) -> Charges:
    """Accuse on structural grounds every free column that deserves it."""
    case = docket.case
    powers = {name: docket.powers[name] for name in free if name not in docket.lags}
    states = {name: docket.states[name] for name in free if name in docket.states}
    return Charges(
        rules=accuse_rules(case, powers, states),
        proxies=accuse_proxies(case, powers),
        blanks=accuse_blanks(case, {name: docket.blanks[name] for name in free if name in docket.blanks}),
        flags=accuse_flags(case, states),
    )
