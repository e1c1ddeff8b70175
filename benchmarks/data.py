"""Reading, profiling and checking large tables, beside the tools people use for it.

python benchmarks/data.py                          # checks beside the peers that are installed (benchmarks/data_checks.py)
python benchmarks/data.py --peers DIR --build      # the same, installing the peers below DIR first
python benchmarks/data.py --make mixed -o big.csv  # only write one of the tables
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl

PLACES = ("Lisbon", "Porto", "Rome", "Vienna", "Graz", "Lyon", "Nantes", "Ghent", "Bruges", "Malmo", "Turku", "Cork")
WORDS = [
    "the",
    "room",
    "was",
    "clean",
    "and",
    "quiet",
    "but",
    "breakfast",
    "started",
    "late",
    "staff",
    "helped",
    "us",
    "with",
    "bags",
    "shower",
    "cold",
    "view",
    "over",
    "harbour",
    "parking",
    "hard",
    "to",
    "find",
    "we",
    "would",
    "come",
    "again",
    "next",
    "summer",
    "bed",
    "soft",
    "price",
    "fair",
    "coffee",
    "good",
    "lift",
    "broken",
    "on",
    "first",
    "day",
]


def make_mixed(rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return 30 columns as a booking system would export them, with gaps, copies and one leak."""
    price = np.round(np.exp(rng.normal(4.6, 0.6, rows)), 2)
    nights = rng.geometric(0.3, rows)
    lead = rng.exponential(40.0, rows).astype(np.int64)
    score = 0.5 * np.log(price) - 0.02 * lead + rng.logistic(0.0, 1.0, rows)
    cancelled = score > np.quantile(score, 0.7)
    days = np.datetime64("2022-01-01") + rng.integers(0, 1_000, rows)
    seconds = (np.datetime64("2022-01-01T00:00:00") + rng.integers(0, 1_000 * 86_400, rows)).astype("datetime64[ms]")
    columns: dict[str, object] = {
        "booking": [f"B{number:08d}" for number in range(rows)],
        "price": price,
        "nights": nights,
        "lead_days": lead,
        "adults": rng.integers(1, 5, rows),
        "children": rng.poisson(0.3, rows),
        "discount": np.round(rng.beta(1.0, 9.0, rows), 3),
        "distance_km": np.round(rng.gamma(2.0, 150.0, rows), 1),
        "age": np.clip(rng.normal(44.0, 14.0, rows), 18, 95).astype(np.int64),
        "rating": np.round(np.clip(rng.normal(7.8, 1.2, rows), 1.0, 10.0), 1),
        "visits": rng.poisson(2.0, rows),
        "latitude": np.round(rng.uniform(36.0, 60.0, rows), 5),
        "longitude": np.round(rng.uniform(-9.0, 25.0, rows), 5),
        "tax": np.round(price * nights * 0.06, 2),
        "deposit": np.where(rng.random(rows) < 0.6, 0.0, np.round(price * 0.3, 2)),
        "city": _pick(rng, PLACES, rows),
        "channel": _pick(rng, ("web", "phone", "agent", "partner", "walk-in"), rows),
        "country": _pick(rng, tuple(f"C{number:03d}" for number in range(120)), rows),
        "room": _pick(rng, ("single", "double", "twin", "suite"), rows),
        "board": _pick(rng, ("none", "breakfast", "half board", "full board"), rows),
        "agent": _pick(rng, tuple(f"agent {number}" for number in range(2_000)), rows),
        "campaign": _pick(rng, tuple(f"campaign-{number}" for number in range(300)), rows),
        "segment": _pick(rng, ("leisure", "business", "group"), rows),
        "member": _pick(rng, ("yes", "no"), rows),
        "newsletter": _pick(rng, ("true", "false"), rows),
        "booked_on": days,
        "changed_at": seconds,
        "comment": _write_comments(rng, rows),
        "currency": ["EUR"] * rows,
        "cancelled": np.where(cancelled, "yes", "no"),
    }
    frame = pl.DataFrame(columns)
    gaps = {
        "discount": 0.1,
        "age": 0.05,
        "rating": 0.4,
        "agent": 0.3,
        "campaign": 0.5,
        "changed_at": 0.2,
        "comment": 0.6,
    }
    frame = frame.with_columns(
        [pl.when(pl.Series(rng.random(rows) >= rate)).then(pl.col(name)).alias(name) for name, rate in gaps.items()]
    )
    copies = rng.integers(0, rows, max(1, rows // 100))
    places = np.arange(rows)
    places[rng.integers(0, rows, len(copies))] = copies
    return frame[places]


def make_wide(rows: int, columns: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return a table of sensors and answers: two thirds numbers, the rest categories, yes/no and dates."""
    made: dict[str, object] = {}
    for place in range(columns - 1):
        kind = place % 12
        if kind < 5:
            made[f"sensor_{place}"] = np.round(rng.normal(20.0, 4.0, rows), 3)
        elif kind < 8:
            made[f"count_{place}"] = rng.poisson(3.0, rows)
        elif kind < 10:
            made[f"answer_{place}"] = _pick(rng, ("low", "middle", "high", "none of these"), rows)
        elif kind == 10:
            made[f"flag_{place}"] = _pick(rng, ("yes", "no"), rows)
        else:
            made[f"day_{place}"] = np.datetime64("2023-01-01") + rng.integers(0, 700, rows)
    drift = np.asarray(made["sensor_0"]) + rng.normal(0.0, 8.0, rows)
    made["failed"] = np.where(drift > np.quantile(drift, 0.8), "yes", "no")
    frame = pl.DataFrame(made)
    thin = [name for place, name in enumerate(frame.columns[:-1]) if place % 4 == 0]
    return frame.with_columns(
        [pl.when(pl.Series(rng.random(rows) >= 0.1)).then(pl.col(name)).alias(name) for name in thin]
    )


def make_tall(rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return ten columns of a till: receipts without end."""
    amount = np.round(np.exp(rng.normal(2.5, 0.9, rows)), 2)
    hour = rng.integers(7, 22, rows)
    frame = pl.DataFrame(
        {
            "receipt": np.arange(rows) + 1_000_000,
            "day": np.datetime64("2023-01-01") + np.sort(rng.integers(0, 900, rows)),
            "hour": hour,
            "amount": amount,
            "items": rng.poisson(4.0, rows) + 1,
            "shop": _pick(rng, tuple(f"shop {number}" for number in range(400)), rows),
            "payment": _pick(rng, ("card", "cash", "voucher"), rows),
            "member": _pick(rng, ("yes", "no"), rows),
            "discount": np.round(rng.beta(1.0, 12.0, rows), 2),
            "returned": np.where(rng.random(rows) < 0.03 + 0.04 * (amount > 20.0), "yes", "no"),
        }
    )
    return frame.with_columns(pl.when(pl.Series(rng.random(rows) >= 0.2)).then("discount").alias("discount"))


def _pick(rng: np.random.Generator, levels: tuple[str, ...], rows: int) -> pl.Series:
    weights = 1.0 / np.arange(1.0, len(levels) + 1.0)
    codes = rng.choice(len(levels), rows, p=weights / weights.sum())
    return pl.Series(list(levels))[codes]


def _write_comments(rng: np.random.Generator, rows: int) -> pl.Series:
    words = pl.Series(WORDS)
    lengths = rng.integers(4, 12, rows)
    flat = words[rng.integers(0, len(WORDS), int(lengths.sum()))]
    owner = np.repeat(np.arange(rows), lengths)
    table = pl.DataFrame({"row": owner, "word": flat}).group_by("row", maintain_order=True).agg("word")
    return table["word"].list.join(" ")


TABLES = {
    "mixed": lambda rng: make_mixed(500_000, rng),
    "wide": lambda rng: make_wide(2_000, 10_000, rng),
    "tall": lambda rng: make_tall(10_000_000, rng),
}


def main() -> int:
    """Write the table that was asked for, or stand beside the peers."""
    parser = argparse.ArgumentParser(description=__doc__, add_help="--make" in sys.argv)
    parser.add_argument("--make", choices=sorted(TABLES))
    parser.add_argument("-o", "--output", type=Path)
    asked, rest = parser.parse_known_args()
    if not asked.make:
        from data_checks import main as compare_checks

        sys.argv[1:] = rest
        return compare_checks()
    TABLES[asked.make](np.random.default_rng(20_260)).write_csv(asked.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
