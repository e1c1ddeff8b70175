"""A frame of text cells into a typed table, with every decision told."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from skiff.core.finding import Finding
from skiff.data.abreast import map_abreast
from skiff.data.parsing import findings as tell
from skiff.data.parsing.columns import (
    Decision,
    as_text,
    decide_column,
    drop_blank,
    find_unread,
    parse_column,
    settle_dates,
    settle_number,
)
from skiff.data.parsing.footer import Trimmed, drop_blank_and_footer
from skiff.data.parsing.numbers import find_thousands, strip_signs
from skiff.data.parsing.plain import read_plain_columns
from skiff.data.parsing.reading import ColumnReading
from skiff.data.parsing.totals import TotalsRow, find_labelled_rows, is_unlabelled_total, judge_totals

SAMPLE_ROWS = 10
"""Row numbers shown as proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTable:
    """A table whose columns have types, how each was read, and what was decided on the way."""

    frame: pl.DataFrame
    readings: dict[str, ColumnReading]
    findings: list[Finding]
    footer_rows: int
    totals_rows: int


def type_table(
    cells: pl.DataFrame,
    labels: Sequence[str],
    *,
    known: Mapping[str, Mapping[str, Any]] | None = None,
    keep_text: Collection[str] = (),
    keep_words: Container[str] = (),
) -> TypedTable:
    """Return the typed table of a frame of text cells.

    Parameters
    ----------
    cells : polars.DataFrame
        All String; an empty cell is null. Column names are final.
    labels : sequence of str
        What the header says over each column; empty where nothing.
    known : mapping, optional
        A recipe: how each column was read before.
    keep_text : collection of str
        Columns to leave as text.
    keep_words : container of str
        Columns whose yes and no stay the words they are: the answer to predict should come back in the client's words.

    Examples
    --------
    >>> made = type_table(pl.DataFrame({"day": ["13.01.2024", "14.01.2024"], "eur": ["1.200,50", "7,00"]}), ["day", "eur"])
    >>> made.frame["eur"].to_list(), made.readings["day"].date_format
    ([1200.5, 7.0], '%d.%m.%Y')
    """
    unnamed = [name for name, label in zip(cells.columns, labels, strict=True) if not label]
    blank = [name for name in unnamed if not len(drop_blank(cells[name]).drop_nulls())]
    cells = cells.drop(blank)
    kept_labels = [label for name, label in zip([*cells.columns, *blank], labels, strict=False) if name not in blank]
    trimmed = drop_blank_and_footer(cells, kept_labels if len(kept_labels) == cells.width else list(cells.columns))
    candidates = find_labelled_rows(trimmed.frame)
    is_candidate = pl.Series(range(trimmed.frame.height)).is_in(candidates) if candidates else None
    body = trimmed.frame.filter(~is_candidate) if is_candidate is not None else trimmed.frame
    decisions = decide_columns(body, known=known or {}, keep_text=keep_text, keep_words=keep_words)
    readings = {name: decision.reading for name, decision in decisions.items()}
    totals: list[TotalsRow] = []
    positions = trimmed.positions
    if candidates:
        typed = pl.DataFrame([_values(decisions, body, name) for name in body.columns])
        totals = judge_totals(trimmed.frame, typed, candidates, readings)
        gone = [row.at for row in totals]
        keep = ~pl.Series(range(trimmed.frame.height)).is_in(gone)
        body, positions = trimmed.frame.filter(keep), trimmed.positions.filter(keep)
        if len(gone) < len(candidates):  # a row that only looked like a total is data again
            decisions = decide_columns(body, known=known or {}, keep_text=keep_text, keep_words=keep_words)
            readings = {name: decision.reading for name, decision in decisions.items()}
    frame = pl.DataFrame([_take_values(decisions, body, name) for name in body.columns])
    total_positions = [int(trimmed.positions[row.at]) for row in totals]
    if frame.width and is_unlabelled_total(frame, readings):
        total_positions.append(int(positions[-1]))
        totals.append(TotalsRow(at=body.height - 1, is_proven=True))
        frame, body = frame.head(-1), body.head(-1)
    left_out = {row.at for row in totals}
    kept_last = [at for at in candidates[-1:] if at == trimmed.frame.height - 1 and at not in left_out]
    found = [
        *_tell_rows(trimmed, totals, total_positions, n_blank_columns=len(blank)),
        *[tell.say_kept_total(int(trimmed.positions[at])) for at in kept_last],
        *_tell_columns(decisions, body, frame),
    ]
    return TypedTable(
        frame=frame,
        readings=readings,
        findings=found,
        footer_rows=len(trimmed.footer_rows),
        totals_rows=len(total_positions),
    )


def _take_values(decisions: dict[str, Decision], body: pl.DataFrame, name: str) -> pl.Series:
    """Return a column in one piece, and let go of its pieces: all columns at once would be in memory twice.

    In one piece, because hashing rows would copy all columns to line their pieces up.
    """
    made = _values(decisions, body, name).rechunk()
    decisions[name] = replace(decisions[name], values=None)
    return made


def _values(decisions: Mapping[str, Decision], body: pl.DataFrame, name: str) -> pl.Series:
    values = decisions[name].values
    made = (
        values
        if values is not None and len(values) == body.height
        else parse_column(body[name], decisions[name].reading)
    )
    reading = decisions[name].reading
    if reading.kind == "number":
        wanted = pl.Int64 if reading.is_integer and made.dtype.is_integer() else pl.Float64
        made = made.cast(wanted, strict=False) if made.dtype != wanted else made
    return made.alias(name)


def decide_columns(
    body: pl.DataFrame,
    *,
    known: Mapping[str, Mapping[str, Any]],
    keep_text: Collection[str],
    keep_words: Container[str],
) -> dict[str, Decision]:
    """Decide each column alone, then settle what only the whole table can: the decimal mark, the order of day and month."""
    fresh = [name for name in body.columns if name not in known and name not in keep_text]
    plain = read_plain_columns(body, fresh)

    def decide(cells: pl.Series) -> Decision:
        name = cells.name
        if name in known and name not in keep_text:
            decision = _follow_recipe(cells, known[name])
        else:
            decision = plain.get(name) or decide_column(cells, keep_text=name in keep_text)
        if name in keep_words and decision.reading.kind == "boolean":
            decision = decide_column(cells, keep_text=True)
        return decision

    decided = dict(zip(body.columns, map_abreast(decide, body.get_columns()), strict=True))
    marks = [decision.evidence for decision in decided.values() if decision.evidence in {"dot", "comma"}]
    orders = [
        decision.order
        for decision in decided.values()
        if decision.order and decision.order.order in {"day_first", "month_first"} and decision.order.proof
    ]
    for name, decision in decided.items():
        if decision.values is not None:
            continue
        settled: Decision | None = None
        if decision.evidence == "open":
            settled = settle_number(
                body[name], decision.reading, "comma" if marks and set(marks) == {"comma"} else "dot"
            )
            settled = replace(settled, evidence="open") if settled else None
        elif decision.order is not None:
            alike = {order.order for order in orders if order.is_written_like(decision.order)}
            if len(alike) == 1:
                order = replace(decision.order, order=alike.pop(), proof="neighbour")
                settled = settle_dates(body[name], decision.reading, order)
        if settled is None:
            reason = "ambiguous_dates" if decision.order is not None else "mixed"
            settled = as_text(body[name], ColumnReading(kind="text", reason=reason))
        decided[name] = settled
    return decided


def _follow_recipe(cells: pl.Series, recipe: Mapping[str, Any]) -> Decision:
    reading = ColumnReading.from_recipe(cells.name, recipe)
    if reading.kind == "number" and not reading.thousands:  # larger amounts than before may bring one
        bodies = strip_signs(cells.drop_nulls().unique(), reading).get_column("body")
        reading = replace(reading, thousands=find_thousands(bodies, reading.decimal))
    return Decision(reading=reading, values=parse_column(cells, reading))


def _tell_rows(
    trimmed: Trimmed, totals: Sequence[TotalsRow], total_positions: Sequence[int], *, n_blank_columns: int
) -> list[Finding]:
    found = []
    inner_blank = [row for row in trimmed.blank_rows if row not in trimmed.footer_rows]
    if n_blank_columns:
        found.append(tell.say_blank_columns(n_blank_columns))
    if inner_blank:
        found.append(tell.say_blank_rows(inner_blank))
    if trimmed.header_copies:
        found.append(tell.say_header_copies(list(trimmed.header_copies)))
    if trimmed.footer_rows:
        found.append(tell.say_footer(list(trimmed.footer_rows)))
    if total_positions:
        proven = sum(row.is_proven for row in totals)
        found.append(tell.say_totals(list(total_positions), proven=proven, parts=sum(row.is_part for row in totals)))
    return found


def _tell_columns(  # noqa: C901  one branch a decision, read top down
    decisions: Mapping[str, Decision], body: pl.DataFrame, frame: pl.DataFrame
) -> list[Finding]:
    found: list[Finding] = []
    groups: dict[tuple[str, ...], list[str]] = {}
    gaps: dict[tuple[str, ...], list[tell.Seen]] = {}
    levels: dict[str, list[tell.Seen]] = {}
    for name, decision in decisions.items():
        reading = decision.reading
        cells = body[name]
        if reading.kind != "text" and frame[name].null_count() != cells.null_count():
            unread = find_unread(cells, frame[name], reading)
            if unread.any():
                rows = [row + 1 for row in unread.arg_true().to_list()]
                n_read = body.height - int(frame[name].null_count())
                found.append(
                    tell.say_unparsed(name, kind=reading.kind, rows=rows[:SAMPLE_ROWS], n_rows=len(rows), n_read=n_read)
                )
        if reading.missing:
            stand_ins = cells.str.strip_chars().is_in([word.strip() for word in reading.missing]).fill_null(value=False)
            rows = [row + 1 for row in stand_ins.arg_true().to_list()]
            if rows:
                gaps.setdefault(tuple(reading.missing), []).append(tell.Seen(name, rows[:SAMPLE_ROWS], len(rows)))
        for word in reading.levels_kept:
            kept = (cells.str.strip_chars() == word.strip()).fill_null(value=False)
            rows = [row + 1 for row in kept.arg_true().to_list()]
            levels.setdefault(word, []).append(tell.Seen(name, rows[:SAMPLE_ROWS], len(rows)))
        if reading.kind == "date":
            proof = decision.order.proof if decision.order else ""
            if reading.epoch:
                found.append(tell.say_counted_dates(name, unit=reading.epoch, n_rows=frame.height))
            elif proof or reading.date_format not in {"%Y-%m-%d", "%Y-%m-%d %H:%M:%S"}:
                found.append(
                    tell.say_dates(
                        name, date_format=reading.date_format, proof=proof, zone=reading.time_zone, n_rows=frame.height
                    )
                )
        if reading.kind == "text" and reading.reason == "ambiguous_dates":
            found.append(tell.say_ambiguous_dates(name, n_rows=frame.height))
        group_decisions(groups, name, decision)
    found += [tell.say_placeholders(words, seen) for words, seen in gaps.items()]
    found += [tell.say_level_kept(word, seen) for word, seen in levels.items()]
    return found + [tell_group(key, names) for key, names in groups.items()]


def group_decisions(groups: dict[tuple[str, ...], list[str]], name: str, decision: Decision) -> None:
    """Collect columns that share a decision, so that it is told once."""
    reading = decision.reading
    keys: list[tuple[str, ...]] = []
    if reading.kind == "number":
        if decision.evidence == "open":
            keys.append(("open", reading.decimal))
        elif reading.decimal != "." or reading.thousands:
            keys.append(("decimal", reading.decimal, reading.thousands))
        keys += [("currency", reading.currency)] if reading.currency else []
        keys += [("unit", reading.unit)] if reading.unit else []
        keys += [("percent",)] if reading.percent else []
    elif reading.kind == "boolean":
        keys.append(("boolean", ", ".join(reading.true), ", ".join(reading.false)))
    elif reading.kind == "text" and reading.reason not in {"", "ambiguous_dates", "asked"}:
        keys.append(("text", reading.reason))
    for key in keys:
        groups.setdefault(key, []).append(name)


def tell_group(key: tuple[str, ...], names: list[str]) -> Finding:  # noqa: PLR0911  one return a kind
    """Return the finding about a decision that several columns share."""
    kind, *rest = key
    if kind == "open":
        return tell.say_open_decimal(names, decimal=rest[0])
    if kind == "decimal":
        return tell.say_decimal(names, decimal=rest[0], thousands=rest[1])
    if kind == "currency":
        return tell.say_currency(names, currency=rest[0])
    if kind == "unit":
        return tell.say_unit(names, unit=rest[0])
    if kind == "percent":
        return tell.say_percent(names)
    if kind == "boolean":
        return tell.say_booleans(names, true=rest[0], false=rest[1])
    return tell.say_kept_as_text(names, reason=rest[0])
