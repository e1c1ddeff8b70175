"""Tables of other trades for the leak court: realistic columns, honest and post-decision, with a known cause behind them.

Each domain draws a hidden risk, lets honest columns see it through noise (some of them strong), decides the target, and then
fills in what a clerk fills in afterwards. ``proven`` are the columns the data condemns beyond doubt, ``asked`` those that
deserve at least a question; all others are honest. Cells go missing and levels are misspelt, as in life.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Rng = np.random.Generator


@dataclass(frozen=True)
class Domain:
    """A simulated table of one trade and the truth about its columns."""

    frame: pl.DataFrame
    target: str
    proven: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None


@dataclass
class Desk:
    """Where one table is written: columns in order, with the means to draw and to spoil them."""

    rng: Rng
    n: int
    columns: dict[str, pl.Series] = field(default_factory=dict)

    def add(self, name: str, values: object) -> None:
        """Write a column."""
        self.columns[name] = values if isinstance(values, pl.Series) else pl.Series(np.asarray(values))

    def noise(self) -> Float:
        """Return standard normal noise, one a row."""
        return self.rng.normal(size=self.n)

    def chance(self, rate: object) -> Bool:
        """Return which rows something happens in, each with its own rate."""
        return np.asarray(self.rng.random(self.n) < np.asarray(rate))

    def pick(self, words: str, weights: tuple[float, ...] | None = None) -> NDArray[np.str_]:
        """Return one of the words a row."""
        return np.asarray(self.rng.choice(words.split(), size=self.n, p=weights))

    def grade(self, seen: Float, words: str) -> NDArray[np.str_]:
        """Return words in the order of `seen`, in about equal shares."""
        levels = words.split()
        cuts = np.quantile(seen, np.linspace(0, 1, len(levels) + 1)[1:-1])
        return np.array(levels)[np.searchsorted(cuts, seen)]

    def only(self, where: Bool, values: object) -> pl.Series:
        """Return `values` where they were filled in, blank elsewhere."""
        series = values if isinstance(values, pl.Series) else pl.Series(np.asarray(values))
        return pl.select(pl.when(pl.Series(where)).then(series)).to_series()

    def days(self, offsets: object, start: str = "2022-01-03") -> pl.Series:
        """Return dates so many days after `start`."""
        first = datetime.fromisoformat(start).date()
        return pl.Series([first + timedelta(days=int(day)) for day in np.asarray(offsets)])

    def moments(self, hours: object, start: str = "2023-02-01") -> pl.Series:
        """Return moments so many hours after `start`, to the minute."""
        first = datetime.fromisoformat(start)
        return pl.Series([first + timedelta(minutes=round(60 * float(hour))) for hour in np.asarray(hours)])

    def spoil(self, names: str, share: float) -> None:
        """Lose some cells, and misspell some words."""
        for name in names.split():
            series = self.columns[name]
            if series.dtype == pl.String:
                series = pl.select(
                    pl.when(pl.Series(self.chance(0.01))).then(series.str.to_uppercase() + " ").otherwise(series)
                ).to_series()
            self.columns[name] = self.only(~self.chance(share), series)

    def close(self, target: str, **truth: object) -> Domain:
        """Return the table, honest and other columns mixed, the target last."""
        names = [name for name in self.columns if name != target]
        order = [names[place] for place in self.rng.permutation(len(names))]
        frame = pl.DataFrame({name: self.columns[name] for name in [*order, target]})
        return Domain(frame=frame, target=target, **truth)  # type: ignore[arg-type]  # checked by the dataclass


def top(risk: Float, share: float) -> Bool:
    """Return the rows with the highest risk."""
    return np.asarray(risk > np.quantile(risk, 1 - share))


def medicine(rng: Rng, n: int) -> Domain:
    """Readmission within thirty days; a code and a ward that only the readmitted have."""
    d = Desk(rng, n)
    ill = d.noise()
    again = top(ill + 0.9 * d.noise(), 0.18)
    d.add("age", np.clip(np.round(62 + 9 * ill + 12 * d.noise()), 18, 99))
    d.add("sex", d.pick("f m"))
    d.add("creatinine_mg_dl", np.round(np.exp(0.1 + 0.25 * ill + 0.2 * d.noise()), 2))
    d.add("hba1c", np.round(6.3 + 0.5 * ill + 0.9 * d.noise(), 1))
    d.add("previous_admissions", rng.poisson(np.exp(0.2 + 0.5 * ill)))
    d.add("admission_type", d.grade(ill + 1.5 * d.noise(), "planned referred emergency"))
    d.add("length_of_stay", np.maximum(1, np.round(np.exp(1.2 + 0.4 * ill + 0.4 * d.noise()))))
    d.add("lace_index", np.round(10 + 3 * (ill + 0.7 * d.noise())))
    d.add("ward", d.pick("A1 A2 B1 B2 C1 surgery"))
    usual = d.pick("home care_home transfer", (0.8, 0.15, 0.05))
    d.add("discharge_code", np.where(again & d.chance(0.5), "Z51R", usual))
    d.add("readmission_ward", d.only(again & d.chance(0.97), d.pick("A1 A2 B1 icu")))
    d.add(
        "days_to_next_contact",
        d.only(again | d.chance(0.4), np.where(again, rng.integers(1, 31, n), rng.integers(31, 400, n))),
    )
    d.add("readmitted_30d", np.where(again, "yes", "no"))
    d.spoil("hba1c admission_type creatinine_mg_dl", 0.12)
    return d.close("readmitted_30d", proven=("discharge_code", "readmission_ward", "days_to_next_contact"))


def retail(rng: Rng, n: int) -> Domain:
    """Orders sent back; refund, label and state of the order come afterwards."""
    d = Desk(rng, n)
    fickle = d.noise()
    back = top(fickle + 0.7 * d.noise(), 0.12)
    price = np.round(rng.lognormal(3.6, 0.7, n), 2)
    d.add("order_no", 700_000 + np.arange(n))
    d.add("ordered_on", d.days(np.sort(rng.integers(0, 420, n))))
    d.add("item_price", price)
    d.add("quantity", rng.poisson(0.6, n) + 1)
    d.add("discount_pct", rng.choice([0, 5, 10, 20, 30], n, p=[0.6, 0.1, 0.1, 0.1, 0.1]))
    d.add("sizes_ordered", 1 + rng.poisson(np.exp(-1.0 + 0.8 * fickle)))
    d.add("return_rate_last_year", np.clip(np.round(0.2 + 0.12 * (fickle + 0.5 * d.noise()), 3), 0, 1))
    d.add("category", d.grade(fickle + 2 * d.noise(), "books home toys shoes dresses"))
    d.add("shipping", d.pick("standard express pickup"))
    d.add("refund_amount", np.where(back & d.chance(0.9), price, 0.0))
    codes = pl.Series([f"RL{code:07d}" for code in rng.integers(0, 9_999_999, n)])
    d.add("return_label_id", d.only(back & d.chance(0.95), codes))
    d.add(
        "order_state",
        np.where(back, np.where(d.chance(0.7), "refunded", "in_return"), np.where(d.chance(0.9), "delivered", "lost")),
    )
    d.add("restocking_note", d.only(back & d.chance(0.3), d.pick("fine damaged worn")))
    d.add("was_returned", back)
    d.spoil("category sizes_ordered return_rate_last_year", 0.05)
    return d.close("was_returned", proven=("refund_amount", "return_label_id", "order_state", "restocking_note"))


def personnel(rng: Rng, n: int) -> Domain:
    """Who leaves the firm; the interview, the last payslip and the handed-in badge follow."""
    d = Desk(rng, n)
    fed_up = d.noise()
    leaves = top(fed_up + 0.8 * d.noise(), 0.16)
    hired = rng.integers(0, 2500, n)
    d.add("staff_id", rng.permutation(20 * n)[:n] + 1000)
    d.add("hired_on", d.days(hired, "2015-01-05"))
    d.add("department", d.pick("sales support it finance warehouse hr", (0.3, 0.2, 0.2, 0.1, 0.15, 0.05)))
    d.add("monthly_salary", np.round(3200 * np.exp(-0.1 * fed_up + 0.25 * d.noise()), -1))
    d.add("overtime_hours", np.maximum(0, np.round(8 + 6 * fed_up + 6 * d.noise())))
    d.add("satisfaction", np.clip(np.round(3.2 - 0.8 * fed_up + 0.7 * d.noise()), 1, 5))
    d.add("engagement_score", np.round(70 - 12 * (fed_up + 0.6 * d.noise()), 1))
    d.add("remote_days", rng.integers(0, 6, n))
    d.add(
        "exit_interview_date", d.only(leaves & d.chance(0.8), d.days(hired + rng.integers(100, 900, n), "2015-01-05"))
    )
    d.add("final_payout", np.where(leaves & d.chance(0.9), np.round(rng.lognormal(7, 0.5, n), 2), 0.0))
    d.add("badge_active", ~(leaves & d.chance(0.97)))
    d.add("rehire_ok", d.only(leaves & d.chance(0.6), d.pick("y n")))
    d.add("left_company", leaves.astype(int))
    d.spoil("department satisfaction engagement_score", 0.08)
    return d.close("left_company", proven=("exit_interview_date", "final_payout", "badge_active", "rehire_ok"))


def machines(rng: Rng, n: int) -> Domain:
    """Machines that stop within a week: the next state, work orders and repair costs come later; vibration is honest."""
    d = Desk(rng, n)
    units = max(20, n // 60)
    unit = rng.integers(0, units, n)
    wear = 0.6 * rng.normal(size=units)[unit] + 0.8 * d.noise()
    stops = top(wear + 0.45 * d.noise(), 0.06)
    d.add("machine", np.array([f"M{code:03d}" for code in unit]))
    d.add("measured_at", d.moments(np.sort(rng.uniform(0, 8000, n))))
    d.add("vibration_rms", np.round(np.exp(0.4 + 0.5 * wear + 0.1 * d.noise()), 3))
    d.add("bearing_temp_c", np.round(55 + 4 * wear + 5 * d.noise(), 1))
    d.add("hours_since_service", np.round(np.maximum(1, 300 + 90 * wear + 150 * d.noise())))
    d.add("load_pct", np.round(np.clip(60 + 15 * d.noise(), 0, 100), 1))
    d.add("error_count_24h", rng.poisson(np.exp(-1 + 0.7 * wear)))
    d.add("firmware", d.pick("1.8 1.9 2.0 2.1"))
    d.add("next_state", np.where(stops & d.chance(0.9), "halted", np.where(d.chance(0.08), "service", "running")))
    d.add(
        "work_order",
        d.only(stops & d.chance(0.9), pl.Series([f"WO-{code}" for code in rng.integers(10_000, 99_999, n)])),
    )
    d.add(
        "downtime_min",
        np.where(
            stops, np.round(rng.lognormal(4.5, 0.8, n)), np.where(d.chance(0.03), np.round(rng.lognormal(2, 0.5, n)), 0)
        ),
    )
    d.add("fails_within_7d", stops)
    d.spoil("bearing_temp_c error_count_24h", 0.03)
    return d.close(
        "fails_within_7d",
        proven=("next_state", "work_order"),
        asked=("downtime_min",),
        time="measured_at",
        group="machine",
    )


def school(rng: Rng, n: int) -> Domain:
    """Draw final marks, worked out from their parts; the mid-term mark is honest and strong."""
    d = Desk(rng, n)
    able = d.noise()
    exam = np.clip(np.round(62 + 12 * able + 7 * d.noise(), 1), 0, 100)
    work = np.clip(np.round(66 + 10 * able + 8 * d.noise(), 1), 0, 100)
    mark = np.round(0.6 * exam + 0.4 * work, 1)
    d.add("student", rng.permutation(9 * n)[:n] + 40_000)
    d.add("midterm", np.clip(np.round(60 + 13 * able + 3 * d.noise()), 0, 100))
    d.add("attendance_pct", np.clip(np.round(82 + 6 * able + 8 * d.noise()), 0, 100))
    d.add("study_hours", np.round(np.exp(1.5 + 0.2 * able + 0.4 * d.noise()), 1))
    d.add("school", d.pick("north south east west"))
    d.add("parent_degree", d.grade(able + 2 * d.noise(), "none school bachelor master"))
    d.add("exam", exam)
    d.add("coursework", work)
    d.add("letter", np.array(list("FEDCBA"))[np.searchsorted([40, 50, 60, 70, 80], mark, side="right")])
    d.add("grade_points", np.round(mark / 25.0, 2))
    d.add("final_mark", mark)
    d.spoil("attendance_pct parent_degree study_hours", 0.1)
    return d.close("final_mark", proven=("exam", "coursework", "letter", "grade_points"))


def bank(rng: Rng, n: int) -> Domain:
    """Accounts that default; closing date, agency and write-off follow the default."""
    d = Desk(rng, n)
    strain = d.noise()
    fails = top(strain + 0.7 * d.noise(), 0.05)
    opened = rng.integers(0, 1500, n)
    d.add("account", np.array([f"AC{code:08d}" for code in rng.permutation(40 * n)[:n]]))
    d.add("opened_on", d.days(opened, "2017-06-01"))
    d.add("previous_balance", np.round(-800 * strain + 2500 + 900 * d.noise(), 2))
    d.add("utilisation", np.clip(np.round(0.45 + 0.2 * strain + 0.12 * d.noise(), 3), 0, 1.2))
    d.add("late_payments_12m", rng.poisson(np.exp(-1.2 + 0.9 * strain)))
    d.add("income_band", d.grade(-strain + 1.8 * d.noise(), "<20k 20-35k 35-60k >60k"))
    d.add("payment_method", d.pick("debit transfer card", (0.6, 0.3, 0.1)))
    d.add("loan_amount", np.round(rng.lognormal(9, 0.5, n), -2))
    d.add(
        "account_closed_on",
        d.only((fails & d.chance(0.7)) | d.chance(0.03), d.days(opened + rng.integers(300, 900, n), "2017-06-01")),
    )
    d.add("collections_agency", d.only(fails & d.chance(0.6), d.pick("Northlight Ferris Ludlow")))
    d.add("amount_written_off", np.where(fails & d.chance(0.5), np.round(rng.lognormal(7, 1, n), 2), 0.0))
    d.add("recovery_stage", np.where(fails, d.pick("1 2 3"), "0").astype(int))
    d.add("defaulted", np.where(fails, "Y", "N"))
    d.spoil("income_band utilisation", 0.06)
    return d.close(
        "defaulted",
        proven=("collections_agency", "amount_written_off", "recovery_stage"),
        asked=("account_closed_on",),
    )


WORDS = [
    "customer",
    "called",
    "about",
    "the",
    "policy",
    "and",
    "asked",
    "for",
    "a",
    "copy",
    "of",
    "photos",
    "invoice",
    "repair",
    "garage",
    "street",
    "rain",
    "parked",
    "report",
    "police",
    "witness",
    "later",
    "again",
]


def write_notes(d: Desk, where: Bool, endings: tuple[str, ...]) -> pl.Series:
    """Return a note a row; rows `where` end with one of `endings`."""
    picked = np.array(WORDS)[d.rng.integers(0, len(WORDS), (d.n, 9))]
    tails = d.rng.integers(0, len(endings), d.n)
    return pl.Series(
        [
            " ".join(row) + (f" {endings[tail]}" if told else "")
            for row, tail, told in zip(picked, tails, where, strict=True)
        ]
    )


def insurance(rng: Rng, n: int) -> Domain:
    """Fraudulent claims; the note says so, nothing is paid, an investigator is named."""
    d = Desk(rng, n)
    odd = d.noise()
    fraud = top(odd + 0.9 * d.noise(), 0.09)
    claim = np.round(rng.lognormal(7.5 + 0.1 * odd, 0.6, n), 2)
    d.add("claim_ref", np.array([f"C-{code:06d}" for code in rng.permutation(9 * n)[:n]]))
    d.add("claimed_amount", claim)
    d.add("policy_age_months", np.maximum(0, np.round(40 - 14 * odd + 20 * d.noise())))
    d.add("prior_claims", rng.poisson(np.exp(-0.6 + 0.7 * odd)))
    d.add("vehicle_age", rng.integers(0, 20, n))
    d.add("region", d.pick("coast hills city plain"))
    d.add("reported_by", d.grade(odd + 1.6 * d.noise(), "garage owner broker"))
    d.add("anomaly_score", np.round(1 / (1 + np.exp(-(odd + 0.6 * d.noise()))), 3))
    d.add(
        "resolution_text",
        write_notes(
            d,
            fraud & d.chance(0.85),
            ("fraud confirmed", "claim refused fraud suspected and proven", "closed as fraudulent"),
        ),
    )
    d.add("paid_amount", np.where(fraud, 0.0, np.round(claim * rng.uniform(0.6, 1.0, n), 2)))
    d.add("investigator", d.only(fraud & d.chance(0.85) | d.chance(0.004), d.pick("k.b. s.o. m.t. r.a.")))
    d.add("is_fraud", fraud)
    d.spoil("policy_age_months reported_by", 0.07)
    return d.close("is_fraud", proven=("resolution_text", "paid_amount", "investigator"))


def support(rng: Rng, n: int) -> Domain:
    """Tickets that escalate: team, survey and closing moment come later; priority is honest."""
    d = Desk(rng, n)
    hard = d.noise()
    up = top(hard + 0.6 * d.noise(), 0.2)
    opened = np.sort(rng.uniform(0, 6000, n))
    hours = np.where(up, rng.lognormal(4.2, 0.5, n), rng.lognormal(2.4, 0.6, n))
    d.add("ticket", np.arange(n) + 81_000)
    d.add("opened_at", d.moments(opened))
    d.add("priority", d.grade(hard + 0.8 * d.noise(), "P4 P3 P2 P1"))
    d.add("product", d.pick("app web pos api"))
    d.add("text_length", np.round(np.exp(5 + 0.3 * hard + 0.5 * d.noise())))
    d.add("messages_first_hour", rng.poisson(np.exp(0.3 + 0.5 * hard)))
    d.add("customer_tier", d.pick("free pro enterprise", (0.6, 0.3, 0.1)))
    d.add("closed_at", d.moments(opened + hours))
    d.add(
        "handled_by",
        np.where(up, np.where(d.chance(0.9), "tier2", "engineering"), np.where(d.chance(0.97), "tier1", "bot")),
    )
    d.add("csat", d.only(d.chance(0.4), np.clip(np.round(4.3 - 1.6 * up + 0.7 * d.noise()), 1, 5)))
    d.add("escalated", up.astype(int))
    d.spoil("priority text_length", 0.02)
    return d.close("escalated", proven=("handled_by",), asked=("closed_at", "csat"), time="opened_at")


def energy(rng: Rng, n: int) -> Domain:
    """Hourly use of power: the cost is worked out from it, its lag is honest and very strong."""
    d = Desk(rng, n)
    hour = np.arange(n)
    wave = np.convolve(rng.normal(size=n), 0.97 ** np.arange(200))[:n] * 0.5
    use = np.round(np.maximum(2, 60 + 18 * np.sin(2 * np.pi * (hour % 24 - 8) / 24) + 4 * wave + 3.5 * d.noise()), 2)
    tariff = np.where((hour % 24 >= 7) & (hour % 24 < 22), 0.31, 0.22)
    d.add("hour_start", d.moments(hour))
    d.add("outside_temp", np.round(9 + 6 * np.sin(2 * np.pi * hour / 8760) + 2.5 * d.noise(), 1))
    d.add("use_previous_hour", np.concatenate([[use[0]], use[:-1]]))
    d.add("use_same_hour_yesterday", np.concatenate([use[:24], use[:-24]]))
    d.add("occupancy", np.round(np.maximum(0, 40 + 25 * np.sin(2 * np.pi * (hour % 24 - 9) / 24) + 6 * d.noise())))
    d.add("tariff", tariff)
    d.add("cost_eur", np.round(use * tariff, 2))
    d.add("co2_kg", np.round(0.366 * use, 1))
    d.add("use_kwh", use)
    d.spoil("outside_temp occupancy", 0.04)
    return d.close("use_kwh", proven=("cost_eur", "co2_kg"), time="hour_start")


def property_sales(rng: Rng, n: int) -> Domain:
    """Sale prices: the commission, the price a square metre and its logarithm come from the price."""
    d = Desk(rng, n)
    area = np.round(rng.lognormal(4.4, 0.35, n), 1)
    where = d.noise()
    price = np.round(area * np.exp(7.9 + 0.35 * where + 0.18 * d.noise()), -2)
    d.add("living_area_m2", area)
    d.add("rooms", np.clip(np.round(area / 24 + 0.6 * d.noise()), 1, 9))
    d.add("year_built", np.round(1975 + 15 * where + 20 * d.noise()))
    d.add("district", d.grade(where + 0.4 * d.noise(), "Mill Docks Old_town Park Hill"))
    d.add("valuation", np.round(price * np.exp(0.07 * d.noise()), -3))
    d.add("energy_class", d.grade(-where + 1.5 * d.noise(), "A B C D E F"))
    d.add("commission", np.round(0.0357 * price, 2))
    d.add("price_m2", np.round(price / area))
    d.add("log_value", np.round(np.log(price), 3))
    d.add("tax_band", np.searchsorted(np.quantile(price, [0.2, 0.45, 0.7, 0.9]), price))
    d.add("sale_price", price)
    d.spoil("rooms year_built energy_class", 0.07)
    return d.close("sale_price", proven=("commission", "price_m2", "log_value", "tax_band"))


def parcels(rng: Rng, n: int) -> Domain:
    """How a parcel arrives, in three kinds; compensation and the reason for delay follow."""
    d = Desk(rng, n)
    trouble = d.noise() + 0.0
    seen = trouble + 0.9 * d.noise()
    fate = np.where(top(seen, 0.03), "lost", np.where(top(seen, 0.2), "late", "on_time"))
    sent = np.sort(rng.integers(0, 500, n))
    d.add("parcel", np.array([f"JD{code:09d}" for code in rng.permutation(50 * n)[:n]]))
    d.add("sent_on", d.days(sent))
    d.add("distance_km", np.round(np.exp(5 + 0.4 * trouble + 0.6 * d.noise())))
    d.add("weight_kg", np.round(rng.lognormal(0.5, 0.8, n), 2))
    d.add("carrier", d.grade(trouble + 1.5 * d.noise(), "swift road cargo bargain"))
    d.add("stops", rng.poisson(np.exp(0.8 + 0.3 * trouble)))
    d.add("insured", d.chance(0.2))
    d.add("delay_reason", d.only((fate == "late") & d.chance(0.9), d.pick("weather address customs volume")))
    d.add("compensation", np.where((fate == "lost") & d.chance(0.8), np.round(rng.lognormal(4, 0.6, n), 2), 0.0))
    d.add("signature_by", d.only((fate != "lost"), d.pick("recipient neighbour locker")))
    d.add("delivery", fate)
    d.spoil("carrier distance_km stops", 0.04)
    return d.close("delivery", proven=("delay_reason", "compensation", "signature_by"))


def rides(rng: Rng, n: int) -> Domain:
    """Minutes of a ride, which are the difference of two moments; the fare is worked out from them."""
    d = Desk(rng, n)
    far = np.round(rng.lognormal(1.2, 0.6, n), 1)
    jam = d.noise()
    start = np.sort(rng.uniform(0, 4000, n))
    minutes = np.maximum(2, np.round(4 + 2.6 * far * np.exp(0.2 * jam + 0.12 * d.noise())))
    d.add("picked_up", d.moments(start))
    d.add("distance_km", far)
    d.add("traffic_index", np.round(50 + 14 * jam + 6 * d.noise()))
    d.add("passengers", rng.integers(1, 5, n))
    d.add("zone", d.pick("centre airport suburb river"))
    d.add("dropped_off", d.moments(np.round(60 * start) / 60 + minutes / 60))
    d.add("fare", np.round(2.5 + 1.1 * far + 0.32 * minutes, 2))
    d.add("minutes", minutes)
    d.spoil("traffic_index passengers", 0.05)
    return d.close("minutes", proven=("dropped_off", "fare"), time="picked_up")


def leads(rng: Rng, n: int) -> Domain:
    """Leads that become clients; an honest score of the sales team is almost as good as a leak."""
    d = Desk(rng, n)
    keen = d.noise()
    buys = top(keen + 0.35 * d.noise(), 0.1)
    d.add("lead_uuid", np.array([f"{code:012x}" for code in rng.integers(0, 2**47, n)]))
    d.add("pages_viewed", rng.poisson(np.exp(1.2 + 0.5 * keen)))
    d.add("lead_score", np.round(50 + 15 * (keen + 0.25 * d.noise())))
    d.add("source", d.grade(keen + 1.8 * d.noise(), "cold ads event search referral"))
    d.add("employees", np.round(rng.lognormal(3.5, 1.2, n)))
    d.add("days_since_contact", np.round(np.exp(2.5 - 0.4 * keen + 0.6 * d.noise())))
    d.add("country", d.pick("de at ch fr nl pl", (0.4, 0.1, 0.1, 0.2, 0.1, 0.1)))
    d.add("deal_value", np.where(buys, np.round(rng.lognormal(8, 0.6, n), -1), 0))
    d.add("onboarding_manager", d.only(buys & d.chance(0.75), d.pick("Ann Bob Cai Dee")))
    d.add("contract_signed", buys & d.chance(0.6))
    d.add("converted", np.where(buys, "won", "open"))
    d.spoil("source employees", 0.1)
    return d.close("converted", proven=("deal_value", "onboarding_manager", "contract_signed"))


def telefonia(rng: Rng, n: int) -> Domain:
    """Draw a Spanish telephone company and its leavers."""
    d = Desk(rng, n)
    harta = d.noise()
    baja = top(harta + 0.8 * d.noise(), 0.22)
    meses = np.maximum(1, np.round(np.exp(3.0 - 0.5 * harta + 0.6 * d.noise())))
    cuota = np.round(20 + 5 * harta + 8 * d.noise(), 2)
    d.add("num_cliente", rng.permutation(30 * n)[:n] + 100_000)
    d.add("antiguedad_meses", meses)
    d.add("cuota_mensual", cuota)
    d.add("total_facturado", np.round(meses * cuota * np.exp(0.03 * d.noise()), 2))
    d.add("contrato", d.grade(-harta + 1.1 * d.noise(), "mensual anual bienal"))
    d.add("llamadas_soporte", rng.poisson(np.exp(-0.2 + 0.6 * harta)))
    d.add("provincia", d.pick("Madrid Sevilla Bilbao Valencia Granada"))
    d.add("motivo_baja", d.only(baja & d.chance(0.7), d.pick("precio cobertura mudanza otro")))
    d.add("penalizacion", np.where(baja & d.chance(0.25), np.round(rng.uniform(20, 150, n), 2), 0.0))
    d.add("oferta_retencion", d.only((baja & d.chance(0.6)) | d.chance(0.08), d.pick("si no")))
    d.add("baja", np.where(baja, "si", "no"))
    d.spoil("contrato cuota_mensual", 0.05)
    return d.close("baja", proven=("motivo_baja", "penalizacion"), asked=("oferta_retencion",))


def hotel(rng: Rng, n: int) -> Domain:
    """Draw a German hotel and its cancelled bookings."""
    d = Desk(rng, n)
    unsicher = d.noise()
    weg = top(unsicher + 0.8 * d.noise(), 0.3)
    gebucht = np.sort(rng.integers(0, 500, n))
    vorlauf = np.round(np.exp(3 + 0.5 * unsicher + 0.6 * d.noise()))
    d.add("buchungsdatum", d.days(gebucht))
    d.add("anreise", d.days(gebucht + vorlauf))
    d.add("naechte", rng.poisson(2, n) + 1)
    d.add("zimmer", d.pick("einzel doppel familie suite", (0.3, 0.5, 0.15, 0.05)))
    d.add("preis", np.round(rng.lognormal(4.6, 0.3, n), 2))
    d.add("kanal", d.grade(unsicher + 1.2 * d.noise(), "telefon direkt agentur portal"))
    d.add("fruehere_stornos", rng.poisson(np.exp(-1.5 + 0.8 * unsicher)))
    d.add("stornodatum", d.only(weg & d.chance(0.93), d.days(gebucht + np.round(vorlauf * rng.random(n)))))
    d.add("erstattung", np.where(weg & d.chance(0.35), np.round(rng.lognormal(4.5, 0.3, n), 2), 0.0))
    d.add("zimmernummer", d.only(~weg & d.chance(0.98), rng.integers(101, 480, n)))
    d.add("storniert", np.where(weg, "ja", "nein"))
    d.spoil("kanal preis", 0.03)
    return d.close("storniert", proven=("stornodatum", "erstattung", "zimmernummer"), time="buchungsdatum")


def harvest(rng: Rng, n: int) -> Domain:
    """Whether a field did well, which is a threshold on harvest over area."""
    d = Desk(rng, n)
    soil = d.noise()
    area = np.round(rng.lognormal(2, 0.6, n), 2)
    tonnes = np.round(area * np.maximum(0.5, 6 + 1.2 * soil + 0.8 * d.noise()), 2)
    d.add("field", np.array([f"F{code:05d}" for code in rng.permutation(9 * n)[:n]]))
    d.add("area_ha", area)
    d.add("rain_mm", np.round(420 + 60 * soil + 60 * d.noise()))
    d.add("nitrogen", np.round(110 + 14 * soil + 25 * d.noise()))
    d.add("soil_class", d.grade(soil + 0.8 * d.noise(), "IV III II I"))
    d.add("variety", d.pick("Alba Bora Cora"))
    d.add("sown_on", d.days(rng.integers(60, 120, n)))
    d.add("yield_last_year", np.round(6 + 1.2 * soil + 0.9 * d.noise(), 2))
    d.add("harvest_t", tonnes)
    d.add("good_year", tonnes / area > 6.5)
    d.spoil("rain_mm nitrogen soil_class", 0.05)
    return d.close("good_year", asked=("harvest_t",))


def laboratory(rng: Rng, n: int) -> Domain:
    """Draw a diagnosis in three grades that is defined by a value in the table, and treated afterwards."""
    d = Desk(rng, n)
    sweet = d.noise()
    hba1c = np.round(5.7 + 0.7 * sweet + 0.2 * d.noise(), 1)
    diagnosis = np.where(hba1c >= 6.5, "diabetes", np.where(hba1c >= 5.7, "prediabetes", "healthy"))
    d.add("bmi", np.round(27 + 2 * sweet + 4 * d.noise(), 1))
    d.add("age_years", np.clip(np.round(52 + 5 * sweet + 14 * d.noise()), 18, 95))
    d.add("fasting_glucose", np.round(98 + 15 * sweet + 7 * d.noise()))
    d.add("triglycerides", np.round(np.exp(4.8 + 0.2 * sweet + 0.35 * d.noise())))
    d.add("family_history", d.chance(1 / (1 + np.exp(-(0.6 * sweet - 0.8)))))
    d.add("smoker", d.chance(0.22))
    d.add("hba1c_pct", hba1c)
    d.add("metformin_mg", np.where((diagnosis == "diabetes") & d.chance(0.7), rng.choice([500, 850, 1000], n), 0))
    d.add("diagnosis", diagnosis)
    d.spoil("bmi triglycerides", 0.09)
    return d.close("diagnosis", proven=("metformin_mg",), asked=("hba1c_pct",))


def shop_week(rng: Rng, n: int) -> Domain:
    """Weekly sales of a shop: last week's sales are honest; the stock count after the week is not."""
    d = Desk(rng, n)
    shops = max(6, n // 100)
    shop = np.repeat(np.arange(shops), n // shops + 1)[:n]
    week = np.concatenate([np.arange(np.sum(shop == code)) for code in range(shops)])
    size = rng.lognormal(5, 0.5, shops)[shop]
    expected = size * np.exp(0.15 * np.sin(2 * np.pi * week / 52))
    stock = np.round(expected * rng.uniform(1.3, 1.8, n))
    sold = np.minimum(stock, np.round(expected * np.exp(0.08 * d.noise())))
    d.add("shop", np.array([f"shop {code}" for code in shop]))
    d.add("week", d.days(7 * week))
    d.add("sold_last_week", np.where(week > 0, np.roll(sold, 1), np.round(size)))
    d.add("promotion", d.chance(0.2))
    d.add("staff", np.maximum(2, np.round(size / 40 + d.noise())))
    d.add("stock_monday", stock)
    d.add("stock_sunday", stock - sold)
    d.add("receipts", np.round(sold / 2.4 + 0.05 * size * d.noise()))
    d.add("units_sold", sold)
    d.spoil("staff", 0.02)
    return d.close("units_sold", proven=("stock_sunday",), time="week", group=None)


DOMAINS: dict[str, Callable[[Rng, int], Domain]] = {
    "medicine: readmission": medicine,
    "retail: returned orders": retail,
    "personnel: leavers": personnel,
    "machines: stops within a week": machines,
    "school: final mark (number)": school,
    "bank: defaults": bank,
    "insurance: fraud": insurance,
    "support: escalation": support,
    "energy: hourly use (number)": energy,
    "property: sale price (number)": property_sales,
    "parcels: fate (three kinds)": parcels,
    "rides: minutes (number)": rides,
    "leads: conversion": leads,
    "telephone, Spanish: leavers": telefonia,
    "hotel, German: cancelled": hotel,
    "farming: good year": harvest,
    "laboratory: diagnosis (three kinds)": laboratory,
    "shop: weekly sales (number)": shop_week,
}
"""Every trade by name."""

SIZES = (300, 1_000, 4_000, 15_000, 50_000)
"""Rows; each domain goes through them in turn."""
