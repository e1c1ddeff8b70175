"""Which ledger record stands behind which number: the small raised figures of a report."""

from __future__ import annotations

from dataclasses import dataclass

from skiff.report.content import RunStory

TOPICS: dict[str, str] = {
    "dataset": "The table as it was read, its hash and every reading decision",
    "check": "The checks of the data and what they found",
    "split": "Which rows trained and which were kept aside",
    "train": "What was tried, what was chosen",
    "evaluate": "Every number measured on the rows kept aside",
    "gate": "What was asked for and what was reached",
    "release": "The compiled file and the proof that it answers like the trained model",
}
"""Topic of a record to what it holds, in the order of the journey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One record of the ledger as a document cites it."""

    number: int
    topic: str
    id: str
    holds: str


def build_sources(story: RunStory) -> tuple[Source, ...]:
    """Return the cited records, numbered in the order of the journey; unknown topics follow by name.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> [(source.number, source.topic, source.id) for source in build_sources(build_example_story())]
    [(1, 'dataset', 'ev_000001'), (2, 'evaluate', 'ev_000005')]
    """
    known = [topic for topic in TOPICS if topic in story.evidence]
    others = sorted(topic for topic in story.evidence if topic not in TOPICS)
    return tuple(
        Source(number=number, topic=topic, id=story.evidence[topic], holds=TOPICS.get(topic, topic.replace("_", " ")))
        for number, topic in enumerate([*known, *others], start=1)
    )
