"""Refuse settings that a table or a question cannot meet: before anything is trained, not after it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.core.task import Costs
from skiff.evaluate.criteria import Criterion, parse_criterion, refuse_unmeasured
from skiff.evaluate.prices import find_typical_costs, has_matrix
from skiff.evaluate.slices import find_groups
from skiff.evaluate.threshold import find_capacity_share, find_theoretical_threshold
from skiff.flows.prepare import Prepared
from skiff.flows.promises import find_amounts

CLOSE_ENOUGH = 0.6
"""How alike a column's name must be to be meant (`difflib`), as for other names that are not found."""

MOST_COLUMNS = 20


def refuse_unfit(settings: Settings, prepared: Prepared) -> None:
    """Refuse criteria and costs that could only fail once the model is there.

    Parameters
    ----------
    settings : Settings
        Those of the workspace.
    prepared : Prepared
        What is to be trained on; targets of sealed rows are not looked at.

    Raises
    ------
    SkiffError
        ``bad_criterion``; ``column_not_found``, ``amount_not_a_number``, ``capacity_without_rows``, ``costs_contradict``.
    """
    refuse_unmeasured(settings.criteria.require, prepared.task, settings.costs)
    refuse_groupless(settings.criteria.require, prepared)
    if settings.costs is not None:
        refuse_bad_costs(settings.costs, prepared)


def refuse_groupless(criteria: Sequence[str], prepared: Prepared) -> None:
    """Refuse a gap between the groups of a column that is not there, or by which no groups are told apart.

    Raises
    ------
    SkiffError
        ``bad_criterion``, with the closest name that has groups.
    """
    asked = [made for made in map(parse_criterion, criteria) if made.kind == "group_gap"]
    if not asked:
        return
    named = {made.column for made in asked} & set(prepared.frame.columns)
    protected = [name for name in prepared.task.protected if name in named]
    inputs = [column for column in prepared.inputs if column.name in named]
    test = prepared.frame.select(sorted(named))[prepared.split.test] if named else prepared.frame.head(0)
    grouped = {group.column for group in find_groups(test, inputs, protected=protected)}
    for made in asked:
        if made.column not in grouped:
            raise _build_refusal(made, prepared, is_there=made.column in prepared.frame.columns)


def _build_refusal(made: Criterion, prepared: Prepared, *, is_there: bool) -> SkiffError:
    usable = [*prepared.task.protected, *(column.name for column in prepared.inputs if column.kind != "text")]
    if not is_there:
        why = "which is not a column of the table"
        fix = f"{_suggest(made.column, usable)}Columns with groups are: {_list(usable)}."
    elif made.column in usable:
        why = "whose rows for judging all have the same value, or values too rare to be told"
        fix = "Take the criterion out, or keep more rows aside."
    else:
        why = "which the model does not learn from and which is not protected"
        fix = f'To judge by it without learning from it, write  protected = ["{made.column}"]  under [task].'
    return SkiffError(
        "bad_criterion",
        what=f"The criterion '{made.text}' compares the groups of '{made.column}', {why}.",
        where={"setting": "criteria.require", "criterion": made.text, "column": made.column},
        fix=fix,
    )


def _suggest(name: str, known: Collection[str]) -> str:
    lowered = {column.lower(): column for column in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=CLOSE_ENOUGH)
    return f"Did you mean '{lowered[close[0]]}'? " if close else ""


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_COLUMNS} more" if len(names) > MOST_COLUMNS else ""
    return ", ".join(names[:MOST_COLUMNS]) + more if names else "none here"


def refuse_bad_costs(costs: Costs, prepared: Prepared) -> None:
    """Refuse costs that name a column that is not there, contradict each other, or limit rows without saying of how many.

    Raises
    ------
    SkiffError
        ``column_not_found``, ``amount_not_a_number``, ``capacity_without_rows``, ``costs_contradict``.
    """
    amounts = find_amounts(prepared.frame[prepared.split.train], costs)
    if prepared.task.kind != "binary":
        return
    find_capacity_share(costs)
    if costs.capacity_per_week is None or has_matrix(costs):
        find_theoretical_threshold(find_typical_costs(costs, amounts))
