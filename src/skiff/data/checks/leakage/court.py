"""The sittings of the court: accuse, hear the rest of the table, judge, and sit again without the guilty."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.finding import SEVERITY_ORDER, EvidenceValue, Finding, sort_findings
from skiff.core.progress import Progress, Silent
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.leakage.case import Case, build_case
from skiff.data.checks.leakage.clock import find_clock
from skiff.data.checks.leakage.copies import Rule, accuse_rules, judge_number_copies, judge_rules
from skiff.data.checks.leakage.derived import build_formula_suspicion, find_formula
from skiff.data.checks.leakage.events import (
    build_lead,
    build_supported,
    find_late_dates,
    find_leads,
    find_supported,
    find_telling_gaps,
)
from skiff.data.checks.leakage.groups import find_likely_groups, find_straddling_groups
from skiff.data.checks.leakage.identifiers import find_identities, find_sorted_file, judge_identities
from skiff.data.checks.leakage.missingness import BlankClaim, accuse_blanks, judge_missingness
from skiff.data.checks.leakage.pairs import find_pair_rules, judge_pair_rule
from skiff.data.checks.leakage.power import Power, measure_alone
from skiff.data.checks.leakage.proof import Z_95
from skiff.data.checks.leakage.proxies import accuse_proxies, build_dominance, judge_proxies
from skiff.data.checks.leakage.purity import FlagClaim, accuse_flags, judge_purity
from skiff.data.checks.leakage.states import State, tabulate_blanks, tabulate_states
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.texts import find_naming_texts
from skiff.data.checks.leakage.twins import find_twins
from skiff.data.checks.leakage.witness import (
    Bench,
    Witness,
    build_bench,
    call_witness,
    measure_losses,
    measure_score,
    measure_skill,
)

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

SILENT = Silent()
"""Hears nothing."""

MAX_SITTINGS = 4
"""The court rises when a sitting condemns nobody; leaks hidden four deep have not been seen."""

MAX_SCORED = 12
"""Suspects for which the score with and without is measured, strongest first; each costs one or two cross-fits."""

DOMINANT_SHARE = 0.5
"""Share of the model's advantage over guessing that must rest on one column before the client is asked about it."""

DOMINANT_AUC = 0.75
DOMINANT_R2 = 0.4
"""What such a column must tell alone."""

SKILL_LEFT = 0.05
"""A model that saves less of the loss than this has no score that could rest on anything."""


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
    lags : frozenset of str
        Columns that hold earlier values of the target: strong and honest.
    identities : frozenset of str
        Columns that name rows; no witness hears them.
    """

    case: Case
    bench: Bench
    powers: Mapping[str, Power]
    states: Mapping[str, tuple[State, ...]]
    blanks: Mapping[str, tuple[State, State]]
    lags: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()

    def list_free(self, guilty: Collection[str]) -> list[str]:
        """Return the columns that are neither guilty nor mere names of rows."""
        return [name for name in self.bench.encodings if name not in guilty and name not in self.identities]


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
    docket, names = _open_docket(case)
    told = (
        [*names, *find_sorted_file(case, {}), *find_clock(case)]
        if not docket.identities
        else [*names, *find_clock(case)]
    )
    proven, doubtful = _hold_sittings(docket, progress=progress)
    guilty = {name for suspicion in proven for name in suspicion.columns}
    progress.step("measuring the score with and without each suspect")
    scored = _score_suspects(docket, [*proven, *doubtful], guilty=guilty)
    if test_rows is not None:
        told += find_twins(frame, case, test_rows=test_rows, without=guilty | docket.identities)
        told += find_straddling_groups(frame, case, test_rows=test_rows)
    told += find_likely_groups(case, docket.powers, without=guilty | docket.identities)
    return sort_findings([finding for suspicion in [*scored, *told] for finding in _pronounce(suspicion, keep=keep)])


def _open_docket(case: Case) -> tuple[Docket, list[Suspicion]]:
    """Measure what every sitting needs, and the verdicts on columns that only name rows."""
    powers = measure_alone(case)
    identities = find_identities(case)
    named = judge_identities(case, identities, powers)
    lags = frozenset(name for name, steps in find_leads(case).items() if steps < 0)
    docket = Docket(
        case=case,
        bench=build_bench(case),
        powers=powers,
        states=tabulate_states(case, powers),
        blanks=tabulate_blanks(case),
        lags=lags,
        identities=frozenset(identities),
    )
    return docket, named


def _hold_sittings(docket: Docket, *, progress: Progress) -> tuple[list[Suspicion], list[Suspicion]]:
    """Sit until nobody new is condemned; return the proven and the doubtful suspicions, one for each set of columns."""
    proven: list[Suspicion] = []
    doubtful: list[Suspicion] = []
    for sitting in range(1, MAX_SITTINGS + 1):
        progress.step(f"the court sits ({sitting})", done=sitting, total=MAX_SITTINGS)
        guilty = {name for suspicion in proven for name in suspicion.columns}
        heard = _keep_strongest(_sit(docket, guilty))
        condemned = [suspicion for suspicion in heard if suspicion.severity == "block"]
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
    return found + _find_traces(docket, free)


def _find_exact(docket: Docket, guilty: set[str]) -> list[Suspicion]:
    """Return what needs no witness: copies, leads, formulas, telling texts and gaps between dates."""
    case = docket.case
    leads = {name: steps for name, steps in find_leads(case).items() if steps > 0 and name not in guilty}
    free = {name: power for name, power in docket.powers.items() if name not in guilty and name not in docket.lags}
    found = [build_lead(case, name, steps) for name, steps in leads.items()]
    found += [
        suspicion for suspicion in judge_number_copies(case, free) if suspicion.columns[0] not in docket.identities
    ]
    if not found:
        formula = find_formula(case, without=guilty | docket.identities)
        found += [build_formula_suspicion(case, formula)] if formula else []
    exact = [
        suspicion
        for suspicion in [*found, *find_naming_texts(case), *find_telling_gaps(case, docket.powers, without=guilty)]
        if not set(suspicion.columns) <= guilty
    ]
    return exact if any(suspicion.severity == "block" for suspicion in exact) else []


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


def _find_traces(docket: Docket, free: Sequence[str]) -> list[Suspicion]:
    """Return what is suspicious though not provable: late dates, telling headers, a score that rests on one column."""
    case = docket.case
    found = [suspicion for suspicion in find_late_dates(case) if suspicion.columns[0] in free]
    found += [
        s
        for s in [*find_naming_texts(case), *find_telling_gaps(case, docket.powers, without=())]
        if set(s.columns) <= set(free)
    ]
    whole = call_witness(case, docket.bench, free)
    supported = find_supported(
        case, {name: docket.powers[name] for name in free if name not in docket.lags}, docket.states
    )
    found += _hear_supported(docket, free, supported, whole)
    return found + _find_dominant(docket, free, whole)


def _hear_supported(
    docket: Docket, free: Sequence[str], supported: Mapping[str, str], whole: Witness
) -> list[Suspicion]:
    """Return the columns with a telling header whose absence, all together, costs a real part of the score."""
    if not supported:
        return []
    case = docket.case
    without = call_witness(case, docket.bench, [name for name in free if name not in supported])
    found: list[Suspicion] = []
    for name, word in supported.items():
        alone = whole if len(supported) == 1 else call_witness(case, docket.bench, [*without.columns, name])
        if _gains(case, alone, without):
            evidence = _tell_scores(case, alone, without)
            found.append(build_supported(case, name, word, docket.powers[name], evidence=evidence))
    return found


def _gains(case: Case, better: Witness, worse: Witness) -> bool:
    """Whether the loss falls, row by row, beyond chance (paired normal interval)."""
    gain = (measure_losses(case, worse) - measure_losses(case, better)) * case.weight
    return bool(gain.mean() > Z_95 * gain.std() / len(gain) ** 0.5)


def _tell_scores(case: Case, better: Witness, worse: Witness) -> dict[str, EvidenceValue]:
    """Return the two scores as evidence."""
    return {"score_with": measure_score(case, better, "with"), "score_without": measure_score(case, worse, "without")}


def _find_dominant(docket: Docket, free: Sequence[str], whole: Witness) -> list[Suspicion]:
    """Return the one column without which most of the model's advantage is gone, if there is one."""
    case = docket.case
    skill = measure_skill(case, whole)
    bar = DOMINANT_R2 if case.is_regression else DOMINANT_AUC
    strong = sorted(
        (docket.powers[name] for name in free if name not in docket.lags), key=lambda power: -power.score.value
    )[:2]
    if skill < SKILL_LEFT or len(free) < 3:  # noqa: PLR2004  with two columns one of them always dominates
        return []
    for power in strong:
        if power.score.value < bar:
            continue
        name = power.column.name
        without = call_witness(case, docket.bench, [other for other in free if other != name])
        share = 1.0 - max(0.0, measure_skill(case, without)) / skill
        if share >= DOMINANT_SHARE and _gains(case, whole, without):
            scores = [measure_score(case, whole, "with"), measure_score(case, without, "without")]
            return [build_dominance(case, name, power, share=share, score_with=scores[0], score_without=scores[1])]
    return []


def _keep_strongest(found: Sequence[Suspicion]) -> list[Suspicion]:
    """Return one suspicion for each set of columns: the most severe, then the strongest; the others are named in it."""
    kept: dict[tuple[str, ...], Suspicion] = {}
    ordered = sorted(found, key=lambda item: (SEVERITY_ORDER[item.severity], -item.strength, item.code))
    for suspicion in ordered:
        first = kept.get(suspicion.columns)
        if first is None:
            kept[suspicion.columns] = suspicion
        elif suspicion.code != first.code:
            also = first.evidence.get("also", ())
            codes = also if isinstance(also, tuple) else ()
            kept[suspicion.columns] = replace(first, evidence={**first.evidence, "also": (*codes, suspicion.code)})
    return list(kept.values())


def _score_suspects(docket: Docket, suspicions: Sequence[Suspicion], *, guilty: set[str]) -> list[Suspicion]:
    """Add the score with and without each suspect, all proven leaks but itself left out."""
    case = docket.case
    free = docket.list_free(guilty)
    base: Witness | None = None
    scored: list[Suspicion] = []
    for place, suspicion in enumerate(suspicions):
        if place >= MAX_SCORED or not suspicion.columns or "score_with" in suspicion.evidence:
            scored.append(suspicion)
            continue
        base = base or call_witness(case, docket.bench, free)
        if suspicion.severity == "block":
            better, worse = call_witness(case, docket.bench, [*free, *suspicion.columns]), base
        else:
            better, worse = (
                base,
                call_witness(case, docket.bench, [name for name in free if name not in suspicion.columns]),
            )
        scored.append(replace(suspicion, evidence={**suspicion.evidence, **_tell_scores(case, better, worse)}))
    return scored


def _pronounce(suspicion: Suspicion, *, keep: Collection[str]) -> list[Finding]:
    """Return the finding, or two where the user keeps only some of its columns."""
    action = suspicion.action or {"block": "left_out", "warn": "asked", "info": "none"}[suspicion.severity]
    if action != "left_out" or not suspicion.columns:
        return [_build_finding(suspicion, suspicion.columns, action=action)]
    out = tuple(name for name in suspicion.columns if name not in keep)
    kept = tuple(name for name in suspicion.columns if name in keep)
    parts = [(out, "left_out"), (kept, "kept")]
    return [_build_finding(suspicion, columns, action=doing) for columns, doing in parts if columns]


def _build_finding(suspicion: Suspicion, columns: tuple[str, ...], *, action: str) -> Finding:
    """Return the finding of one suspicion."""
    remedy = (
        "It is kept because you asked for it: the scores below are only true if it is known in time."
        if action == "kept"
        else suspicion.remedy
    )
    return Finding(
        code=suspicion.code,
        severity=suspicion.severity,
        columns=columns,
        rows=suspicion.rows,
        sample_rows=suspicion.sample_rows,
        evidence=dict(suspicion.evidence),
        what=suspicion.what,
        why_it_matters=suspicion.why_it_matters,
        remedy=remedy,
        action=action,  # type: ignore[arg-type]  # one of the three words above
        question=suspicion.question,
    )
