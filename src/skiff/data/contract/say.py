"""The rules as sentences that a client can confirm or reject, in the order in which they are worth asking."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from skiff.data.contract.rules import Rule, RuleKind, Status
from skiff.data.sentences import say_number, say_rows

SHOWN = 8
"""Levels that a sentence lists before it counts them, and columns that a sentence about many lists."""

ORDER: tuple[RuleKind, ...] = (
    "unique",
    "order",
    "sum",
    "product",
    "days",
    "past",
    "scale",
    "levels",
    "form",
    "minimum",
    "missing",
    "maximum",
    "type",
    "present",
)
"""From what only the client knows to what the file says by itself."""

GROUPED = frozenset({"type", "present", "past"})
"""Kinds that say the same of many columns in one sentence; so do columns that are never empty or never negative."""

TYPES = {
    "whole": "a whole number",
    "number": "a number",
    "yes_no": "yes or no",
    "date": "a date",
    "time": "a date with a time",
    "words": "a word or code",
    "text": "a text",
}
"""`Rule.word` of a ``type``, in words."""

TYPES_OF_MANY = {
    "whole": "whole numbers",
    "number": "numbers",
    "yes_no": "yes or no",
    "date": "dates",
    "time": "dates with a time",
    "words": "words or codes",
    "text": "texts",
}

FORMS = {
    "email": "an e-mail address",
    "url": "a web address",
    "uuid": "a UUID",
    "ip_address": "an internet (IP) address",
    "iban": "an IBAN with right check digits",
    "phone": "a phone number",
}
"""`Rule.word` of a ``form``; anything else is the shape of a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence to confirm or reject, and the rules that it speaks for.

    Parameters
    ----------
    number : int
        From 1, as shown.
    text : str
    support : str
        What it rests on, in words.
    status : {"proposed", "confirmed", "rejected"}
    rules : tuple of Rule
    """

    number: int
    text: str
    support: str
    status: Status
    rules: tuple[Rule, ...]


def list_sentences(rules: Iterable[Rule]) -> tuple[Sentence, ...]:
    """Word rules as numbered sentences; what is said of several columns alike is one sentence.

    Examples
    --------
    >>> rules = [Rule(kind="minimum", columns=("price",), low=0.0, n=1200),
    ...          Rule(kind="unique", columns=("order_id",), n=1200)]
    >>> for sentence in list_sentences(rules):
    ...     print(sentence.number, sentence.text, f"({sentence.support})")
    1 Every 'order_id' is different. (1,200 rows, no exception)
    2 'price' is never negative. (1,200 rows, no exception)
    """
    ordered = sorted(rules, key=_rank)  # stable: columns stay in the order of the table
    groups: dict[tuple[object, ...], list[Rule]] = {}
    for rule in ordered:
        groups.setdefault((_group_of(rule), rule.status), []).append(rule)
    return tuple(
        Sentence(
            number=number,
            text=say_rules(group),
            support=_say_support(group),
            status=group[0].status,
            rules=tuple(group),
        )
        for number, group in enumerate(groups.values(), start=1)
    )


def say_rules(rules: Sequence[Rule]) -> str:
    """Return one sentence for rules that say the same of one or several columns.

    Examples
    --------
    >>> say_rules([Rule(kind="type", columns=("price",), word="number"), Rule(kind="type", columns=("tip",), word="number")])
    "'price' and 'tip' are numbers."
    """
    if len(rules) == 1:
        return say_rule(rules[0])
    names = _list_names([rule.columns[0] for rule in rules])
    first = rules[0]
    if first.kind == "present":
        return f"Every file has these {len(rules):,} columns: {names}."
    if first.kind == "type":
        return f"{names} are {TYPES_OF_MANY[first.word]}."
    if first.kind == "past":
        return f"{names} are never in the future."
    return f"{names} are never {'empty' if first.kind == 'missing' else 'negative'}."


def say_rule(rule: Rule) -> str:
    """Return one rule as a sentence.

    Examples
    --------
    >>> say_rule(Rule(kind="sum", columns=("total", "fare", "tip"), high=0.01))
    "'total' is always 'fare' + 'tip'."
    >>> say_rule(Rule(kind="levels", columns=("channel",), levels=("web", "phone")))
    "'channel' is either 'web' or 'phone'."
    """
    return "".join(_word_rule(rule))


def say_limit(value: float, *, is_date: bool) -> str:
    """Return a limit as people write it.

    Examples
    --------
    >>> say_limit(1500.0, is_date=False), say_limit(86400.0, is_date=True)
    ('1,500', '1970-01-02')
    """
    if not is_date:
        return say_number(value) if abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004  longer than anyone reads
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=value)
    return moment.strftime("%Y-%m-%d") if value % 86_400 == 0 else moment.strftime("%Y-%m-%d %H:%M")


def _word_rule(rule: Rule) -> Iterator[str]:  # noqa: C901, PLR0912  one branch a kind of rule
    first, *rest = (f"'{name}'" for name in rule.columns)
    is_date = rule.word == "date"
    match rule.kind:
        case "unique":
            yield (
                f"There is only one row for each {_join([first, *rest], 'and')}."
                if rest
                else f"Every {first} is different."
            )
        case "order":
            yield f"{first} is never {'after' if is_date else 'more than'} {rest[0]}."
        case "sum":
            yield f"{first} is always {' + '.join(rest)}."
        case "product":
            yield f"{first} is always {' × '.join(rest)}."
        case "days":
            yield f"{first} is the number of days from {rest[0]} to {rest[1]}."
        case "past":
            yield f"{first} is never in the future."
        case "minimum":
            low = rule.low or 0.0
            never = f"before {say_limit(low, is_date=True)}" if is_date else f"below {say_limit(low, is_date=False)}"
            yield f"{first} is never {'negative' if low == 0.0 and not is_date else never}."
        case "maximum":
            side = "after" if is_date else "above"
            yield f"{first} is never {side} {say_limit(rule.high or 0.0, is_date=is_date)}."
        case "scale":
            yield _word_scale(first, rule)
        case "levels":
            yield _word_levels(first, rule.levels)
        case "form":
            yield f"Every {first} is {FORMS[rule.word]}." if rule.word in FORMS else _word_shape(first, rule.word)
        case "missing":
            share = rule.high or 0.0
            yield (f"{first} is never empty." if share == 0.0 else f"{first} is empty in at most {say_rows(share)}.")
        case "type":
            yield f"{first} is {TYPES[rule.word]}."
        case "present":
            yield f"Every file has a column {first}."


def _word_scale(name: str, rule: Rule) -> str:
    low, high = rule.low or 0.0, rule.high or 0.0
    if rule.word == "share":
        return f"{name} lies between {say_number(low)} and {say_number(high)}."
    if high - low == 1.0:
        return f"{name} is either {say_number(low)} or {say_number(high)}."
    return f"{name} is a whole number from {say_number(low)} to {say_number(high)}."


def _word_levels(name: str, levels: Sequence[str]) -> str:
    quoted = [f"'{level}'" for level in levels]
    if len(quoted) == 1:
        return f"{name} is always {quoted[0]}."
    if len(quoted) == 2:  # noqa: PLR2004  either … or
        return f"{name} is either {quoted[0]} or {quoted[1]}."
    if len(quoted) <= SHOWN:
        return f"{name} is one of {_join(quoted, 'and')}."
    return f"{name} is one of {len(quoted)} known values, such as {_join(quoted[:3], 'and')}."


def _word_shape(name: str, shape: str) -> str:
    parts = [f"{mark} for any {word}" for mark, word in (("A", "letter"), ("9", "digit")) if mark in shape]
    return f"Every {name} is written like {shape} ({_join(parts, 'and')})."


def _rank(rule: Rule) -> tuple[int, int]:
    share = (rule.high or 0.0) if rule.kind == "missing" else 0.0
    return ORDER.index(rule.kind), 1 if share > 0.0 else 0


def _group_of(rule: Rule) -> tuple[object, ...]:
    is_plain = (rule.kind == "missing" and not rule.high) or (
        rule.kind == "minimum" and rule.low == 0.0 and rule.word != "date"
    )
    if rule.kind in GROUPED or is_plain:
        return rule.kind, rule.word, is_plain
    return rule.key


def _say_support(rules: Sequence[Rule]) -> str:
    if any(rule.is_stated for rule in rules):
        return "as you said"
    counts = [rule.n for rule in rules]
    fewest = min(counts)
    rows = "1 row" if fewest == 1 else f"{fewest:,} rows"
    if rules[0].kind == "missing" and rules[0].high:
        return f"with room to spare; seen in {rows}"
    if rules[0].kind == "maximum" or (rules[0].kind == "minimum" and rules[0].low != 0.0):
        return f"with room to spare; seen in {rows}"
    return f"{'' if fewest == max(counts) else 'at least '}{rows}, no exception"


def _list_names(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) <= SHOWN:
        return _join(quoted, "and")
    return f"{', '.join(quoted[:SHOWN])} and {len(quoted) - SHOWN:,} more"


def _join(parts: Sequence[str], word: str) -> str:
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def round_outwards(value: float, *, is_up: bool) -> float:
    """Return `value` moved away to two figures that people can remember.

    Examples
    --------
    >>> round_outwards(1234.0, is_up=True), round_outwards(1234.0, is_up=False), round_outwards(-0.034, is_up=False)
    (1300.0, 1200.0, -0.034)
    """
    if value == 0.0 or not math.isfinite(value):
        return value
    digits = 1 - math.floor(math.log10(abs(value)))
    step = 10.0**-digits if digits < 0 else 10.0**digits
    scaled = value / step if digits < 0 else value * step
    rounded = math.ceil(round(scaled, 9)) if is_up else math.floor(round(scaled, 9))
    return rounded * step if digits < 0 else rounded / step
