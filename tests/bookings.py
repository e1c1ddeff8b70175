"""A small shop's bookings: honest signal, one leak, one identifier, dates, gaps and free categories."""

from __future__ import annotations

import numpy as np
import polars as pl


def build_bookings(n_rows: int = 1_200, *, seed: int = 7) -> pl.DataFrame:
    """Return bookings whose `refund` is only filled after a cancellation."""
    random = np.random.default_rng(seed)
    lead = random.gamma(2.0, 20.0, n_rows).round()
    price = random.normal(120, 35, n_rows).round(2)
    channel = random.choice(["web", "phone", "agency"], n_rows, p=[0.6, 0.25, 0.15])
    score = -2.2 + 0.03 * lead + 0.9 * (channel == "agency") + random.normal(0, 0.6, n_rows)
    cancelled = random.random(n_rows) < 1 / (1 + np.exp(-score))
    gaps = random.random(n_rows) < 0.08
    return pl.DataFrame(
        {
            "booking": [f"B{100_000 + 7 * number}" for number in random.permutation(n_rows)],
            "lead_days": lead,
            "price": [None if gap else value for gap, value in zip(gaps, price, strict=True)],
            "channel": channel,
            "breakfast": random.choice(["yes", "no"], n_rows),
            "refund": [
                round(float(value) * 0.8, 2) if gone else None for gone, value in zip(cancelled, price, strict=True)
            ],
            "cancelled": ["yes" if gone else "no" for gone in cancelled],
        }
    )
