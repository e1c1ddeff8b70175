"""The list of answers to look at first, as a file a person opens beside their table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from skiff.data.checks.fixing import Fix, list_fixes, measure_fixing, tell_fixes
from skiff.flows.export import disarm_formulas

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skiff.core.finding import Finding
    from skiff.flows.prepare import Prepared
    from skiff.store.workspace import Workspace

FIX_LIST = "fix_list.csv"


def find_fixes(
    prepared: Prepared, oof: NDArray[np.float64], *, seed: int, threads: int
) -> tuple[tuple[Finding, ...], tuple[Fix, ...]]:
    """Return what training found about the answers, and the answers to look at, the most doubtful first.

    Parameters
    ----------
    prepared : Prepared
    oof : ndarray of shape (n_train, n_classes) or (n_train,)
        Out-of-fold answers of the training rows; NaN where there is none.
    """
    rows = prepared.split.train
    fixes = list_fixes(prepared.y[rows], oof, rows=rows, task=prepared.task)
    if fixes is None:
        return (), ()
    effect = None
    if fixes.is_sure:
        effect = measure_fixing(
            prepared.frame, prepared.task, prepared.inputs, fixes, rows=rows, seed=seed, threads=threads
        )
    return (tell_fixes(fixes, prepared.task, effect=effect),), fixes.fixes


def write_fix_list(workspace: Workspace, fixes: Sequence[Fix]) -> str | None:
    """Write the list into ``reports/`` and return where; without fixes only an older list is emptied.

    Row numbers count the data rows from 1. Text that a spreadsheet would run as a formula gets an apostrophe.
    """
    if not fixes and not (workspace.reports.root / FIX_LIST).exists():
        return None
    table = pl.DataFrame(
        {
            "row": [fix.row for fix in fixes],
            "given": [fix.given for fix in fixes],
            "suggested": [fix.suggested for fix in fixes],
            "confidence": [fix.confidence for fix in fixes],
        }
    )
    stream = io.BytesIO()
    disarm_formulas(table).write_csv(stream)
    path = workspace.write_report(FIX_LIST, stream.getvalue())
    return str(path) if fixes else None
