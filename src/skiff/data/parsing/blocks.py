"""A table too large to hold, typed block by block: decided on a part, proven on every cell, decided again where that fails."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from skiff.core.finding import Finding
from skiff.data.parsing import findings as tell
from skiff.data.parsing.columns import (
    FEW_CELLS,
    UNPARSED_SHARE,
    Decision,
    drop_blank,
    find_codes,
    find_unread,
    has_codes,
    is_stamp,
    parse_column,
)
from skiff.data.parsing.footer import drop_blank_and_footer
from skiff.data.parsing.placeholders import find_short_words
from skiff.data.parsing.reading import ColumnReading
from skiff.data.parsing.table import SAMPLE_ROWS, decide_columns, group_decisions, tell_group
from skiff.data.parsing.totals import TotalsRow, find_labelled_rows, judge_totals

N_THREADS = 2
"""Columns read at the same time; writing the block before takes what is left of a small machine."""

WITNESSES = 400
"""Cells of a column that each block adds to those it is decided by."""

FIRST_WITNESSES = 50_000
MOST_WITNESSES = 200_000

SLIPS_SHOWN = 0.04
"""Share of unusual cells among the witnesses when a column is decided again: below `UNPARSED_SHARE`, so that a few slips do
not make a column text, while a cell that proves something (a zero in front, a day above 12) does."""

_SETTLED = frozenset({"", "asked", "leading_zeros", "long_digits"})


@dataclass(slots=True)
class _Tally:
    """What was counted in one column so far."""

    nulls: int = 0
    read: int = 0
    unread: int = 0
    unread_rows: list[int] = field(default_factory=list)
    stand_ins: int = 0
    stand_in_rows: list[int] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    kept_rows: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Rows:
    """What was left out of the rows so far, counted from 1 below the header."""

    blank: list[int] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)
    footer: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    proven: int = 0
    parts: int = 0
    looks_like_total: list[int] = field(default_factory=list)
    last_is_kept_total: bool = False


class BlockTyper:
    """Types the blocks of a table one after another.

    Use `begin` with the first block, `read_block` for every block, then look at `must_repeat`: where it is true, call
    `decide_again` and read all blocks once more. At most a few rounds are needed, because each makes columns more general.

    Parameters
    ----------
    labels : sequence of str
        What the header says over each column.
    known, keep_text, keep_words
        As in `skiff.data.parsing.table.type_table`.
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        known: Mapping[str, Mapping[str, Any]] | None = None,
        keep_text: Collection[str] = (),
        keep_words: Container[str] = (),
    ) -> None:
        """Remember what is known beforehand."""
        self._labels = list(labels)
        self._known = dict(known or {})
        self._keep_text = keep_text
        self._keep_words = keep_words
        self._witnesses: dict[str, list[pl.Series]] = {}
        self._forced: dict[str, ColumnReading] = {}
        self.decisions: dict[str, Decision] = {}
        self.schema: dict[str, pl.DataType] = {}
        self._reset()

    def _reset(self) -> None:
        self.n_rows = 0
        self._n_raw = 0
        self.is_dry = False
        self._tallies = {name: _Tally() for name in self.decisions}
        self._rows = _Rows()
        self._slips: dict[str, list[pl.Series]] = {}
        self._broken: set[str] = set()
        self._words: dict[str, set[str]] = {}

    @property
    def must_repeat(self) -> bool:
        """Whether some column was decided wrongly, so that all blocks must be read once more."""
        return bool(self._broken)

    def begin(self, first: pl.DataFrame) -> None:
        """Decide what each column is from the first block."""
        trimmed = drop_blank_and_footer(first, self._labels).frame
        candidates = find_labelled_rows(trimmed)
        if candidates:
            trimmed = trimmed.filter(~pl.Series(range(trimmed.height)).is_in(candidates))
        self._witnesses = {name: [trimmed[name].head(FIRST_WITNESSES)] for name in trimmed.columns}
        self._decide()

    def decide_again(self) -> None:
        """Decide the columns that failed with the cells that made them fail."""
        for name in self._broken:
            slips = pl.concat(self._slips[name]).unique(maintain_order=True) if name in self._slips else pl.Series([])
            n_most = max(1, int(SLIPS_SHOWN * sum(len(part) for part in self._witnesses[name])))
            if len(slips):
                step = max(1, len(slips) // n_most)
                self._witnesses[name].insert(0, slips.gather_every(step).head(n_most).alias(name))
        before = {name: decision.reading for name, decision in self.decisions.items()}
        broken, dtypes = set(self._broken), dict(self.schema)
        self._decide()
        for name in broken:
            if (
                self.decisions[name].reading == before[name] and self.schema[name] == dtypes[name]
            ):  # decided the same again: text loses nothing
                reason = "mixed" if before[name].kind in {"number", "date"} else ""
                self._forced[name] = ColumnReading(kind="text", reason=reason)
        if self._forced:
            self._decide()

    def _decide(self) -> None:
        columns = {name: pl.concat(parts) for name, parts in self._witnesses.items()}
        height = max((len(column) for column in columns.values()), default=0)
        body = pl.DataFrame([column.extend_constant(None, height - len(column)) for column in columns.values()])
        self.decisions = decide_columns(body, known=self._known, keep_text=self._keep_text, keep_words=self._keep_words)
        for name, reading in self._forced.items():
            self.decisions[name] = Decision(reading=reading, values=body[name])
        self.schema = {name: _find_dtype(decision) for name, decision in self.decisions.items()}
        self._reset()

    def read_block(self, cells: pl.DataFrame, *, is_last: bool) -> pl.DataFrame:
        """Return a block with types; what does not fit is counted, and may make a repetition necessary."""
        body = self._trim(cells, is_last=is_last)
        with ThreadPoolExecutor(N_THREADS) as pool:  # Polars lets other threads run while it computes
            columns = list(pool.map(self._read_column, body.get_columns()))
        self.n_rows += body.height
        return pl.DataFrame(columns)

    def _trim(self, cells: pl.DataFrame, *, is_last: bool) -> pl.DataFrame:
        trimmed = drop_blank_and_footer(cells, self._labels, has_footer=is_last)
        first = self._n_raw
        self._n_raw += cells.height
        rows = self._rows
        rows.blank += [first + row for row in trimmed.blank_rows if row not in trimmed.footer_rows]
        rows.copies += [first + row for row in trimmed.header_copies]
        rows.footer += [first + row for row in trimmed.footer_rows]
        body = trimmed.frame
        candidates = find_labelled_rows(body)
        if not candidates:
            rows.last_is_kept_total = rows.last_is_kept_total and not body.height
            return body
        mask = pl.Series(range(body.height)).is_in(candidates)
        others = body.filter(~mask)
        readings = {name: decision.reading for name, decision in self.decisions.items()}
        typed = pl.DataFrame([self._parse(others[name]) for name in others.columns])
        judged = [
            total
            for total in judge_totals(body, typed, candidates, readings)
            if total.is_proven or total.is_part or is_last
        ]
        gone = [total.at for total in judged]
        self._note_totals(judged, candidates, [first + int(at) for at in trimmed.positions.to_list()])
        return body.filter(~pl.Series(range(body.height)).is_in(gone)) if gone else body

    def _note_totals(self, judged: Sequence[TotalsRow], candidates: Sequence[int], positions: Sequence[int]) -> None:
        gone = {total.at for total in judged}
        self._rows.totals += [positions[at] for at in sorted(gone)]
        self._rows.proven += sum(total.is_proven for total in judged)
        self._rows.parts += sum(total.is_part for total in judged)
        self._rows.looks_like_total += [positions[at] for at in candidates if at not in gone]
        last = len(positions) - 1
        self._rows.last_is_kept_total = last in candidates and last not in gone

    def _parse(self, cells: pl.Series) -> pl.Series:
        made = parse_column(cells, self.decisions[cells.name].reading)
        dtype = self.schema[cells.name]
        return made.cast(dtype, strict=False) if made.dtype != dtype else made

    def _read_column(self, cells: pl.Series) -> pl.Series:
        name = cells.name
        reading, tally, dtype = self.decisions[name].reading, self._tallies[name], self.schema[name]
        made = parse_column(cells, reading).alias(name)
        if reading.kind == "text":
            self._look_at_words(made, reading)
        else:
            unread = self._count_unread(cells, made, reading)
            self._judge(cells, made, reading, unread)
            if made.dtype != dtype:
                if made.dtype == pl.Datetime and dtype == pl.Date and (made != made.dt.truncate("1d")).any():
                    self._break(name, cells.filter(made != made.dt.truncate("1d")).head(WITNESSES))
                made = made.cast(dtype, strict=False)
        self._count_words(cells, reading, tally)
        nulls = made.null_count()
        tally.nulls += nulls
        tally.read += len(made) - nulls
        if reading.kind == "text" and reading.reason not in _SETTLED:
            self._witness(cells)
        return made

    def _count_unread(self, cells: pl.Series, made: pl.Series, reading: ColumnReading) -> pl.Series | None:
        if made.null_count() == cells.null_count():
            return None
        unread = find_unread(cells, made, reading)
        n_unread = int(unread.sum())
        if not n_unread:
            return None
        tally = self._tallies[cells.name]
        tally.unread += n_unread
        if len(tally.unread_rows) < SAMPLE_ROWS:
            rows = unread.arg_true().head(SAMPLE_ROWS - len(tally.unread_rows)).to_list()
            tally.unread_rows += [self.n_rows + row + 1 for row in rows]
        return cells.filter(unread)

    def _judge(self, cells: pl.Series, made: pl.Series, reading: ColumnReading, unread: pl.Series | None) -> None:
        """Note what contradicts the reading: a code among numbers at once, unreadable cells at the end."""
        name = cells.name
        if name in self._known:
            return
        if unread is not None:
            self._slips.setdefault(name, []).append(unread.unique(maintain_order=True).head(WITNESSES))
            is_plain = reading.is_integer and not (reading.currency or reading.unit or reading.thousands)
            if reading.kind == "boolean" or (is_plain and unread.str.contains(r"\d").any()):
                self._break(name, None)
        if reading.kind == "number" and not reading.epoch and has_codes(cells, made) and not is_stamp(made):
            self._break(name, cells.filter(find_codes(cells)).head(WITNESSES))

    def _break(self, name: str, slips: pl.Series | None) -> None:
        if name in self._forced or name in self._known:
            return
        self._broken.add(name)
        self.is_dry = True
        if slips is not None and len(slips):
            self._slips.setdefault(name, []).append(slips)

    def _look_at_words(self, made: pl.Series, reading: ColumnReading) -> None:
        """Note words for "no value" that the witnesses had not."""
        name = made.name
        if name in self._known or reading.reason == "asked" or name in self._forced:
            return
        if not len(self._witnesses[name][0].drop_nulls()) and made.null_count() < len(made):
            self._slips.setdefault(name, []).append(made.drop_nulls().head(MOST_WITNESSES // 20))
            self._witnesses[name] = [made.drop_nulls().head(FIRST_WITNESSES)]
            self._break(name, None)
            return
        told = {word.strip() for word in (*reading.missing, *reading.levels_kept)}
        new = {
            word
            for word in find_short_words(made)
            if word.strip() not in told and word.strip().lower() not in {"no", "other"}
        }
        if new - self._words.get(name, set()):
            self._words.setdefault(name, set()).update(new)
            self._break(name, pl.Series(name, sorted(new)))
            self._witness(made)

    def _count_words(self, cells: pl.Series, reading: ColumnReading, tally: _Tally) -> None:
        if reading.missing:
            mask = cells.str.strip_chars().is_in([word.strip() for word in reading.missing]).fill_null(value=False)
            count = int(mask.sum())
            tally.stand_ins += count
            if count and len(tally.stand_in_rows) < SAMPLE_ROWS:
                tally.stand_in_rows += [self.n_rows + row + 1 for row in mask.arg_true().head(SAMPLE_ROWS).to_list()]
        for word in reading.levels_kept:
            mask = (cells.str.strip_chars() == word.strip()).fill_null(value=False)
            count = int(mask.sum())
            tally.kept[word] = tally.kept.get(word, 0) + count
            rows = tally.kept_rows.setdefault(word, [])
            if count and len(rows) < SAMPLE_ROWS:
                rows += [self.n_rows + row + 1 for row in mask.arg_true().head(SAMPLE_ROWS).to_list()]

    def _witness(self, cells: pl.Series) -> None:
        parts = self._witnesses[cells.name]
        if sum(map(len, parts)) < MOST_WITNESSES:
            parts.append(drop_blank(cells).drop_nulls().gather_every(max(1, len(cells) // WITNESSES)).head(WITNESSES))

    def finish(self) -> None:
        """Judge at the end what only counts can: too many unreadable cells, and evidence that came late."""
        for name, tally in self._tallies.items():
            reading = self.decisions[name].reading
            if name in self._known or name in self._forced or reading.kind == "text":
                continue
            total = tally.read + tally.unread
            if tally.unread and (total < FEW_CELLS or tally.unread > UNPARSED_SHARE * total):
                self._forced[name] = ColumnReading(kind="text", reason="mixed")
                self._broken.add(name)
        late = {
            name
            for name, decision in self.decisions.items()
            if decision.reading.kind == "text" and decision.reading.reason not in _SETTLED and name not in self._forced
        }
        if late and not self._broken:
            before = {name: self.decisions[name].reading for name in late}
            tallies, rows, n_rows, n_raw = self._tallies, self._rows, self.n_rows, self._n_raw
            decided, schema = self.decisions, self.schema
            self._decide()
            changed = {name for name in late if self.decisions[name].reading != before[name]}
            self._tallies, self._rows, self.n_rows, self._n_raw = tallies, rows, n_rows, n_raw
            self.decisions, self.schema = decided, schema
            self._broken |= changed

    @property
    def null_counts(self) -> dict[str, int]:
        """Return the cells without a value of each column."""
        return {name: tally.nulls for name, tally in self._tallies.items()}

    @property
    def n_left_out(self) -> int:
        """Return the rows at the end or between that are notes or totals."""
        return len(self._rows.footer) + len(self._rows.totals)

    def tell(self) -> list[Finding]:
        """Return the findings about rows and columns."""
        rows = self._rows
        found: list[Finding] = []
        if rows.blank:
            found.append(tell.say_blank_rows(rows.blank))
        if rows.copies:
            found.append(tell.say_header_copies(rows.copies))
        if rows.footer:
            found.append(tell.say_footer(rows.footer))
        if rows.totals:
            found.append(tell.say_totals(rows.totals, proven=rows.proven, parts=rows.parts))
        if rows.last_is_kept_total:
            found.append(tell.say_kept_total(rows.looks_like_total[-1]))
        groups: dict[tuple[str, ...], list[str]] = {}
        for name, decision in self.decisions.items():
            found += self._tell_column(name, decision)
            group_decisions(groups, name, decision)
        return found + self._tell_words() + [tell_group(key, names) for key, names in groups.items()]

    def _tell_words(self) -> list[Finding]:
        gaps: dict[tuple[str, ...], list[tell.Seen]] = {}
        levels: dict[str, list[tell.Seen]] = {}
        for name, decision in self.decisions.items():
            tally = self._tallies[name]
            if tally.stand_ins:
                seen = tell.Seen(name, tally.stand_in_rows[:SAMPLE_ROWS], tally.stand_ins)
                gaps.setdefault(tuple(decision.reading.missing), []).append(seen)
            for word, count in tally.kept.items():
                levels.setdefault(word, []).append(tell.Seen(name, tally.kept_rows[word][:SAMPLE_ROWS], count))
        found = [tell.say_placeholders(words, seen) for words, seen in gaps.items()]
        return found + [tell.say_level_kept(word, seen) for word, seen in levels.items()]

    def _tell_column(self, name: str, decision: Decision) -> list[Finding]:
        reading, tally = decision.reading, self._tallies[name]
        found: list[Finding] = []
        if tally.unread:
            found.append(
                tell.say_unparsed(
                    name, kind=reading.kind, rows=tally.unread_rows, n_rows=tally.unread, n_read=tally.read
                )
            )
        proof = decision.order.proof if decision.order else ""
        if reading.epoch:
            found.append(tell.say_counted_dates(name, unit=reading.epoch, n_rows=self.n_rows))
        elif reading.kind == "date" and (proof or reading.date_format not in {"%Y-%m-%d", "%Y-%m-%d %H:%M:%S"}):
            found.append(
                tell.say_dates(
                    name, date_format=reading.date_format, proof=proof, zone=reading.time_zone, n_rows=self.n_rows
                )
            )
        if reading.kind == "text" and reading.reason == "ambiguous_dates":
            found.append(tell.say_ambiguous_dates(name, n_rows=self.n_rows))
        return found


def _find_dtype(decision: Decision) -> pl.DataType:
    reading = decision.reading
    if reading.kind == "number":
        return pl.Int64() if reading.is_integer else pl.Float64()
    if reading.kind == "boolean":
        return pl.Boolean()
    if reading.kind == "date":
        is_day = decision.values is not None and decision.values.dtype == pl.Date
        return pl.Date() if is_day else pl.Datetime("us")
    return pl.String()
