"""An alarm for those who sign what the model suggests without looking: two tests whose error level holds however often one looks.

Both ask of a share of cases whether it is above what an attentive person would show. The evidence is the mean likelihood ratio of
all larger shares against the limit; while the limit holds, the chance that it ever exceeds ``1 / level`` is at most the level [1]_.
So the alarm may be read after each answer without ringing more often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scipy.special import betainc, betaln

State: TypeAlias = Literal["rings", "quiet", "too_few"]

LEVEL = 0.05
"""Chance at most that an attentive person sets off the alarm within one block; half of it for each of the two tests."""

YIELD_LIMIT = 0.5
"""Share of wrong suggestions that an attentive person takes over although the first answer was another, at most: who takes over
more than half of them weighs nothing. A convention of ours."""

QUICK_LIMIT = 0.1
"""Share of answers faster than reading that an attentive person gives, at most: slips of the hand, rows seen before. A convention."""

YIELD_BLOCK, QUICK_BLOCK = 50, 200
"""Cases after which a test begins anew, so that years of care do not hide that someone stopped caring."""

LEAST_QUICK = 20
"""Answers below which the speed test says nothing: three hasty keys would be evidence, and no reason to accuse. A convention."""

WORDS_A_SECOND = 10.0
"""Nobody reads faster with understanding: twice the upper end of what grown-ups read of a factual text, 300 words a minute
(Brysbaert 2019, doi:10.1016/j.jml.2019.104047)."""

LEAST_S = 1.55
"""Nobody decides faster: one act of thought (1.35 s) and one key (0.2 s) in the keystroke-level model (Card, Moran and Newell 1980,
doi:10.1145/358886.358895)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampTest:
    """One of the two tests.

    Parameters
    ----------
    name : {"yields", "speed"}
    hits, n : int
        Within the block that is told.
    limit : float
        Share that an attentive person does not exceed.
    evidence : float
        Largest evidence within the block; the test says yes from `needed` on.
    needed : float
    least : int
        Cases below which it says nothing, whatever they are.
    """

    name: Literal["yields", "speed"]
    hits: int
    n: int
    limit: float
    evidence: float
    needed: float
    least: int

    @property
    def state(self) -> State:
        """Return what the test says."""
        if self.n < self.least:
            return "too_few"
        return "rings" if self.evidence >= self.needed else "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Whether somebody seems to sign without looking.

    Parameters
    ----------
    state : {"rings", "quiet", "too_few"}
        ``too_few`` where neither test could ring yet.
    tests : tuple of StampTest
    level : float
        Chance that an attentive person sets it off within one block, at most.
    """

    state: State
    tests: tuple[StampTest, ...]
    level: float = LEVEL


def find_alarm(yields: Sequence[bool], times: Sequence[tuple[float, int]]) -> Alarm:
    """Return the alarm of one person.

    Parameters
    ----------
    yields : sequence of bool
        Wrong suggestions to planted rows that were unlike the first answer, or came with the row: whether each was taken over.
        In the order of answering.
    times : sequence of (float, int)
        Seconds to the first answer, and words of the row, of every answer.

    Notes
    -----
    It cannot see somebody who reads slowly and signs anyway where no suggestion is wrong on purpose, nor tell haste from a habit of
    preparing elsewhere. It is a reason to talk, not a proof.

    References
    ----------
    .. [1] A. Ramdas, P. Grünwald, V. Vovk, G. Shafer (2023). Game-theoretic statistics and safe anytime-valid inference.
       Statistical Science 38(4), section 2 (Ville's inequality). doi:10.1214/23-STS894

    Examples
    --------
    >>> find_alarm([True] * 8, []).state, find_alarm([True] * 7, []).state, find_alarm([True, False] * 10, []).state
    ('rings', 'too_few', 'quiet')
    """
    tests = (
        _test("yields", yields, limit=YIELD_LIMIT, block=YIELD_BLOCK),
        _test("speed", [is_quick(seconds, words) for seconds, words in times], limit=QUICK_LIMIT, block=QUICK_BLOCK),
    )
    states = [test.state for test in tests]
    state: State = "rings" if "rings" in states else "quiet" if "quiet" in states else "too_few"
    if state == "quiet" and states[0] == "too_few":
        state = "too_few"  # reading slowly says nothing of whether a suggestion is weighed
    return Alarm(state=state, tests=tests)


def is_quick(seconds: float, words: int) -> bool:
    """Return whether an answer came faster than its row can be read.

    Examples
    --------
    >>> is_quick(1.0, 3), is_quick(3.0, 20), is_quick(3.0, 80)
    (True, False, True)
    """
    return seconds < max(LEAST_S, words / WORDS_A_SECOND)


def weigh_evidence(hits: int, n: int, limit: float) -> float:
    """Return how much more likely so many hits are under larger shares than `limit`, all alike, than under `limit` itself.

    Examples
    --------
    >>> round(weigh_evidence(8, 8, 0.5), 1), round(weigh_evidence(4, 8, 0.5), 2)
    (56.8, 0.41)
    """
    above = float(betainc(n - hits + 1, hits + 1, 1 - limit))
    if above <= 0:
        return 0.0
    log = float(betaln(hits + 1, n - hits + 1)) + math.log(above) - math.log1p(-limit)
    log -= hits * math.log(limit) + (n - hits) * math.log1p(-limit)
    return math.exp(min(log, 700.0))


def _test(name: Literal["yields", "speed"], hits: Sequence[bool], *, limit: float, block: int) -> StampTest:
    """Test the block that is under way, or the one before where that says more."""
    needed = 2 / LEVEL
    least = next(n for n in range(1, block + 1) if weigh_evidence(n, n, limit) >= needed)
    least = max(least, LEAST_QUICK) if name == "speed" else least
    start = (max(0, len(hits) - 1) // block) * block
    blocks = [hits[start:]] + ([hits[start - block : start]] if start else [])
    found = [_weigh(name, part, limit=limit, needed=needed, least=least) for part in blocks]
    rings = [test for test in found if test.state == "rings"]
    if rings:
        return rings[0]
    return found[0] if found[0].state != "too_few" else found[-1]


def _weigh(
    name: Literal["yields", "speed"], hits: Sequence[bool], *, limit: float, needed: float, least: int
) -> StampTest:
    evidence, counted = 0.0, 0
    for n, is_hit in enumerate(hits, start=1):
        counted += is_hit
        evidence = max(evidence, weigh_evidence(counted, n, limit))
    return StampTest(name=name, hits=counted, n=len(hits), limit=limit, evidence=evidence, needed=needed, least=least)
