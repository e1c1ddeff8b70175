"""Judge a candidate and write down that its sealed test set was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from skiff.core.progress import Progress
from skiff.evaluate.results import Gate
from skiff.flows.candidates import hash_split
from skiff.flows.contracts import judge_contract
from skiff.flows.evaluate import Verdict, judge_candidate
from skiff.flows.measured import tell_evaluation
from skiff.flows.population import read_population
from skiff.flows.prepare import Prepared
from skiff.flows.train import Candidate
from skiff.flows.weighting import tell_weighted_score
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, how often these sealed rows have been looked at, and the ledger records that say so.

    `other_sealed` counts the other sets of sealed rows of the same table that were judged on: another seed draws others.
    """

    verdict: Verdict
    looks: int
    other_sealed: int
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
    sealed = hash_split(workspace, prepared.split)
    looks = workspace.count_look(dataset_sha, sealed)
    others = sum(other != sealed for other in workspace.runs.list_sealed(dataset_sha))
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
        result=tell_evaluation(verdict.evaluation, threshold=candidate.threshold, other_sealed=others),
        at=at(),
    )
    gated = workspace.ledger.append(
        "gate",
        subject=dataset_sha,
        result={"passed": verdict.gate.passed, "verdicts": [asdict(item) for item in verdict.gate.verdicts]},
        at=at(),
    )
    return Judgement(
        verdict=verdict, looks=looks, other_sealed=others, evidence={"evaluate": evaluated.id, "gate": gated.id}
    )
