"""Charts as Vega-Lite specifications: one description serves the page, a PDF and a notebook.

Sizes are fixed and nothing is fitted to measured text, so the same story gives the same picture on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from skiff.evaluate.results import CalibrationBin, Evaluation, Importance, Slice
from skiff.evaluate.threshold import find_capacity_share
from skiff.report.content import LeftOut
from skiff.report.glossary import describe_metric, shorten
from skiff.report.numbers import count_of, describe_in_100, format_score
from skiff.report.words import name_score

Spec: TypeAlias = dict[str, Any]  # Any: a Vega-Lite specification is free-form JSON

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH_PX = 440
LABELS_PX = 172
"""Room for names of about 28 signs."""
LABEL_GAP_PX = 8
MOST_LETTERS, FEWEST_LETTERS = 27, 12
NARROW = frozenset("ijlrtfI.,:;!|'()[] -")
WIDE = frozenset("mwMW@%…")
SQUARE_PX = 300
ROW_PX = 26
MAX_ROWS = 12
FONT_PX = 12.5
MIN_CURVE = 3
"""Points below which a line says nothing."""
SHORT_NUMBER = "abs(datum.value) >= 1000 ? format(datum.value, '~s') : format(datum.value, '.3~r')"
"""Thousands as k, each number by itself: an axis that is given a format writes all its numbers with one prefix, and nothing as 0k."""
TENTH = 0.1
"""The share of rows whose lift is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of a chart: CSS variables on a page (light and dark), plain colours elsewhere."""

    ink: str = "var(--ink)"
    muted: str = "var(--muted)"
    line: str = "var(--line)"
    accent: str = "var(--accent)"
    soft: str = "var(--accent-soft)"
    bad: str = "var(--bad)"


PAGE = Palette()
"""Colours that follow the page's light or dark scheme."""

PAPER = Palette(ink="#1c2430", muted="#5b6470", line="#d9d5cc", accent="#1d5c68", soft="#9cc3c8", bad="#a63d2f")
"""Plain colours for places without CSS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with its words.

    Parameters
    ----------
    name : str
        Part of its id on the page.
    title : str
        What is shown.
    see : str
        What to see in it: one or two sentences under or beside the chart.
    alt : str
        The chart for someone who cannot see it.
    spec : dict
        Vega-Lite.
    """

    name: str
    title: str
    see: str
    alt: str
    spec: Spec = field(repr=False)


def build_importance_chart(importances: Sequence[Importance], *, palette: Palette = PAGE) -> Chart:
    """Return bars: how much worse the model gets when one column is shuffled."""
    shown = importances[:MAX_ROWS]
    values = [
        {"name": _label(item.column, index), **_ends(item.drop.value, item.drop.low, item.drop.high)}
        for index, item in enumerate(shown)
    ]
    y = _names_axis(palette)
    zero = _rule_at(0.0, palette.muted)
    bars = {
        "mark": {"type": "bar", "color": palette.soft, "height": {"band": 0.62}},
        "encoding": {"y": y, "x": _x(zero=True)},
    }
    first = shown[0]
    metric = describe_metric(first.drop.name.removeprefix("drop_in_").removesuffix("_drop")).label
    no_help = sum(item.drop.low is not None and item.drop.low <= 0 for item in importances)
    tail = (
        f" For {no_help} of {len(importances)} columns the range reaches zero: the model may not need them."
        if no_help
        else ""
    )
    return Chart(
        name="importance",
        title="What the model leans on",
        see=f"Each bar: how much worse it gets when one column is shuffled. Most: {shorten(first.column, 40)}.{tail}",
        alt=f"Bars of {count_of(len(shown), 'column')}. Longest: "
        + "; ".join(f"{shorten(item.column, 40)} {format_score(item.drop.value)}" for item in shown[:5])
        + f". Measure: {metric}.",
        spec=_frame(values, [bars, _interval(y, palette), zero], rows=len(shown), palette=palette),
    )


def build_slices_chart(slices: Sequence[Slice], *, palette: Palette = PAGE) -> Chart | None:
    """Return a dot plot of the gap between each group and the rest, or nothing where no group could be judged."""
    shown = [item for item in slices if item.gap is not None and not item.is_too_small][:MAX_ROWS]
    if not shown:
        return None
    values = [
        {
            "name": _label(f"{shorten(item.column, 14)}: {shorten(item.level, 12)}", index),
            "worse": item.is_worse,
            **_ends(item.gap.value, item.gap.low, item.gap.high),
        }
        for index, item in enumerate(shown)
        if item.gap is not None
    ]
    y = _names_axis(palette)
    color = {"condition": {"test": "datum.worse", "value": palette.bad}, "value": palette.accent}
    dots = {
        "mark": {"type": "point", "filled": True, "size": 64, "opacity": 1},
        "encoding": {"y": y, "x": _x(), "color": color},
    }
    gap = shown[0].gap
    metric = describe_metric(shown[0].metric.name if shown[0].metric else "").label
    worse_side = "left" if gap is None or gap.higher_is_better is not False else "right"
    worse = sum(item.is_worse for item in shown)
    verdict = (
        f"Of the {count_of(len(shown), 'group')} drawn, {worse} (red) {'is' if worse == 1 else 'are'} clearly on the bad side."
        if worse
        else "No group drawn is clearly on the bad side."
    )
    return Chart(
        name="slices",
        title="Groups against everyone else",
        see=f"Each dot: {metric} of a group minus that of all others, with its range. The {worse_side} of zero is worse. {verdict}",
        alt="Gaps: "
        + "; ".join(
            f"{shorten(item.column, 40)} {shorten(item.level, 40)} {format_score(item.gap.value)}"
            for item in shown[:8]
            if item.gap is not None
        ),
        spec=_frame(
            values,
            [_rule_at(0.0, palette.muted), _interval(y, palette, color=color), dots],
            rows=len(shown),
            palette=palette,
        ),
    )


def build_leak_chart(left_out: Sequence[LeftOut], *, palette: Palette = PAGE) -> Chart | None:
    """Return pairs of bars: the score of a quick trial with and without each column that was left out."""
    shown = [item for item in left_out if item.score_with is not None and item.score_without is not None][
        : MAX_ROWS // 2
    ]
    if not shown:
        return None
    name = name_score(shown[0])
    values = [
        {"name": _label(item.column, index), "side": side, "value": value, "text": f"{side} {format_score(value)}"}
        for index, item in enumerate(shown)
        for side, value in (("with", item.score_with), ("without", item.score_without))
    ]
    y = _names_axis(palette)
    offset = {"field": "side", "type": "nominal", "sort": ["with", "without"], "scale": {"paddingInner": 0.12}}
    color = {"condition": {"test": "datum.side == 'with'", "value": palette.bad}, "value": palette.soft}
    bars = {
        "mark": {"type": "bar"},
        "encoding": {"y": y, "yOffset": offset, "x": _x(zero=True), "color": color},
    }
    words = {
        "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": FONT_PX - 1, "color": palette.muted},
        "encoding": {
            "y": y,
            "yOffset": offset,
            "x": _x(zero=True),
            "text": {"field": "text", "type": "nominal"},
        },
    }
    return Chart(
        name="leaks",
        title="The score with and without each column" if name == "score" else f"With and without each column: {name}",
        see="Red is with the column, the bar below it without. Where red is far better the task looks solved, because the "
        "column already holds the answer.",
        alt="; ".join(
            f"{shorten(item.column, 40)}: with {format_score(item.score_with)}, without {format_score(item.score_without)}"
            for item in shown
        ),
        spec=_frame(values, [bars, words], rows=len(shown), palette=palette, row_px=46, right_px=92),
    )


def build_calibration_chart(bins: Sequence[CalibrationBin], *, palette: Palette = PAGE) -> Chart:
    """Return what was said against what happened, with the line where both agree."""
    values = [
        {
            "x": item.predicted,
            "value": item.observed,
            "low": item.low,
            "high": item.high,
            "off": not item.low <= item.predicted <= item.high,
        }
        for item in bins
    ]
    color = {"condition": {"test": "datum.off", "value": palette.bad}, "value": palette.accent}
    x = _share_axis("x", "What the model said")
    y = _share_axis("value", "What happened")
    layers = [
        _diagonal([0, 1], palette),
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 64, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": color},
        },
    ]
    off = sum(bool(value["off"]) for value in values)
    found = f"In {off} of {len(values)} bands the range misses it (red)." if off else "Every range touches it."
    return Chart(
        name="calibration",
        title="What it said and what happened",
        see=f"On the dotted line, “70 of 100” happens 70 of 100 times. {found}",
        alt="; ".join(
            f"said {item.predicted:.2f}, happened {item.observed:.2f} ({item.low:.2f} to {item.high:.2f})"
            for item in bins
        ),
        spec=_square(values, layers, palette=palette),
    )


def build_curve_chart(evaluation: Evaluation, *, palette: Palette = PAGE) -> Chart | None:
    """Return the ROC curve, or precision against recall where that leads; nothing where there are no points."""
    leads_pr = evaluation.headline == "average_precision" and evaluation.precision_recall
    points = evaluation.precision_recall if leads_pr else evaluation.roc
    if not points:
        return None
    values = [{"order": index, "x": x, "value": y} for index, (x, y) in enumerate(points)]
    titles = (
        ("Cases caught", "Warnings that are right") if leads_pr else ("False alarms among the others", "Cases caught")
    )
    x, y = _share_axis("x", titles[0]), _share_axis("value", titles[1])
    line = {
        "mark": {"type": "line", "color": palette.accent, "strokeWidth": 2.2, "clip": True},
        "encoding": {"x": x, "y": y, "order": {"field": "order", "type": "quantitative"}},
    }
    see = (
        "To the right it catches more cases; how far the line falls is the price in false alarms."
        if leads_pr
        else "The further the curve bends to the upper left, away from the dotted line of a coin, the better it ranks."
    )
    metric = evaluation.metrics.get(evaluation.headline)
    alt = f"{titles[1]} against {titles[0].lower()}, {len(points)} points."
    return Chart(
        name="curve",
        title="The trade between catching and false alarms",
        see=see,
        alt=alt + (f" {describe_metric(metric.name).label}: {format_score(metric.value)}." if metric else ""),
        spec=_square(values, [line] if leads_pr else [_diagonal([0, 1], palette), line], palette=palette),
    )


def build_gain_chart(evaluation: Evaluation, *, palette: Palette = PAGE) -> Chart | None:
    """Return how many cases are caught by acting on the most probable rows first; nothing where there are no points."""
    if len(evaluation.gain) < MIN_CURVE:
        return None
    tenth = next((caught for share, caught in evaluation.gain if share >= TENTH), 1.0)
    at = next((share for share, _ in evaluation.gain if share >= TENTH), 1.0)
    rows, cases = (
        round(at * 100),
        round(tenth * 100),
    )  # their ratio is told of what is printed, so that anybody can check it
    lift = f" The {rows} in 100 most probable rows hold {cases} in 100 of the cases: {cases / rows:.1f} times as many as by chance."
    rules, marked = _mark_decision(evaluation, palette)
    line = _draw_line(evaluation.gain, ("Rows acted on", "Cases caught"), palette, is_share=True)
    return Chart(
        name="gain",
        title="Whom to call first",
        see=f"The steeper the line begins, the more a short list is worth; the dotted line is a list in random order.{lift}{marked}",
        alt=f"Cases caught against rows acted on, {len(evaluation.gain)} points.{lift}{marked}",
        spec=_square(line[0], [_diagonal([0, 1], palette), *rules, line[1]], palette=palette),
    )


def build_profit_chart(evaluation: Evaluation, *, currency: str = "", palette: Palette = PAGE) -> Chart | None:
    """Return the saving against how many rows are acted on; nothing where no costs were given."""
    if len(evaluation.profit) < MIN_CURVE:
        return None
    share, best = max(evaluation.profit, key=lambda point: point[1])
    unit = f" {currency}" if currency else ""
    line = _draw_line(evaluation.profit, ("Rows acted on", f"Saving per row{unit}"), palette, is_share=False)
    rules, marked = _mark_decision(evaluation, palette)
    peak = f"It is highest, {format_score(best)}{unit} a row, where {share * 100:.0f} in 100 rows are acted on."
    return Chart(
        name="profit",
        title="How many to act on",
        see=f"The saving against doing nothing, the most probable rows first. {peak} Below zero acting costs more than it saves.{marked}",
        alt=f"Saving per row against rows acted on, {len(evaluation.profit)} points. {peak}{marked}",
        spec=_square(line[0], [*rules, line[1]], palette=palette),
    )


def _mark_decision(evaluation: Evaluation, palette: Palette) -> tuple[list[Spec], str]:
    """Return upright lines at the rows flagged and at the capacity, and what they say."""
    decision = evaluation.decision
    if decision is None or decision.flagged is None:
        return [], ""
    rules = [_rule_at(decision.flagged, palette.ink)]
    said = f" The upright line marks the chosen threshold: {describe_in_100(decision.flagged)} rows are flagged"
    costs = decision.costs
    if costs is None or costs.capacity_per_week is None or costs.rows_per_month is None:
        return rules, f"{said}."
    room = find_capacity_share(costs)
    dashed = _rule_at(room, palette.muted)
    dashed["mark"]["strokeDash"] = [4, 3]
    return [*rules, dashed], f"{said}; the dashed one the {describe_in_100(room)} you can act on."


def _draw_line(
    points: Sequence[tuple[float, float]], titles: tuple[str, str], palette: Palette, *, is_share: bool
) -> tuple[list[Spec], Spec]:
    values = [{"order": index, "x": x, "value": y} for index, (x, y) in enumerate(points)]
    axis = {"tickCount": 4, "labelExpr": "format(datum.value, '.3~r')"}
    free = {"field": "value", "type": "quantitative", "title": titles[1], "axis": axis}
    mark = {"type": "line", "color": palette.accent, "strokeWidth": 2.2, "clip": True}
    encoding = {
        "x": _share_axis("x", titles[0]),
        "y": _share_axis("value", titles[1]) if is_share else free,
        "order": {"field": "order", "type": "quantitative"},
    }
    return values, {"mark": mark, "encoding": encoding}


def build_residuals_chart(pairs: Sequence[tuple[float, float]], *, unit: str = "", palette: Palette = PAGE) -> Chart:
    """Return true against predicted values, with the line where both agree."""
    values = [{"x": true, "value": predicted} for true, predicted in pairs]
    low = min(min(pair) for pair in pairs)
    high = max(max(pair) for pair in pairs)
    tail = f", {unit}" if unit else ""
    scale = {"domain": [low, high], "nice": True, "zero": False}
    axis = {"tickCount": 5, "labelExpr": SHORT_NUMBER}
    dots = {
        "mark": {"type": "point", "filled": True, "size": 18, "color": palette.accent, "opacity": 0.5, "clip": True},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": f"What was true{tail}", "scale": scale, "axis": axis},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": f"What it said{tail}",
                "scale": scale,
                "axis": axis,
            },
        },
    }
    return Chart(
        name="residuals",
        title="What it said and what was true",
        see="Each dot is one row kept aside. Above the dotted line it said too much, below too little.",
        alt=f"{len(values)} rows, true values from {format_score(min(p[0] for p in pairs))} to {format_score(max(p[0] for p in pairs))}.",
        spec=_square(values, [_diagonal([low, high], palette), dots], palette=palette),
    )


def _label(name: str, index: int) -> str:
    """Return a label that fits and is unique: blanks nobody sees keep equal short forms apart."""
    limit = MOST_LETTERS
    while limit > FEWEST_LETTERS and _guess_width(shorten(name, limit)) > LABELS_PX - LABEL_GAP_PX:
        limit -= 1
    return shorten(name, limit) + "\u200a" * index


def _guess_width(text: str) -> float:
    """Return about how many pixels a label takes: widths of Source Sans 3 in three classes, none too small."""
    return FONT_PX * sum(
        0.3 if sign in NARROW else 0.84 if sign in WIDE else 0.54 + 0.1 * sign.isupper() for sign in text
    )


def _ends(value: float, low: float | None, high: float | None) -> dict[str, float]:
    return {"value": value, "low": value if low is None else low, "high": value if high is None else high}


def _names_axis(palette: Palette) -> Spec:
    return {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"grid": False, "ticks": False, "labelColor": palette.ink},
    }


def _x(*, zero: bool = False) -> Spec:
    axis = {"tickCount": 3, "labelExpr": SHORT_NUMBER}
    return {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": zero}, "axis": axis}


def _share_axis(field_name: str, title: str) -> Spec:
    axis = {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]}
    return {"field": field_name, "type": "quantitative", "title": title, "scale": {"domain": [0, 1]}, "axis": axis}


def _interval(y: Spec, palette: Palette, *, color: Spec | None = None) -> Spec:
    mark: Spec = {"type": "rule", "strokeWidth": 1.6}
    encoding: Spec = {"y": y, "x": {**_x(), "field": "low"}, "x2": {"field": "high"}}
    if color is None:
        mark["color"] = palette.accent
    else:
        encoding["color"] = color
    return {"mark": mark, "encoding": encoding}


def _rule_at(value: float, color: str) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": color, "strokeWidth": 1},
        "encoding": {"x": {"datum": value, "type": "quantitative"}},
    }


def _diagonal(ends: list[float], palette: Palette) -> Spec:
    return {
        "data": {"values": [{"x": end, "value": end} for end in ends]},
        "mark": {"type": "line", "color": palette.muted, "strokeWidth": 1.2, "strokeDash": [2, 4]},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "value", "type": "quantitative"}},
    }


def _frame(
    values: list[Any], layers: list[Spec], *, rows: int, palette: Palette, row_px: int = ROW_PX, right_px: int = 18
) -> Spec:  # Any: rows of a free-form specification
    padding = {"left": LABELS_PX, "right": right_px, "top": 6, "bottom": 26}
    return _spec(
        values, layers, width=WIDTH_PX - LABELS_PX - right_px, height=rows * row_px, padding=padding, palette=palette
    )


def _square(
    values: list[Any], layers: list[Spec], *, palette: Palette
) -> Spec:  # Any: rows of a free-form specification
    padding = {"left": 62, "right": 22, "top": 30, "bottom": 46}
    return _spec(values, layers, width=WIDTH_PX - 84, height=SQUARE_PX, padding=padding, palette=palette)


def _spec(
    values: list[Any], layers: list[Spec], *, width: int, height: int, padding: Spec, palette: Palette
) -> Spec:  # Any: rows of a free-form specification
    axis = {
        "domain": False,
        "ticks": False,
        "gridColor": palette.line,
        "labelColor": palette.muted,
        "titleColor": palette.muted,
        "labelFontSize": FONT_PX,
        "titleFontSize": FONT_PX,
        "titleFontWeight": "normal",
        "labelLimit": 0,
        "labelOverlap": False,
        "labelPadding": 8,
        "labelFlush": False,
        "titlePadding": 8,
    }
    top_left = {
        "titleAngle": 0,
        "titleAlign": "left",
        "titleBaseline": "bottom",
        "titleAnchor": "end",
        "titleX": -56,
        "titleY": -12,
    }
    return {
        "$schema": SCHEMA,
        "autosize": "none",
        "padding": padding,
        "width": width,
        "height": height,
        "background": None,
        "data": {"values": values},
        "layer": layers,
        "config": {"aria": False, "font": "inherit", "view": {"stroke": None}, "axis": axis, "axisY": top_left},
    }
