"""Fill the review queue from the prediction log: which answered rows are for a person, and why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from skiff.core.errors import SkiffError
from skiff.deploy.tensors import to_seconds, to_text
from skiff.flows.standing import Standing, open_standing
from skiff.govern.referral import ORDER, Known, Policy, find_reason, find_strange, list_known
from skiff.govern.review import count_words
from skiff.store.catalog import to_text as to_json_text
from skiff.store.champion import ReleaseShelf
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.ids import EPOCH, MICROSECOND, read_time
from skiff.store.predictions.keeping import read_kept
from skiff.store.predictions.log import DAY
from skiff.store.predictions.records import PredictionRow, Store
from skiff.store.reviews import NewReview
from skiff.store.workspace import Workspace

STATE = "review"
"""Name under which it is remembered how far the log was looked through."""

OVERLAP_US = 60_000_000
"""The last minute is looked through again: rows of one moment are written in groups, and a group may come late."""

ROWS_A_PIECE = 2_000
"""Rows of the log looked through at once."""

RANKS_A_REASON = 10**16
"""Microseconds since 1970 stay below until the year 2286: rows with one reason are given out in the order of their time."""

_GONE = {"release_not_found", "release_damaged", "release_erased", "model_newer"}


class OpenReleases:
    """Releases of a workspace, each opened once.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        """Remember where they are."""
        self._shelf = ReleaseShelf(
            workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, box=workspace.box
        )
        self._erasures = workspace.erasures
        self._opened: dict[int, Standing | None] = {}
        self._known: dict[int, tuple[Known, ...]] = {}

    def open(self, number: int | None) -> Standing | None:
        """Return a release, or None where it is gone or damaged."""
        if number is None:
            return None
        if number not in self._opened:
            try:
                self._opened[number] = open_standing(self._shelf, number, keep="none")
            except SkiffError as error:
                if error.code not in _GONE:
                    raise
                return None
        return self._opened[number]

    def find_home(self, number: int) -> int | None:
        """Return the release under which rows of a release are decided: another where it was erased, None where there is none."""
        return self._erasures.find_home(number)

    def find_strange(self, number: int, cells: Mapping[str, Any]) -> tuple[str, ...]:  # Any: cells as JSON has them
        """Return the columns in which a row is unlike all that a release learned from; none where the release is gone."""
        if number not in self._known:
            standing = self.open(number)
            self._known[number] = list_known(standing.inputs) if standing else ()
        return find_strange(self._known[number], cells, read_level=to_text, read_date=to_seconds)


def fill_queue(workspace: Workspace, log: Store, releases: OpenReleases, *, most_rows: int | None = None) -> int:
    """Queue the rows of the log that are for a person and are not there yet, and return how many were new.

    Looked through is what was logged since the last time, at most ``[review] days`` back; rows beyond ``[review] most_waiting``
    stay in the log until there is room. A process that is killed on the way has queued whole pieces.

    Parameters
    ----------
    workspace : Workspace
    log : Store
    releases : OpenReleases
    most_rows : int, optional
        Stop after about so many rows of the log, and go on at the next call: a server must answer soon.
    """
    forget_old(workspace)
    settings = workspace.settings.review
    now = time.time_ns() // 1000
    state = workspace.windows.read_state(STATE)
    since = max(int(state.get("until", 0)) - OVERLAP_US, now - round(settings.days * DAY))
    added, looked = 0, 0
    for begin, end in _split(log, since, now):
        if count_waiting(workspace) >= settings.most_waiting or (most_rows is not None and looked >= most_rows):
            break
        rows = [row.prediction for row in log.read(begin, end) if row.outcome is None]
        looked += len(rows)
        found = [_plan(workspace, row, releases) for row in rows if row.role != "shadow"]
        added += workspace.reviews.add([item for item in found if item is not None])
        workspace.windows.write_state(STATE, {**workspace.windows.read_state(STATE), "until": end})
    return added


def count_waiting(workspace: Workspace) -> int:
    """Return how many rows of the log wait or are being decided."""
    counts = workspace.reviews.count()
    return sum(n for (source, state, _), n in counts.items() if source == "log" and state != "done")


def forget_old(workspace: Workspace) -> int:
    """Forget in the queue what the log forgets by now, and return how many rows were changed."""
    serving = workspace.settings.serving
    if serving.keep_subjects_days is None and serving.keep_predictions_days is None:
        return 0
    changed = 0
    if serving.keep_predictions_days is not None:  # a row is queued later than it was answered
        until = time.time_ns() // 1000 - round(serving.keep_predictions_days * DAY)
        waiting = [item for item in workspace.reviews.list(source="log") if item.state != "done"]
        changed = workspace.reviews.erase_items(item.item for item in waiting if read_time(item.item) < until)
    return changed + workspace.reviews.forget(
        subjects_before=_days_ago(serving.keep_subjects_days), rows_before=_days_ago(serving.keep_predictions_days)
    )


def read_cells(workspace: Workspace, kept: str | None) -> dict[str, Any]:  # Any: cells as JSON has them
    """Return the inputs of a row by column; empty where none are kept, or hashes alone, which nobody can read."""
    return {} if kept is None or workspace.settings.serving.keep_inputs == "hashed" else read_kept(kept)


def _plan(workspace: Workspace, row: PredictionRow, releases: OpenReleases) -> NewReview | None:
    """Return a row of the log as one to queue; None where it is not for a person, or its release was erased and none is in its place."""
    settings = workspace.settings.review
    costs = workspace.settings.costs
    policy = Policy(
        stakes_column=settings.stakes_column or (costs.amount if costs else None),
        stakes_amount=settings.stakes_amount,
        out_of_range=settings.out_of_range,
    )
    home = row.release if releases.open(row.release) else releases.find_home(row.release)
    if home is None:
        return None
    cells = read_cells(workspace, row.inputs)
    wants_look = bool(cells) and (row.decision == "review" or policy.out_of_range)
    strange = releases.find_strange(home, cells) if wants_look else ()
    standing = releases.open(home)
    broken = standing.check(cells) if standing and standing.check and cells and row.decision == "review" else ()
    reason = find_reason(
        decision=row.decision,
        is_control=bool(row.is_control),
        cells=cells,
        strange=strange,
        policy=policy,
        breaks=[breach.what for breach in broken],
    )
    if reason is None:
        return None
    return NewReview(
        source="log",
        item=row.id,
        reason=reason.code,
        rule=reason.rule,
        rank=ORDER.index(reason.code) * RANKS_A_REASON + row.at,
        release=home,
        subject=row.subject,
        advice=to_json_text(tell_advice(row, standing.classes if standing else ())) if home == row.release else None,
        words=count_words(cells),
    )


def tell_advice(row: PredictionRow, classes: tuple[str, ...]) -> dict[str, Any]:  # Any: a JSON document
    """Return what the model answered, as a reviewer is shown it.

    Examples
    --------
    >>> row = PredictionRow("0", 0, 1, "champion", label="no", value=0.2)
    >>> tell_advice(row, ("no", "yes"))
    {'answer': 'no', 'chance': 0.8}
    """
    if row.label is None:
        return {"answer": repr(row.value), "low": row.low, "high": row.high}
    is_first_of_two = len(classes) == 2 and row.label == classes[0] and row.probabilities is None  # noqa: PLR2004  two classes
    chance = None if row.value is None else 1.0 - row.value if is_first_of_two else row.value
    return {"answer": row.label, "chance": None if chance is None else round(chance, 4)}


def _split(log: Store, since: int, until: int) -> Iterator[tuple[int, int]]:
    """Yield spans of the log that hold rows, in the order of time, none with many more than `ROWS_A_PIECE`."""
    n_rows = log.count(since, until)
    if not n_rows:
        return
    if n_rows <= ROWS_A_PIECE or until - since < 2:  # noqa: PLR2004  one moment cannot be cut
        yield since, until
        return
    middle = since + (until - since) // 2
    yield from _split(log, since, middle)
    yield from _split(log, middle, until)


def _days_ago(days: float | None) -> str | None:
    if days is None:
        return None
    moment = EPOCH + (time.time_ns() // 1000 - round(days * DAY)) * MICROSECOND
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
