"""Judge a candidate and write down that its sealed test set was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from skiff.core.evidence import Json
from skiff.core.progress import Progress
from skiff.evaluate.prices import MATRIX, refuse_half_costs
from skiff.evaluate.results import Decision, Gate
from skiff.flows.candidates import hash_split
from skiff.flows.contracts import judge_contract
from skiff.flows.evaluate import Verdict, judge_candidate
from skiff.flows.population import read_population
from skiff.flows.prepare import Prepared
from skiff.flows.train import Candidate
from skiff.flows.weighting import tell_weighted_score
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, how often these sealed rows have been looked at, and the ledger records that say so."""

    verdict: Verdict
    looks: int
    evidence: dict[str, str]


def judge_and_record(
    workspace: Workspace,
    prepared: Prepared,
    candidate: Candidate,
    *,
    dataset_sha: str,
    at: Callable[[], str],
    progress: Progress | None = None,
) -> Judgement:
    """Judge by the workspace's criteria and costs; the look is counted before the rows are opened."""
    settings = workspace.settings
    if prepared.task.kind == "binary":
        refuse_half_costs(settings.costs)
    looks = workspace.count_look(dataset_sha, hash_split(workspace, prepared.split))
    verdict = judge_candidate(
        prepared,
        candidate,
        costs=settings.costs,
        criteria=settings.criteria.require,
        looks=looks,
        progress=progress,
    )
    broken = judge_contract(prepared.findings)
    if broken is not None:
        verdict = replace(verdict, gate=Gate(passed=False, verdicts=(*verdict.gate.verdicts, broken)))
    population = read_population(settings, folder=workspace.root, given=None)
    if population:
        notes = (tell_weighted_score(prepared, candidate, population), *verdict.evaluation.notes)
        verdict = replace(verdict, evaluation=replace(verdict.evaluation, notes=notes))
    evaluated = workspace.ledger.append(
        "evaluate",
        subject=dataset_sha,
        result={
            "look": looks,
            "headline": verdict.evaluation.headline,
            "beats_baseline": verdict.evaluation.beats_baseline,
            "metrics": {name: asdict(metric) for name, metric in verdict.evaluation.metrics.items()},
            "baselines": {
                item.name: {name: metric.value for name, metric in item.metrics.items()}
                for item in verdict.evaluation.baselines
            },
            "slices": [asdict(item) for item in verdict.evaluation.slices],
            "threshold": candidate.threshold,
            "decision": describe_decided(verdict.evaluation.decision),
            "stability": None if verdict.evaluation.stability is None else asdict(verdict.evaluation.stability),
        },
        at=at(),
    )
    gated = workspace.ledger.append(
        "gate",
        subject=dataset_sha,
        result={"passed": verdict.gate.passed, "verdicts": [asdict(item) for item in verdict.gate.verdicts]},
        at=at(),
    )
    return Judgement(verdict=verdict, looks=looks, evidence={"evaluate": evaluated.id, "gate": gated.id})


def describe_decided(decision: Decision | None) -> dict[str, Json] | None:
    """Return why the threshold is where it is and what costs it is reckoned with, so that a saving can be checked.

    ``costs`` are as written in the settings, null where nobody said; ``mean_costs`` those of the mean row judged, in money.

    Examples
    --------
    >>> describe_decided(Decision(threshold=0.5, reason="asked", flagged=0.2))["flagged"]
    0.2
    """
    if decision is None:
        return None
    typical = decision.typical
    costs: dict[str, Json] | None = None
    if decision.costs is not None:
        costs = asdict(decision.costs) | {"by_amount": list(decision.costs.by_amount)}
    return {
        "reason": decision.reason,
        "flagged": decision.flagged,
        "costs": costs,
        "mean_costs": None if typical is None else {name: getattr(typical, name) for name in MATRIX},
        "saving": None if decision.saving_per_row is None else decision.saving_per_row.method,
        "saving_against_all": decision.saving_against_all,
    }
