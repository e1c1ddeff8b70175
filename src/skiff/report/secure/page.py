"""All attacks on a release, and the page that says them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skiff.report.secure.told import STATUS, Told
from skiff.report.sheet import Sheet, SheetList, SheetTable, render_sheet
from skiff.secure.lights import Light, find_worst

CLOSING = (
    "A light says what these attacks could do with these rows on this day. Attacks that were not tried, and attackers who know more, "
    "are not covered by it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureStory:
    """Everything the page may say.

    Parameters
    ----------
    title, created : str
    release : int
    told : tuple of Told
    skipped : tuple of str
        Attacks that do not apply, each in a sentence.
    gate : tuple of str
        Attacks whose red light says no.
    evidence : str
        Record in the ledger.
    """

    title: str
    created: str
    release: int
    told: tuple[Told, ...]
    skipped: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    evidence: str = ""

    @property
    def light(self) -> Light | None:
        """Return the worst light."""
        return find_worst(item.light for item in self.told)

    @property
    def refused(self) -> tuple[str, ...]:
        """Return the gates that say no."""
        return tuple(item.attack for item in self.told if item.light == "red" and item.attack in self.gate)

    @property
    def headline(self) -> str:
        """Return the verdict in one sentence."""
        if self.refused:
            return f"Release {self.release}: the gate says no ({', '.join(self.refused)})."
        counts = [f"{sum(item.light == light for item in self.told)} {light}" for light in ("red", "amber", "green")]
        unknown = sum(item.light is None for item in self.told)
        told = ", ".join(counts) + (f", {unknown} with too few rows to say" if unknown else "")
        return f"Release {self.release} under {len(self.told)} attack{'s' if len(self.told) != 1 else ''}: {told}."


def render_secure(story: SecureStory) -> str:
    """Return the page.

    Examples
    --------
    >>> told = Told(attack="extraction", light="green", headline="A copy decides like it on 61 % of real rows.")
    >>> page = render_secure(SecureStory(title="bookings", created="2026-03-01T06:00:00Z", release=1, told=(told,)))
    >>> "Release 1 under 1 attack: 0 red, 0 amber, 1 green" in page
    True
    """
    return render_sheet(
        Sheet(
            kind="Skiff: the model under attack",
            title=story.title,
            status=STATUS[story.light],
            is_good=story.light == "green",
            headline=story.headline,
            sentences=story.skipped,
            lists=tuple(_list_parts(story)),
            tables=(_tabulate(story),),
            closing=CLOSING + (f" In the ledger: {story.evidence}." if story.evidence else ""),
            created=story.created,
        )
    )


def _list_parts(story: SecureStory) -> Iterator[SheetList]:
    for item in story.told:
        told = [item.headline, *item.sentences]
        told += [f"What helps: {item.remedy}"] if item.remedy else []
        told += [f"Not measured: {item.not_measured}"] if item.not_measured else []
        yield SheetList(title=f"{item.title} {item.status}.", sentences=tuple(told))


def _tabulate(story: SecureStory) -> SheetTable:
    rows = []
    for item in story.told:
        for found in item.measured:
            has_range = found.low is not None and found.high is not None
            rows.append(
                (
                    f"{item.attack}: {found.name}",
                    f"{found.value:.4g}",
                    f"{found.low:.4g} to {found.high:.4g}" if has_range else "–",
                    "–" if found.baseline is None else f"{found.baseline:.4g}",
                    f"{found.n:,}",
                )
            )
    return SheetTable(
        title="The numbers",
        caption="Shares from 0 to 1; range: 95 %; baseline: what guessing gives",
        head=("Measure", "Value", "Range", "Baseline", "n"),
        rows=tuple(rows),
    )
