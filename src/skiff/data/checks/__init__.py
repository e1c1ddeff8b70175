"""What ruins models, looked for in every table.

Each module finds one family and returns `Finding`s: what, why it matters, what to do, and what Skiff did about it. The
rule for all of them: few, true, worst first. A check that cannot tell a mistake from an honest rarity asks a question
instead of accusing, and findings of little weight about many columns are one line.

`leakage` is a court of its own; `check_table` calls it with the training rows only, so that the sealed rows stay sealed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from skiff.core.finding import Finding, sort_findings
from skiff.core.progress import Progress, Silent
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.conflicts import find_conflicting_labels
from skiff.data.checks.coverage import find_small_groups
from skiff.data.checks.duplicates import find_duplicate_rows
from skiff.data.checks.fixing import find_label_errors
from skiff.data.checks.imbalance import find_imbalance, find_rare_classes
from skiff.data.checks.labels import rank_label_doubts
from skiff.data.checks.leakage import find_leakage
from skiff.data.checks.levels import find_inconsistent_categories, find_mixed_types
from skiff.data.checks.privacy import find_personal_data
from skiff.data.checks.quality import find_constant, find_duplicate_columns, find_missing, find_near_constant
from skiff.data.checks.schema import find_schema_changes
from skiff.data.checks.values import find_strange_values
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.personal.kinds import NOBODY_ASKED, PersonalAnswers
from skiff.data.splits import Split
from skiff.data.task import encode_target

__all__ = [
    "check_table",
    "columns_left_out",
    "find_label_errors",
    "find_leakage",
    "find_schema_changes",
    "rank_label_doubts",
]

SILENT = Silent()


def check_table(  # noqa: PLR0913  the contract of the room: everything beyond the two nouns by name
    frame: pl.DataFrame,
    task: Task | None,
    *,
    inputs: Sequence[InputColumn],
    split: Split | None = None,
    seed: int = 0,
    threads: int = 2,
    keep: Collection[str] = (),
    facts: Mapping[str, ColumnFacts] | None = None,
    personal: PersonalAnswers = NOBODY_ASKED,
    progress: Progress = SILENT,
) -> list[Finding]:
    """Look for everything that could ruin a model, worst first.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed table.
    task : Task or None
        Without one only quality and privacy are looked at.
    inputs : sequence of InputColumn
        Columns that a model could take.
    split : Split, optional
        Leaks are judged on its training rows only; without one, on all rows.
    seed, threads : int
        For the leak court's quick models; what is looked for beside the court takes one more.
    keep : collection of str
        Columns to keep in spite of a finding; its action is then ``kept``.
    facts : mapping, optional
        What `skiff.data.facts.gather_facts` counted, where it has been done already.
    personal : PersonalAnswers
        What a person has said of columns, personal or not; it wins over what is found.
    progress : Progress, optional

    Returns
    -------
    list of Finding
        In `sort_findings` order. ``action="left_out"`` where a column is taken away (`columns_left_out`).

    Examples
    --------
    >>> from skiff.data.kinds import infer_inputs
    >>> table = pl.DataFrame({"price": [float(price) for price in range(60)], "currency": ["EUR"] * 60})
    >>> [(finding.code, finding.action) for finding in check_table(table, None, inputs=infer_inputs(table))]
    [('quality.constant', 'left_out')]
    """
    progress.step("counting values")
    facts = facts if facts is not None else gather_facts(frame)
    roles = {name for name in (task.target, task.time, task.group) if name} if task else set()
    counted = facts

    def find_beside() -> list[Finding]:
        return [
            *find_duplicate_columns(counted, without=roles, keep=keep),
            *find_personal_data(counted, without=roles, keep=keep, said=personal),
            *find_duplicate_rows(frame, counted, split=split),
            *(_find_about_answers(frame, task, counted, inputs=inputs) if task else ()),
        ]

    with ThreadPoolExecutor(max_workers=1) as pool:  # beside the court, whose models leave a core idle now and then
        beside = pool.submit(find_beside)
        leaks = []
        if task is not None:
            rows, test_rows = (split.train, split.test) if split else (None, None)
            leaks = find_leakage(
                frame,
                task,
                inputs,
                rows=rows,
                test_rows=test_rows,
                seed=seed,
                threads=threads,
                keep=keep,
                progress=progress,
            )
        rest = beside.result()
    # A column that is left out for a leak is not worth a word about its gaps and spellings.
    gone = {name for finding in leaks if finding.action == "left_out" for name in finding.columns}
    used = {name: fact for name, fact in facts.items() if name not in gone}
    findings = [
        *leaks,
        *_find_untidy(used, without={task.target} if task else set()),
        *find_constant(used, without={task.target} if task else set()),
        *rest,
    ]
    return sort_findings([_respect(finding, keep) for finding in findings])


def _find_untidy(facts: Mapping[str, ColumnFacts], *, without: Collection[str]) -> list[Finding]:
    """Find what is untidy inside single columns."""
    return [
        *find_missing(facts, without=without),
        *find_near_constant(facts, without=without),
        *find_strange_values(facts),
        *find_inconsistent_categories(facts),
        *find_mixed_types(facts),
    ]


def _find_about_answers(
    frame: pl.DataFrame, task: Task, facts: Mapping[str, ColumnFacts], *, inputs: Sequence[InputColumn]
) -> list[Finding]:
    """Find what is wrong with the answers, and where there are too few of them."""
    y, _ = encode_target(frame, task)
    names = [column.name for column in inputs]
    return [
        *find_imbalance(y, task),
        *find_rare_classes(y, task),
        *find_conflicting_labels(frame, y, task, facts={name: facts[name] for name in names}),
        *find_small_groups(facts, among=names, protected=task.protected),
    ]


def columns_left_out(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the columns that findings take away, each with the code of the worst finding that says so.

    Examples
    --------
    >>> columns_left_out([Finding(code="quality.constant", severity="info", columns=("currency",), action="left_out")])
    {'currency': 'quality.constant'}
    """
    left_out: dict[str, str] = {}
    for finding in sort_findings(list(findings)):
        if finding.action == "left_out":
            for name in finding.columns:
                left_out.setdefault(name, finding.code)
    return left_out


def _respect(finding: Finding, keep: Collection[str]) -> Finding:
    """Return the finding as it is acted on: what the user keeps is kept."""
    is_kept = finding.action == "left_out" and any(name in keep for name in finding.columns)
    return replace(finding, action="kept", remedy="It is kept, as you asked.") if is_kept else finding
