"""Counts of what the server did, shared by all workers, in the text form that Prometheus reads."""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterator, Mapping

ROUTES = ("other", "predict", "infer", "outcomes", "metadata", "health", "metrics", "docs", "review")
STATUS_CLASSES = ("2xx", "4xx", "429", "5xx")
LATENCY_BOUNDS_S = (0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
COUNTS = (
    "predictions",
    "reviews",
    "controls",
    "outcomes_new",
    "outcomes_corrected",
    "outcomes_duplicate",
    "outcomes_unknown",
    "keys_refused",
    "log_failures",
    "shadow_predictions",
    "shadow_skipped",
    "shadow_failures",
    "model_calls",
    "faults",
)
GAUGES = ("log_waiting_rows", "connections", "release")

_HELP: Mapping[str, str] = {
    "predictions": "Rows answered.",
    "reviews": "Rows that a person should look at.",
    "controls": "Rows in the random control share.",
    "outcomes_new": "Outcomes received for the first time.",
    "outcomes_corrected": "Outcomes that corrected an earlier one.",
    "outcomes_duplicate": "Outcomes that were known already.",
    "outcomes_unknown": "Outcomes for predictions that are not in the log.",
    "keys_refused": "Requests with a missing or wrong API key.",
    "log_failures": "Requests not answered because the prediction log could not keep them.",
    "shadow_predictions": "Rows that a challenger answered without being asked.",
    "shadow_skipped": "Rows a listening challenger did not answer because it fell behind.",
    "shadow_failures": "Requests that a listening challenger could not answer.",
    "model_calls": "Calls of a model; fewer than requests where requests came together.",
    "faults": "Faults of the server itself.",
    "log_waiting_rows": "Rows that wait to be written to the prediction log.",
    "connections": "Open connections.",
    "release": "The release that answers.",
}

_N_REQUESTS = len(ROUTES) * len(STATUS_CLASSES)
_N_BUCKETS = len(LATENCY_BOUNDS_S) + 2  # one above all bounds, and the sum
_AT_LATENCY = _N_REQUESTS
_AT_COUNTS = _AT_LATENCY + _N_BUCKETS
_AT_GAUGES = _AT_COUNTS + len(COUNTS)
SLOTS = _AT_GAUGES + len(GAUGES)


class Metrics:
    """The counters of one worker beside those of the others, in memory that all of them see.

    Parameters
    ----------
    workers : int

    Examples
    --------
    >>> shared = Metrics(workers=2)
    >>> shared.select(1)
    >>> shared.add("predictions", 3)
    >>> "skiff_predictions_total 3" in shared.write()
    True
    """

    def __init__(self, *, workers: int = 1) -> None:
        """Make the memory; workers that are forked later share it."""
        self._memory = mmap.mmap(-1, 8 * SLOTS * workers)
        self._all = memoryview(self._memory).cast("d")
        self._mine = self._all[:SLOTS]
        self._workers = workers

    def select(self, worker: int) -> None:
        """Count in the row of this worker from now on."""
        self._mine = self._all[worker * SLOTS : (worker + 1) * SLOTS]

    def add(self, name: str, more: float = 1.0) -> None:
        """Add to one of `COUNTS`."""
        self._mine[_COUNT_PLACES[name]] += more

    def set(self, name: str, value: float) -> None:
        """Set one of `GAUGES`."""
        self._mine[_GAUGE_PLACES[name]] = value

    def note_request(self, route: int, status: int, seconds: float) -> None:
        """Count an answered request."""
        group = 0 if status < 400 else 2 if status == 429 else 1 if status < 500 else 3  # noqa: PLR2004  HTTP's classes
        mine = self._mine
        mine[route * len(STATUS_CLASSES) + group] += 1
        mine[_AT_LATENCY + bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
        mine[_AT_LATENCY + _N_BUCKETS - 1] += seconds

    def write(self) -> str:
        """Return all counters, added up over the workers."""
        return "\n".join([*self._list_lines(), ""])

    def _list_lines(self) -> Iterator[str]:
        total = [sum(self._all[slot + SLOTS * worker] for worker in range(self._workers)) for slot in range(SLOTS)]
        yield from _head("requests_total", "Requests answered, by route and kind of status.", "counter")
        for place, route in enumerate(ROUTES):
            for group, words in enumerate(STATUS_CLASSES):
                count = total[place * len(STATUS_CLASSES) + group]
                yield f'skiff_requests_total{{route="{route}",status="{words}"}} {count:g}'
        yield from _head("request_seconds", "Time from the first byte of a request to its answer.", "histogram")
        below = 0.0
        for bound, count in zip(LATENCY_BOUNDS_S, total[_AT_LATENCY:], strict=False):
            below += count
            yield f'skiff_request_seconds_bucket{{le="{bound:g}"}} {below:.0f}'
        below += total[_AT_COUNTS - 2]
        yield f'skiff_request_seconds_bucket{{le="+Inf"}} {below:.0f}'
        yield f"skiff_request_seconds_sum {total[_AT_COUNTS - 1]:.6f}"
        yield f"skiff_request_seconds_count {below:.0f}"
        for name, place in _COUNT_PLACES.items():
            yield from _head(f"{name}_total", _HELP[name], "counter")
            yield f"skiff_{name}_total {total[place]:.0f}"
        for name, place in _GAUGE_PLACES.items():
            yield from _head(name, _HELP[name], "gauge")
            value = max(self._all[place + SLOTS * worker] for worker in range(self._workers))
            yield f"skiff_{name} {value if name == 'release' else total[place]:.0f}"


_COUNT_PLACES = {name: _AT_COUNTS + place for place, name in enumerate(COUNTS)}
_GAUGE_PLACES = {name: _AT_GAUGES + place for place, name in enumerate(GAUGES)}


def _head(name: str, text: str, kind: str) -> tuple[str, str]:
    return f"# HELP skiff_{name} {text}", f"# TYPE skiff_{name} {kind}"
