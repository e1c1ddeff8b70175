"""How often the leak court is right: planted leaks of each family, honest columns it must leave alone, and other trades.

Printed are tables in Markdown: by family and strength, how often a leak is named (any verdict) and blocked; by kind of honest
column, how often one is blocked or asked about; by trade, how many columns from after the decision are named and how many honest
ones are condemned. All shares with Wilson's 95 % interval.

    python benchmarks/leak_court.py                        # about a quarter of an hour on two cores
    python benchmarks/leak_court.py --tables 5             # quicker, wider intervals
    python benchmarks/leak_court.py --write                # also into docs/explanation/leak-court.md
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from leak_domains import DOMAINS, SIZES, Domain
from leak_tables import BINARY, HONEST, HONEST_NUMBER, NUMBER, SHAPES, Plant, Table, close, honest_measure, make_world

from skiff.core.finding import Finding
from skiff.data.checks.leakage import find_leakage
from skiff.data.kinds import infer_inputs
from skiff.data.splits import propose_split
from skiff.data.task import detect_time_and_group, infer_task
from skiff.evaluate.intervals import find_wilson_interval

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "leak-court.md"
MARKS = ("<!-- tables: written by benchmarks/leak_court.py -->", "<!-- end of tables -->")


@dataclass
class Count:
    """How often something happened."""

    hits: int = 0
    n: int = 0

    def add(self, hits: int | bool, n: int = 1) -> None:
        """Count."""
        self.hits += int(hits)
        self.n += n

    def say(self) -> str:
        """Return the share with its interval."""
        if not self.n:
            return ""
        low, high = find_wilson_interval(self.hits, self.n)
        return f"{100 * self.hits / self.n:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def judge(table: Table, seed: int) -> list[Finding]:
    """Hold court over a simulated table."""
    exclude = {table.task.target, *([table.task.group] if table.task.group else [])}
    inputs = infer_inputs(table.frame, exclude=exclude)
    rows = test_rows = None
    if table.test_share:
        order = np.random.default_rng(seed).permutation(table.frame.height)
        cut = int(table.test_share * len(order))
        test_rows, rows = np.sort(order[:cut]), np.sort(order[cut:])
    return find_leakage(table.frame, table.task, inputs, rows=rows, test_rows=test_rows, seed=seed, threads=1)


def judge_domain(domain: Domain, seed: int) -> list[Finding]:
    """Hold court the way ``skiff check`` does: time, group and split as Skiff proposes them."""
    task, _ = infer_task(domain.frame, domain.target, time=domain.time, group=domain.group)
    when, group, _ = detect_time_and_group(domain.frame, task)
    task = replace(task, time=task.time or when, group=task.group or group)
    split, _ = propose_split(domain.frame, task, seed=seed)
    inputs = infer_inputs(domain.frame, exclude={domain.target, *([task.group] if task.group else [])})
    found = find_leakage(domain.frame, task, inputs, rows=split.train, test_rows=split.test, seed=seed, threads=1)
    return [finding for finding in found if finding.code not in ("leakage.group", "leakage.identifier")]


def list_columns(found: list[Finding], *severities: str) -> set[str]:
    """Return the columns with a finding of these severities."""
    return {name for finding in found if finding.severity in severities for name in finding.columns}


def run_planted(*, tables: int, seed: int, only: str) -> Iterator[str]:
    """Yield recall by family and strength."""
    yield "| family | leak | strength | wanted | named | blocked | honest columns blocked beside it |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    families: dict[str, tuple[Count, Count]] = defaultdict(lambda: (Count(), Count()))
    for cells, is_regression in ((BINARY, False), (NUMBER, True)):
        for code, what, wanted, plant, strengths in cells:
            if only not in f"{code} {what}":
                continue
            for strength in strengths:
                named, blocked, beside = Count(), Count(), 0
                for place in range(tables):
                    table = make_planted(plant, strength, code, place=place, seed=seed, is_regression=is_regression)
                    found = judge(table, place)
                    about_rows = [f for f in found if code in ("overlap", "near_duplicates") and f.code.endswith(code)]
                    sought = set(table.sought)
                    named.add(
                        bool(sought & list_columns(found, "block", "warn")) or bool(list_columns_of_rows(about_rows))
                    )
                    blocked.add(bool(sought & list_columns(found, "block")))
                    beside += bool(list_columns(found, "block") - set(table.planted))
                for total, count in zip(families[code], (named, blocked), strict=True):
                    total.add(count.hits, count.n)
                yield f"| `{code}` | {what} | {strength:g} | {wanted} | {named.say()} | {blocked.say()} | {beside} of {tables} |"
    for code, (named, blocked) in families.items():
        yield f"| **`{code}`** | all together | | | **{named.say()}** | **{blocked.say()}** | |"


def list_columns_of_rows(found: list[Finding]) -> list[Finding]:
    """Return the findings about rows that are more than a note."""
    return [finding for finding in found if finding.severity != "info"]


def make_planted(plant: Plant, strength: float, code: str, *, place: int, seed: int, is_regression: bool) -> Table:
    """Return one simulated table with a leak in it; every kind goes through all shapes."""
    rng = np.random.default_rng([seed, place, round(1_000 * abs(strength)), sum(map(ord, plant.__name__))])
    world = make_world(rng, shape=SHAPES[place % len(SHAPES)], is_regression=is_regression)
    plant(world, strength)
    has_test = code in ("overlap", "near_duplicates")
    when = "booked" if "booked" in world.columns else None
    table = close(world, is_regression=is_regression, time=when, test_share=0.25 if has_test else 0.0)
    return replace(table, frame=table.frame.sort("planted")) if code == "row_order" else table


def run_honest(*, tables: int, seed: int) -> Iterator[str]:
    """Yield how often honest columns are blocked or asked about."""
    yield "| honest column | strength | blocked | asked about |"
    yield "| --- | --- | --- | --- |"
    cells = [(what, make, strength, False) for what, make, strengths in HONEST for strength in strengths]
    cells += [(what, honest_measure, strength, True) for what, strengths in HONEST_NUMBER for strength in strengths]
    all_blocked = Count()
    for what, make, strength, is_regression in cells:
        blocked, asked = Count(), Count()
        for place in range(tables):
            rng = np.random.default_rng([seed + 1, place, round(1_000 * strength), len(what)])
            world = make_world(rng, shape=SHAPES[place % len(SHAPES)], is_regression=is_regression)
            world.columns["strong"] = make(world, strength)
            found = judge(close(world, is_regression=is_regression), place)
            blocked.add(bool(list_columns(found, "block")))
            asked.add(bool(list_columns(found, "warn")))
        all_blocked.add(blocked.hits, blocked.n)
        yield f"| {what} | {strength:g} | {blocked.say()} | {asked.say()} |"
    yield f"| **all together** | | **{all_blocked.hits} of {all_blocked.n} tables: {all_blocked.say()}** | |"


def run_domains(*, tables: int, seed: int) -> Iterator[str]:
    """Yield, by trade and by size, what is named, blocked, and condemned by mistake; once more without any leak."""
    yield "| trade | proven columns named | blocked | soft ones asked about | honest columns blocked | honest asked about | blocked in the same table without leaks |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    by_size: dict[int, list[Count]] = {size: [Count() for _ in range(6)] for size in SIZES}
    total = [Count() for _ in range(6)]
    for name, make in DOMAINS.items():
        counts = [Count() for _ in range(6)]
        for place in range(tables):
            size = SIZES[place % len(SIZES)]
            made = count_domain(make(np.random.default_rng([seed, place, size]), size), place)
            for count, hits in zip(counts, made, strict=True):
                count.add(*hits)
            for count, hits in zip(by_size[size], made, strict=True):
                count.add(*hits)
            for count, hits in zip(total, made, strict=True):
                count.add(*hits)
        yield f"| {name} | {' | '.join(count.say() for count in counts)} |"
    for size, counts in by_size.items():
        yield f"| **{size:,} rows, all trades** | {' | '.join(count.say() for count in counts)} |"
    yield f"| **all together** | {' | '.join(f'**{count.say()}**' for count in total)} |"


def count_domain(domain: Domain, seed: int) -> list[tuple[int, int]]:
    """Return hits and number for each column of the table of trades."""
    found = judge_domain(domain, seed)
    blocked, named = list_columns(found, "block"), list_columns(found, "block", "warn")
    proven, soft = set(domain.proven), set(domain.asked)
    honest = set(domain.frame.columns) - proven - soft - {domain.target}
    clean = replace(domain, frame=domain.frame.drop(*proven, *soft), proven=(), asked=())
    condemned = list_columns(judge_domain(clean, seed), "block")
    return [
        (len(proven & named), len(proven)),
        (len(proven & blocked), len(proven)),
        (len(soft & named), len(soft)),
        (len(honest & blocked), len(honest)),
        (len(honest & named - blocked), len(honest)),
        (len(condemned), len(honest)),
    ]


def write_page(text: str) -> None:
    """Put the tables between their marks on the page."""
    page = PAGE.read_text()
    head, rest = page.split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{head}{MARKS[0]}\n{text}\n{MARKS[1]}{tail}")


def main() -> int:
    """Run all parts and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=15, help="simulated tables a cell (default 15)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=("planted", "honest", "trades", "all"), default="all")
    parser.add_argument("--only", default="", help="only planted leaks whose name contains this")
    parser.add_argument("--write", action="store_true", help="write the tables into the documentation")
    options = parser.parse_args()
    started = time.perf_counter()
    parts = {
        "trades": ("Other trades", run_domains(tables=options.tables, seed=options.seed)),
        "honest": ("Honest columns that must not be blocked", run_honest(tables=options.tables, seed=options.seed)),
        "planted": ("Planted leaks", run_planted(tables=options.tables, seed=options.seed, only=options.only)),
    }
    lines: list[str] = []
    for part, (title, made) in parts.items():
        if options.part not in ("all", part):
            continue
        lines += [f"\n### {title}\n", *(made if options.write else _echo(title, made))]
    if options.write:
        write_page("\n".join(lines))
    print(f"\n{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return 0


def _echo(title: str, made: Iterator[str]) -> Iterator[str]:
    """Print lines as they come."""
    print(f"\n### {title}\n")
    for line in made:
        print(line, flush=True)
        yield line


if __name__ == "__main__":
    sys.exit(main())
