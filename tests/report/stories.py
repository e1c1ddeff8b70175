"""Four made-up runs that look like real ones, and the ways to spoil them: what every document is tried on."""

from __future__ import annotations

from dataclasses import replace

from skiff.core.finding import Finding, Severity
from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.evaluate.results import (
    Baseline,
    CalibrationBin,
    Confusion,
    Decision,
    Evaluation,
    Gate,
    GateVerdict,
    Importance,
    Slice,
)
from skiff.evaluate.stability import measure_stability
from skiff.report.content import (
    ColumnStory,
    DatasetStory,
    LeftOut,
    ModelStory,
    ReleaseStory,
    RunStory,
    SplitStory,
)

EVIDENCE = {
    "dataset": "ev_000001",
    "check": "ev_000002",
    "split": "ev_000003",
    "train": "ev_000004",
    "evaluate": "ev_000005",
    "gate": "ev_000006",
    "release": "ev_000007",
}
VERSIONS = {"skiff": "0.1.0", "lightgbm": "4.7.0", "onnx": "1.23.2", "onnxruntime": "1.32.0", "scikit-learn": "1.9.1"}
SEVERITIES: tuple[Severity, ...] = ("block", "warn", "info")
HOSTILE = "<script>alert(1)</script>"
LONG = (
    "gesamtbetrag_der_im_vorjahr_stornierten_und_wieder_aufgenommenen_reservierungen_in_euro_ohne_mehrwertsteuer_" * 2
)


def measure(
    name: str,
    value: float,
    low: float | None,
    high: float | None,
    *,
    n: int = 2383,
    unit: str = "",
    baseline: float | None = None,
    up: bool = True,
) -> Measurement:
    return Measurement(
        name=name,
        value=value,
        low=low,
        high=high,
        n=n,
        unit=unit,
        higher_is_better=up,
        baseline=baseline,
        method="bootstrap percentile, 2,000 resamples",
    )


def bookings() -> RunStory:
    """Cancelled bookings: binary, two leaks, ready but for one criterion."""
    metrics = {
        "roc_auc": measure("roc_auc", 0.871, 0.856, 0.886, baseline=0.5),
        "average_precision": measure("average_precision", 0.802, 0.778, 0.825, baseline=0.34),
        "recall": measure("recall", 0.804, 0.763, 0.841, n=813),
        "precision": measure("precision", 0.807, 0.772, 0.839, n=810),
        "f1": measure("f1", 0.806, 0.781, 0.829),
        "accuracy": measure("accuracy", 0.868, 0.854, 0.881, baseline=0.659),
        "balanced_accuracy": measure("balanced_accuracy", 0.852, 0.835, 0.868, baseline=0.5),
        "log_loss": measure("log_loss", 0.331, 0.311, 0.353, baseline=0.642, up=False),
        "brier_score": measure("brier_score", 0.101, 0.094, 0.109, baseline=0.225, up=False),
        "ece": measure("ece", 0.014, 0.009, 0.024, up=False),
    }
    simple = Baseline(
        name="simple",
        description="“lead_time” alone",
        metrics={
            "roc_auc": measure("roc_auc", 0.713, 0.691, 0.735),
            "accuracy": measure("accuracy", 0.704, 0.686, 0.722),
        },
    )
    leaks = (
        Finding(
            code="leakage.after_the_event",
            severity="block",
            columns=("refund_amount",),
            rows=4052,
            sample_rows=(3, 17, 41, 88, 102),
            evidence={
                "score_alone": measure("roc_auc", 0.994, 0.991, 0.996),
                "filled_in_cancelled_rows": 0.98,
                "filled_in_other_rows": 0.004,
            },
            what="“refund_amount” is filled in only after a booking was cancelled.",
            why_it_matters="A model that sees it looks nearly perfect here and is blind on the day a new booking comes in, when no refund exists yet.",
            remedy="Left out. If a refund can be known at the time of booking, keep it with --keep refund_amount.",
            action="left_out",
            question="When is the refund amount written: before or after the guest cancels?",
        ),
        Finding(
            code="leakage.target_proxy",
            severity="block",
            columns=("room_released",),
            rows=11914,
            evidence={"score_alone": measure("roc_auc", 0.971, 0.966, 0.976), "rows_that_agree": 11502},
            what="“room_released” says nearly the same as the answer, in other words.",
            why_it_matters="It is a consequence of the cancellation, not a sign of it.",
            remedy="Left out. Nothing to do if rooms are released because of the cancellation.",
            action="left_out",
            question="Is a room ever released for another reason than a cancellation?",
        ),
        Finding(
            code="leakage.identifier",
            severity="warn",
            columns=("booking_id",),
            rows=11914,
            evidence={"different_values": 11914},
            what="“booking_id” is a running number that grows with time.",
            why_it_matters="The model could learn the date from it instead of the guest.",
            remedy="Left out.",
            action="left_out",
        ),
    )
    quality = (
        Finding(
            code="quality.inconsistent_categories",
            severity="warn",
            columns=("market_segment",),
            rows=214,
            sample_rows=(12, 18),
            evidence={"spellings": ("Online TA", "online ta", "OnlineTA")},
            what="“market_segment” spells the same thing in three ways.",
            why_it_matters="Each spelling is learned as if it were something else.",
            remedy="Written alike before training.",
            action="fixed",
        ),
        Finding(
            code="quality.missing",
            severity="warn",
            columns=("agent",),
            rows=1632,
            evidence={"share_missing": 0.137},
            what="“agent” is empty in 1,632 of 11,914 rows.",
            why_it_matters="The model treats “nothing written” as a value of its own.",
            remedy="Nothing to do if empty means that there was no agent.",
            action="asked",
            question="Does an empty “agent” mean that the guest booked directly?",
        ),
        Finding(
            code="reading.dates",
            severity="info",
            columns=("arrival",),
            rows=11914,
            what="“arrival” was read as dates written day.month.year.",
            action="fixed",
        ),
        Finding(code="quality.duplicate_rows", severity="info", rows=31, what="31 rows appear twice.", action="kept"),
        Finding(
            code="quality.constant",
            severity="info",
            columns=("currency",),
            rows=11914,
            what="“currency” is the same in every row.",
            action="left_out",
        ),
    )
    said = ((0.04, 0.03, 0.02, 0.05), (0.13, 0.14, 0.11, 0.18), (0.25, 0.24, 0.19, 0.29), (0.36, 0.41, 0.34, 0.48))
    more = (
        (0.46, 0.44, 0.36, 0.52),
        (0.57, 0.55, 0.47, 0.63),
        (0.68, 0.60, 0.53, 0.66),
        (0.83, 0.84, 0.79, 0.88),
        (0.95, 0.96, 0.94, 0.98),
    )
    bins = tuple(
        CalibrationBin(n=n, predicted=p, observed=o, low=lo, high=hi)
        for n, (p, o, lo, hi) in zip((720, 402, 251, 190, 141, 133, 171, 184, 191), (*said, *more), strict=True)
    )
    groups = (
        ("market_segment", "Groups", 214, 0.62, -0.24, -0.37, -0.11, True),
        ("country", "PRT", 611, 0.69, -0.15, -0.23, -0.07, True),
        ("lead_time", "over 180 days", 402, 0.75, -0.07, -0.16, 0.02, False),
        ("customer_type", "Contract", 118, 0.77, -0.04, -0.19, 0.11, False),
        ("room_type", "A", 1204, 0.80, -0.01, -0.05, 0.04, False),
        ("market_segment", "Online TA", 1180, 0.84, 0.06, 0.00, 0.11, False),
        ("meal", "HB", 280, 0.86, 0.07, -0.03, 0.16, False),
    )
    slices = tuple(
        Slice(
            column=column,
            level=level,
            n=n,
            metric=measure("recall", value, value - 0.06, value + 0.06, n=n),
            gap=measure("recall_gap", gap, low, high, n=n),
            is_worse=worse,
        )
        for column, level, n, value, gap, low, high, worse in groups
    )
    small = Slice(column="meal", level="FB", n=14, metric=None, gap=None, is_too_small=True)
    drops = (
        ("lead_time", 0.094, 0.081, 0.108),
        ("country", 0.061, 0.050, 0.071),
        ("deposit_type", 0.043, 0.034, 0.053),
        ("market_segment", 0.031, 0.022, 0.040),
        ("arrival", 0.019, 0.011, 0.026),
        ("previous_cancellations", 0.013, 0.008, 0.018),
        ("adr", 0.009, 0.002, 0.015),
        ("agent", 0.004, -0.001, 0.009),
        ("meal", 0.001, -0.002, 0.003),
    )
    roc = tuple((i / 60, (i / 60) ** 0.22) for i in range(61))
    evaluation = Evaluation(
        headline="roc_auc",
        metrics=metrics,
        baselines=(simple,),
        decision=Decision(
            threshold=0.43,
            reason="That balances the 40 EUR of a needless call against the 130 EUR of an empty room.",
            saving_per_row=measure("saving_per_row", 6.41, 5.20, 7.55, unit="EUR"),
        ),
        confusion=Confusion(labels=("kept", "cancelled"), counts=((1414, 156), (159, 654))),
        calibration=bins,
        slices=(*slices, small),
        importances=tuple(Importance(column=c, drop=measure("roc_auc", v, lo, hi)) for c, v, lo, hi in drops),
        random_split=measure("roc_auc", 0.912, 0.901, 0.923),
        roc=roc,
        stability=measure_stability([0.871, 0.869, 0.872, 0.870, 0.871], "roc_auc"),
        notes=("Bookings of the last two months may still be cancelled; they count as kept.",),
    )
    verdicts = (
        GateVerdict(
            criterion="precision >= 0.75",
            passed=True,
            measured=0.807,
            required=0.75,
            sentence="At least 75 of 100 warnings are right.",
        ),
        GateVerdict(
            criterion="worst_group_gap(recall, market_segment) <= 0.10",
            passed=False,
            measured=0.24,
            required=0.10,
            sentence="Cancellations of “Groups” are caught less often than those of all others by 24 of 100, more than the 10 you allowed.",
        ),
        GateVerdict(
            criterion="latency_us <= 200",
            passed=True,
            measured=61.0,
            required=200.0,
            sentence="One answer takes at most 200 µs.",
        ),
    )
    kinds = (
        ("arrival", "date"),
        ("lead_time", "number"),
        ("country", "category"),
        ("adr", "number"),
        ("agent", "category"),
    )
    return RunStory(
        title="Cancelled bookings, Hotel Miramar",
        created="2026-03-02T09:30:00Z",
        skiff_version="0.1.0",
        task=Task(
            kind="binary", target="booking_status", classes=("kept", "cancelled"), positive="cancelled", time="arrival"
        ),
        dataset=DatasetStory(
            name="bookings_export_2025.csv",
            sha256="9f2c41d07be3a8855e0c9b1f6d2a7734c18e5f90ab63d4427f1e8c0d5b96a3e1",
            rows=11914,
            columns=24,
            reading={
                "format": "csv",
                "encoding": "windows-1252",
                "delimiter": ";",
                "decimal": ",",
                "header_row": 1,
                "dates": {"arrival": "%d.%m.%Y"},
            },
            provenance={"source": "Export from the booking system", "legal_basis": ""},
            schema=(
                *(
                    ColumnStory(name=name, kind=kind, missing_rate=0.137 if name == "agent" else 0.0, levels=40)
                    for name, kind in kinds
                ),
                ColumnStory(name="booking_status", kind="category", levels=2, role="target"),
                ColumnStory(name="refund_amount", kind="number", missing_rate=0.66, role="left_out"),
            ),
        ),
        split=SplitStory(
            kind="time",
            reason="“arrival” gives the order: bookings up to 30 September taught the model, later ones judged it.",
            train_rows=9531,
            test_rows=2383,
            looks=1,
        ),
        findings=(*leaks, *quality),
        left_out=(
            LeftOut(
                column="refund_amount",
                code="leakage.after_the_event",
                score_with=0.996,
                score_without=0.868,
                score_name="roc_auc",
            ),
            LeftOut(
                column="room_released",
                code="leakage.target_proxy",
                score_with=0.975,
                score_without=0.868,
                score_name="roc_auc",
            ),
            LeftOut(
                column="booking_id",
                code="leakage.identifier",
                score_with=0.874,
                score_without=0.868,
                score_name="roc_auc",
            ),
            LeftOut(column="currency", code="quality.constant"),
        ),
        model=ModelStory(
            name="blend of 3",
            members=(("LightGBM, 31 leaves", 0.58), ("Extra trees, 300", 0.27), ("Logistic regression", 0.15)),
            candidates=14,
            train_seconds=41.3,
            features=20,
            seed=0,
            budget_s=60.0,
            versions=VERSIONS,
        ),
        evaluation=evaluation,
        gate=Gate(passed=False, verdicts=verdicts),
        release=ReleaseStory(
            number=None,
            onnx_bytes=2_190_000,
            parity_max_abs_diff=6.9e-14,
            parity_rows=2383,
            latency_us=61.0,
            sha256="1d" * 32,
        ),
        cost={"wall_s": 68.2, "cpu_s": 119.0, "peak_rss_mb": 512.0},
        owner="Hotel Miramar, Rijeka",
        purpose="Call guests who will probably cancel",
        evidence=EVIDENCE,
        positive_name="cancellations",
    )


def flats() -> RunStory:
    """Rents of flats: regression, ready."""
    base = bookings()
    pairs = []
    state = 7
    for i in range(400):
        state = (state * 1103515245 + 12345) % 2**31
        true = 450 + 4.6 * i + (state % 97)
        pairs.append((true, true * (0.84 + (state % 1009) / 1009 * 0.30) + 30))
    metrics = {
        "rmse": measure("rmse", 214.2, 198.0, 231.9, unit="EUR", baseline=611.3, n=1187, up=False),
        "mae": measure("mae", 141.7, 133.8, 150.1, unit="EUR", baseline=478.0, n=1187, up=False),
        "r2": measure("r2", 0.877, 0.861, 0.893, baseline=0.0, n=1187),
        "mape": measure("mape", 0.108, 0.101, 0.115, baseline=0.41, n=1187, up=False),
    }
    drops = (
        ("living_area", 402.0, 371.0, 431.0),
        ("district", 288.0, 262.0, 315.0),
        ("year_built", 61.0, 44.0, 79.0),
        ("floor", 4.0, -3.0, 11.0),
    )
    gaps = (
        ("district", "Old town", 88, 61.0, 22.0, 98.0, True),
        ("rooms", "5 and more", 61, 40.0, -12.0, 92.0, False),
        ("heating", "gas", 640, -9.0, -24.0, 7.0, False),
    )
    evaluation = Evaluation(
        headline="rmse",
        metrics=metrics,
        baselines=(),
        slices=tuple(
            Slice(
                column=c,
                level=level,
                n=n,
                metric=measure("mae", 140 + gap, None, None, n=n, unit="EUR", up=False),
                gap=measure("mae_gap", gap, lo, hi, n=n, unit="EUR", up=False),
                is_worse=worse,
            )
            for c, level, n, gap, lo, hi, worse in gaps
        ),
        importances=tuple(
            Importance(column=c, drop=measure("rmse", v, lo, hi, unit="EUR", up=False)) for c, v, lo, hi in drops
        ),
        residuals=tuple(pairs),
    )
    return replace(
        base,
        title="Rents in Graz",
        task=Task(kind="regression", target="rent_eur", unit="EUR", group="building"),
        dataset=replace(base.dataset, name="flats.xlsx", rows=5934, columns=15, schema=()),
        split=SplitStory(
            kind="group",
            reason="Flats of one “building” resemble each other, so whole buildings were kept aside.",
            train_rows=4747,
            test_rows=1187,
            looks=2,
        ),
        findings=base.findings[3:],
        left_out=(),
        evaluation=evaluation,
        gate=Gate(
            passed=True,
            verdicts=(
                GateVerdict(
                    criterion="mae <= 150",
                    passed=True,
                    measured=141.7,
                    required=150.0,
                    sentence="Off by at most 150 EUR on average.",
                ),
            ),
        ),
        release=replace(base.release, number=3) if base.release else None,
        owner="Grazer Wohnservice",
        licence="CC-BY-4.0",
        purpose="Propose a rent for new flats",
        positive_name="",
    )


LABELS = ("billing", "delivery", "returns", "damaged goods", "account", "praise", "warranty", "שירות", "其他")


def tickets() -> RunStory:
    """Support tickets: nine classes, some names right to left or Chinese, nothing demanded."""
    base = bookings()
    counts = []
    for i in range(9):
        row = [(i * 7 + j * 5 + i * j) % 6 for j in range(9)]
        row[i] = 210 - 21 * i
        counts.append(tuple(row))
    counts[2] = (3, 18, 141, 29, 2, 0, 6, 1, 2)
    metrics = {
        "log_loss": measure("log_loss", 0.541, 0.498, 0.588, n=1489, baseline=2.02, up=False),
        "accuracy": measure("accuracy", 0.834, 0.814, 0.852, n=1489, baseline=0.141),
        "balanced_accuracy": measure("balanced_accuracy", 0.771, 0.742, 0.799, n=1489, baseline=0.111),
        "f1": measure("f1", 0.768, None, None, n=1489),
    }
    evaluation = Evaluation(
        headline="log_loss",
        metrics=metrics,
        baselines=(),
        confusion=Confusion(labels=LABELS, counts=tuple(counts)),
        importances=(
            Importance(column="message", drop=measure("log_loss", 1.21, 1.11, 1.30, up=False)),
            Importance(column="טקסט_חופשי", drop=measure("log_loss", 0.22, 0.15, 0.29, up=False)),
            Importance(column="订单金额", drop=measure("log_loss", 0.02, -0.01, 0.05, up=False)),
        ),
        notes=("The class “其他” has only 41 rows here; its row of the table says little.",),
    )
    return replace(
        base,
        title="Which team answers a ticket",
        task=Task(kind="multiclass", target="team", classes=LABELS),
        dataset=replace(
            base.dataset, name="tickets.jsonl", rows=7444, columns=9, schema=(), reading={"format": "json lines"}
        ),
        split=SplitStory(
            kind="stratified", reason="Nothing orders or groups the rows.", train_rows=5955, test_rows=1489, looks=1
        ),
        findings=(),
        left_out=(),
        evaluation=evaluation,
        gate=Gate(passed=True, verdicts=()),
        release=replace(base.release, number=1) if base.release else None,
        positive_name="",
    )


def donors() -> RunStory:
    """Who gives again: no better than a guess, few rows, no release."""
    base = bookings()
    metrics = {
        "roc_auc": measure("roc_auc", 0.524, 0.451, 0.596, n=236, baseline=0.5),
        "recall": measure("recall", 0.19, 0.09, 0.33, n=42),
        "precision": measure("precision", 0.22, 0.11, 0.38, n=36),
        "accuracy": measure("accuracy", 0.737, 0.678, 0.79, n=236, baseline=0.822),
    }
    evaluation = Evaluation(
        headline="roc_auc",
        metrics=metrics,
        baselines=(),
        decision=Decision(threshold=0.31, reason="No costs were given, so catching and false alarms weigh the same."),
        confusion=Confusion(labels=("no", "yes"), counts=((166, 28), (34, 8))),
        beats_baseline=False,
        notes=("Only 42 rows of the kind to find were kept aside: every range is wide.",),
        roc=((0.0, 0.0), (0.2, 0.21), (0.5, 0.54), (0.8, 0.79), (1.0, 1.0)),
    )
    return replace(
        base,
        title="Who gives again",
        task=Task(kind="binary", target="gave_again", classes=("no", "yes"), positive="yes"),
        dataset=replace(base.dataset, name="donors.csv", rows=1180, columns=7, schema=()),
        split=SplitStory(
            kind="stratified", reason="Nothing orders or groups the rows.", train_rows=944, test_rows=236, looks=1
        ),
        findings=(
            Finding(
                code="coverage.small_group",
                severity="warn",
                rows=210,
                what="Only 210 of 1,180 rows are of the kind to find.",
                why_it_matters="With so few, luck and skill look alike.",
                remedy="Collect at least 1,000 such rows before trying again.",
                action="asked",
                question="Is there an older list of donors that could be added?",
            ),
        ),
        left_out=(),
        evaluation=evaluation,
        gate=Gate(
            passed=False,
            verdicts=(
                GateVerdict(
                    criterion="beats baseline",
                    passed=False,
                    measured=0.524,
                    required=0.5,
                    sentence="It is no better than a guess that looks at nothing.",
                ),
            ),
        ),
        release=None,
        owner="",
        purpose="",
        positive_name="",
    )


def no_model() -> RunStory:
    """Data that cannot carry a model at all."""
    return replace(
        donors(),
        title="Ten rows",
        model=None,
        evaluation=None,
        release=None,
        gate=Gate(
            passed=False,
            verdicts=(
                GateVerdict(
                    criterion="enough rows",
                    passed=False,
                    measured=10.0,
                    required=50.0,
                    sentence="There are only 10 rows with an answer, and at least 50 are needed to try.",
                ),
            ),
        ),
        evidence={"dataset": "ev_000001"},
    )


def hostile() -> RunStory:
    """The bookings with names that try to break a page, a terminal and a layout, and 400 findings."""
    base = bookings()
    evaluation = base.evaluation
    if evaluation is None:
        message = "the bookings are judged"
        raise AssertionError(message)
    escape = "\x1b[31mred\x1b[0m"
    names = (
        HOSTILE,
        LONG,
        "שם_הלקוח",
        "顧客の名前",
        escape,
        "\u202eevil\u202c",
        "]]>--><!--",
        '"><img src=x onerror=alert(2)>',
    )
    importances = tuple(Importance(column=name, drop=measure("roc_auc", 0.1, 0.05, 0.15)) for name in names)
    slices = tuple(
        Slice(
            column=name,
            level=HOSTILE,
            n=100,
            metric=measure("recall", 0.5, 0.4, 0.6),
            gap=measure("recall_gap", -0.3, -0.4, -0.2),
            is_worse=True,
        )
        for name in names
    )
    findings = tuple(
        Finding(
            code=f"quality.missing{i % 3}",
            severity=SEVERITIES[i % 3],
            columns=(names[i % len(names)],),
            rows=i + 1,
            evidence={"share": 0.1, names[i % len(names)]: HOSTILE},
            what=f"“{names[i % len(names)]}” is empty in {i} rows. {HOSTILE}",
            why_it_matters=HOSTILE,
            remedy=HOSTILE,
            action="asked",
            question=f"Is {HOSTILE} number {i} right?",
        )
        for i in range(400)
    )
    return replace(
        base,
        title=HOSTILE,
        task=replace(base.task, target=HOSTILE, positive=HOSTILE, classes=("kept", HOSTILE)),
        dataset=replace(base.dataset, name=LONG, reading={HOSTILE: HOSTILE, LONG: LONG}, provenance={HOSTILE: HOSTILE}),
        split=replace(base.split, reason=HOSTILE),
        findings=findings,
        left_out=tuple(
            LeftOut(column=name, code="leakage.target_copy", score_with=0.99, score_without=0.7) for name in names
        ),
        evaluation=replace(
            evaluation,
            importances=importances,
            slices=slices,
            confusion=Confusion(labels=("kept", HOSTILE), counts=((9, 1), (2, 8))),
            notes=(HOSTILE,),
        ),
        gate=Gate(
            passed=False,
            verdicts=(GateVerdict(criterion=HOSTILE, passed=False, measured=None, required=None, sentence=HOSTILE),),
        ),
        owner=HOSTILE,
        licence=HOSTILE,
        purpose=HOSTILE,
        positive_name=HOSTILE,
    )


def many_classes() -> RunStory:
    """Sixty classes: the table of mix-ups does not fit."""
    base = tickets()
    evaluation = base.evaluation
    if evaluation is None:
        message = "the tickets are judged"
        raise AssertionError(message)
    labels = tuple(f"species {i:02d}" for i in range(60))
    counts = tuple(tuple(40 if i == j else (i * j) % 13 // 11 for j in range(60)) for i in range(60))
    return replace(
        base,
        title="Sixty species",
        task=replace(base.task, classes=labels),
        evaluation=replace(evaluation, confusion=Confusion(labels=labels, counts=counts)),
    )


STORIES = {
    "bookings": bookings,
    "flats": flats,
    "tickets": tickets,
    "donors": donors,
    "no_model": no_model,
    "hostile": hostile,
    "many_classes": many_classes,
}
