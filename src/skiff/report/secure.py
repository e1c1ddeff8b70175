"""What attacks on a model found, in plain words, and the page that says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.report.numbers import format_interval
from skiff.report.sheet import Sheet, SheetList, SheetTable, render_sheet
from skiff.secure.attributes import Attributes
from skiff.secure.evasion import MODEST, Evasion
from skiff.secure.extraction import JUDGED, Extraction
from skiff.secure.inversion import Inversion
from skiff.secure.lights import ORDER, Light, find_worst
from skiff.secure.membership import MIN_ROWS_LOW, Membership
from skiff.secure.poison import Poison
from skiff.secure.price import Priced

STATUS = {"red": "Red", "amber": "Amber", "green": "Green", None: "Too few rows to say"}
TITLES = {
    "membership": "Was this row learned from?",
    "attributes": "What does it tell about people?",
    "inversion": "Can it be asked for rows it learned from?",
    "evasion": "How little turns a decision over?",
    "extraction": "How good is a copy?",
    "poison": "Does it look as if it was misled?",
}
REMEDIES = {
    "rounded": "Give answers in coarse steps only",
    "regularised": "Retrain with few, large leaves (15 of at least 100 rows)",
    "strict": "Retrain with fewer leaves (8 of at least 100 rows), held back more",
}
MOST_HINTS = 5
"""Signs, and nests, that are told."""

CLOSING = (
    "A light says what these attacks could do with these rows on this day. Attacks that were not tried, and attackers who know more, "
    "are not covered by it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One attack, as a person reads it.

    Parameters
    ----------
    attack : {"membership", "attributes", "inversion", "evasion", "extraction", "poison"}
    light : {"red", "amber", "green"} or None
    headline : str
        What came of it, in one sentence.
    sentences : tuple of str
    remedy : str
        What helps; empty where nothing has to.
    not_measured : str
        What the light does not speak of.
    measured : tuple of Measurement
    """

    attack: str
    light: Light | None
    headline: str
    sentences: tuple[str, ...] = ()
    remedy: str = ""
    not_measured: str = ""
    measured: tuple[Measurement, ...] = ()

    @property
    def title(self) -> str:
        """Return the question that the attack answers."""
        return TITLES[self.attack]

    @property
    def status(self) -> str:
        """Return the light in words."""
        return STATUS[self.light]


def say_percent(share: float) -> str:
    """Return a share with as many digits as tell it from its neighbours.

    Examples
    --------
    >>> say_percent(0.0486), say_percent(0.00143), say_percent(0.41), say_percent(1.0)
    ('4.9 %', '0.14 %', '41 %', '100 %')
    """
    percent = 100 * share
    if percent == 0 or percent >= 10:  # noqa: PLR2004  from ten on no decimal is needed
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 1 else f"{percent:.2f} %"


def _say_range(found: Measurement) -> str:
    if found.low is None or found.high is None:
        return say_percent(found.value)
    return f"{say_percent(found.value)} ({say_percent(found.low)} to {say_percent(found.high)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """Rows of a table by their number (data rows counted from 1), and its name."""

    table: str
    rows: tuple[int, ...]


def tell_membership(
    found: Membership, priced: Sequence[Priced], exposed: Exposed, *, recipe: str, stand_ins: Sequence[str] = ()
) -> Told:
    """Say whether the model gives away which rows it learned from.

    Parameters
    ----------
    found : Membership
    priced : sequence of Priced
    exposed : Exposed
    recipe : str
        What the shadow models were.
    stand_ins : sequence of str
        Members of the release that could not be trained again by their name.
    """
    if found.rate is None:
        return tell_too_few("membership", found.n_rows)
    ends = [format_interval(item) for item in (found.advantage, found.auc)]
    lead = (
        f"Lead over guessing {found.advantage.value:.3f} ({ends[0]}), area under the curve {found.auc.value:.3f} "
        f"({ends[1]}); guessing gives 0 and 0.5."
    )
    sentences = [
        f"At 1 wrong accusation in 100: {_say_range(found.rate)} of the learned rows are recognised; guessing gives 1 %.",
        _say_low_rate(found),
        f"{lead} An attacker whose own models never saw the row: {say_percent(found.offline_rate)}.",
        f"{found.n_models} models ({recipe}) were each taught a random half of {found.n_rows:,} training rows and attacked in turn.",
        f"Control: with shuffled memberships the same attack finds {say_percent(found.control_rate)}; it should find about 1 %.",
    ]
    if stand_ins:
        sentences.append(
            f"Plain boosting stood in for what could not be trained again by name: {', '.join(stand_ins)}."
        )
    if exposed.rows:
        named = ", ".join(str(row) for row in exposed.rows)
        sentences.append(f"Most easily recognised: rows {named} of {exposed.table} (data rows counted from 1).")
    sentences += [_say_price(item) for item in priced]
    return Told(
        attack="membership",
        light=found.light,
        headline=_say_membership(found.rate, found.advantage),
        sentences=tuple(sentences),
        remedy=_choose_remedy(found, priced),
        not_measured="Models taught all rows instead of half (they remember a little less of each), answers with reasons or ranges, and "
        "several releases held against each other.",
        measured=tuple(item for item in (found.rate, found.low_rate, found.advantage, found.auc) if item is not None),
    )


def _say_membership(rate: Measurement, advantage: Measurement) -> str:
    right = f"{100 * (1 + advantage.value) / 2:.0f}"
    return (
        f"Of 100 rows the model learned from, an attacker recognises about {_count(rate.value)} while wrongly accusing 1 of 100 others; "
        f"guessing about every row, they are right in {right} of 100 (a coin: 50)."
    )


def _say_low_rate(found: Membership) -> str:
    if found.low_rate is None:
        return f"At 1 in 1,000: too few rows to say ({found.n_rows:,}; {MIN_ROWS_LOW:,} are needed)."
    return f"At 1 in 1,000: {_say_range(found.low_rate)}; guessing gives 0.1 %."


def _count(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") if share < 0.1 else f"{100 * share:.0f}"  # noqa: PLR2004  as in say_percent


def _say_price(item: Priced) -> str:
    after = item.membership
    rate = say_percent(after.rate.value) if after.rate else "unknown"
    costs = ", ".join(_say_change(change) for change in item.price)
    light = STATUS[after.light].lower()
    return f"{REMEDIES[item.name]}: then {rate} are recognised (lead {after.advantage.value:.3f}, {light}). Price: {costs}."


def _say_change(change: Measurement) -> str:
    name = change.name.removesuffix("_change")
    if name == "accuracy":
        low, high = change.low or 0.0, change.high or 0.0
        return f"accuracy {100 * change.value:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f})"
    words = {"log_loss": "log loss", "mae": "mean error"}[name]
    return f"{words} {change.value:+.4g} ({change.low:+.4g} to {change.high:+.4g}; less is better)"


def _choose_remedy(found: Membership, priced: Sequence[Priced]) -> str:
    """Return the remedy that brings the best light, the first of equals."""
    if found.light == "green":
        return ""
    order = ["green", "amber", "red", None]
    best = min(priced, key=lambda item: order.index(item.membership.light), default=None)
    if best is None:
        return "Learn from more rows or fewer columns, and do not publish scores."
    if order.index(best.membership.light) >= order.index(found.light):
        return "No remedy that was tried brings a better light; all are priced above. Learn from more rows or fewer columns, and do not publish scores."
    return f"{REMEDIES[best.name]}: priced above, {STATUS[best.membership.light].lower()}."


def tell_too_few(attack: str, n_rows: int) -> Told:
    """Say that there are too few rows for an attack to mean anything."""
    return Told(attack=attack, light=None, headline=f"{n_rows:,} rows are too few to say.")


def tell_evasion(found: Evasion) -> Told:
    """Say how little a person must change before a decision turns over."""
    if found.light is None:
        return tell_too_few("evasion", found.n_rows)
    once, twice, thrice = found.flipped
    where = ", ".join(f"{name} ({say_percent(share)})" for name, share in found.columns[:5])
    sentences = [
        f"With two changed cells: {_say_range(twice)}; with three: {_say_range(thrice)}. Attacked: {found.n_rows:,} rows.",
        f"Cells were only set to values that training rows have; numbers and dates past at most {say_percent(MODEST)} of them.",
    ]
    if found.anyhow is not None:
        sentences.append(f"With one cell set to any such value, however far away: {_say_range(found.anyhow)}.")
    if where:
        sentences.append(f"Changed in decisions that turned over: {where}.")
    if found.distance is not None:
        sentences.append(
            f"Where one number or date was enough, the usual change passes {say_percent(found.distance)} of the rows."
        )
    if found.immutable:
        sentences.append(f"Left alone, as you said that nobody can change them: {', '.join(found.immutable)}.")
    else:
        sentences.append(
            "No column is named as unchangeable, so all were changed and the light is amber at worst: name them under [secure] immutable in "
            "skiff.toml."
        )
    if found.untouched:
        sentences.append(f"Running text was not changed: {', '.join(found.untouched)}.")
    remedy = (
        "Check the cells named above against a source the person does not write, or leave those columns out (`--drop`)."
        if found.light != "green"
        else ""
    )
    return Told(
        attack="evasion",
        light=found.light,
        headline=f"Changing one cell within reach turns {_say_range(once)} of the decisions over.",
        sentences=tuple(sentences),
        remedy=remedy,
        not_measured="The shortest way (the search is greedy), columns that can only change together, and what a change costs a person.",
        measured=tuple(item for item in (*found.flipped, found.anyhow) if item is not None),
    )


def tell_extraction(found: Extraction, *, is_value: bool) -> Told:
    """Say how faithful a copy made by asking is."""
    if found.light is None:
        return tell_too_few("extraction", found.n_rows)
    judged = next(item for item in found.fidelity if item.name == f"fidelity_at_{JUDGED}")
    what = "has {} of the variance of its answers" if is_value else "decides like it on {} of real rows"
    others = [
        f"after {int(item.name.rpartition('_')[2]):,} questions {_say_range(item)}"
        for item in found.fidelity
        if item is not judged
    ]
    base = (
        "" if is_value else f" Always giving the most frequent answer agrees on {say_percent(judged.baseline or 0.0)}."
    )
    remedy = "Limit how often a key may ask ([serving] requests_per_second), and show labels instead of scores where scores are not needed."
    return Told(
        attack="extraction",
        light=found.light,
        headline=f"After {JUDGED:,} made-up questions a copy {what.format(_say_range(judged))}.",
        sentences=(
            f"{'; '.join(others).capitalize()}. Compared on {found.n_rows:,} real rows.{base}",
            "The attacker knew what each column may hold, sees scores, and has no real row.",
        ),
        remedy=remedy if found.light != "green" else "",
        not_measured="Attackers with real rows or with questions chosen by earlier answers: they need fewer.",
        measured=found.fidelity,
    )


def tell_attributes(found: Attributes) -> Told:
    """Say whether the model tells about people what one could not guess without it."""
    untried = f"Not tried (no 2 to 20 levels, or too few rows): {', '.join(found.untried)}." if found.untried else ""
    beyond = f"Only the first {len(found.columns)} were tried, not: {', '.join(found.beyond)}." if found.beyond else ""
    if not found.columns:
        return Told(
            attack="attributes",
            light=None,
            headline="Too few rows to say, or no column of 2 to 20 levels.",
            sentences=(untried,) if untried else (),
        )
    worst = max(found.columns, key=lambda item: (-ORDER.index(item.light), item.gap.value))
    sentences = [
        f"{item.column}: found for {say_percent(item.with_model)} of the people the model learned from, without the model for "
        f"{say_percent(item.without_model)}; more often than for people it never saw by {_say_points(item.gap)}."
        for item in found.columns
    ]
    return Told(
        attack="attributes",
        light=found.light,
        headline=f"Asking the model helps most to find out “{worst.column}” of people it learned from."
        if worst.light != "green"
        else "Asking the model does not surely help to find out the columns that were tried.",
        sentences=(*sentences, *(item for item in (untried, beyond) if item)),
        remedy="Leave the column out (`--drop`), or retrain with few, large leaves." if found.light != "green" else "",
        not_measured="What can be guessed about anybody from what goes together in the world, and other columns.",
        measured=tuple(measure for item in found.columns for measure in (item.gain, item.gap)),
    )


def tell_inversion(found: Inversion) -> Told:
    """Say whether rows made up to please the model resemble rows it learned from."""
    if found.nearer is None:
        return Told(
            attack="inversion",
            light=None,
            headline="Too few rows to say: fewer than 100 on one side, or nearly all made-up rows end in the same places.",
        )
    return Told(
        attack="inversion",
        light=found.light,
        headline=f"{_say_range(found.nearer)} of the rows made up to please the model lie nearer to rows it learned from than to others; "
        "chance gives 50 %.",
        sentences=(
            f"{found.n_distinct} different rows came out. Each was compared with equally many rows of both kinds.",
        ),
        remedy="Retrain with few, large leaves, and show labels instead of scores." if found.light != "green" else "",
        not_measured="Attackers who know a part of a row, and running text.",
        measured=(found.nearer,),
    )


def tell_poison(found: Poison, *, table: str, rows: Sequence[int]) -> Told:
    """Say whether a sign or a nest of contradicted answers was found.

    Parameters
    ----------
    found : Poison
    table : str
        Name of the table.
    rows : sequence of int
        Row number in the table of each row that was looked at.
    """
    if found.light is None:
        return tell_too_few("poison", found.n_rows)

    def name(places: Sequence[int]) -> str:
        return ", ".join(str(rows[place]) for place in places)

    sentences = [
        f"Sign: one rare value of “{sign.column}” turns {_say_range(sign.obeyed)} of other decisions over; {sign.carriers:,} rows carry it, "
        f"such as {name(sign.rows)} of {table}."
        for sign in found.signs[:MOST_HINTS]
    ]
    sentences += [
        f"Nest: {nest.contradicted} of {nest.n_rows:,} rows that share a value or range of “{nest.column}” have an answer that models which "
        f"never saw them contradict; {nest.expected:.1f} were to be expected. Such as rows {name(nest.rows)} of {table}."
        for nest in (found.nests or ())[:MOST_HINTS]
    ]
    hints = len(found.signs) + len(found.nests or ())
    sentences += [f"{hints - len(sentences)} more are not listed."] if hints > len(sentences) else []
    looked = f"{found.n_tried} rare values were tried as signs in {found.n_rows:,} training rows."
    if found.nests is None:
        looked += " Nests were not looked for: that needs the models of `membership`."
    return Told(
        attack="poison",
        light=found.light,
        headline="No sign that decides alone and no nest of contradicted answers was found."
        if found.light == "green"
        else f"{hints} {'hint' if hints == 1 else 'hints'} to look at: honest columns can look like this, changed answers do.",
        sentences=(*sentences, looked),
        remedy="Ask who wrote these cells and answers, and leave the rows out if nobody knows."
        if found.light != "green"
        else "",
        not_measured="Signs of several columns together, signs that a whole range of numbers shares, signs in running text, answers changed evenly over all rows, or so often that every model learns it.",
        measured=tuple(sign.obeyed for sign in found.signs[:1]),
    )


def _say_points(found: Measurement) -> str:
    low, high = found.low or 0.0, found.high or 0.0
    return f"{100 * found.value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"


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
        return f"Release {self.release} under {len(self.told)} attacks: {told}."


def render_secure(story: SecureStory) -> str:
    """Return the page.

    Examples
    --------
    >>> told = Told(attack="extraction", light="green", headline="A copy decides like it on 61 % of real rows.")
    >>> page = render_secure(SecureStory(title="bookings", created="2026-03-01T06:00:00Z", release=1, told=(told,)))
    >>> "Release 1 under 1 attacks: 0 red, 0 amber, 1 green" in page
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
