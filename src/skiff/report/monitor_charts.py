"""Timelines of a year of windows: what was promised, estimated and delivered, what drifted, how the service ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skiff.core.measurement import Measurement
from skiff.monitor.results import WindowReport
from skiff.report.charts import FONT_PX, PAGE, SCHEMA, Chart, Palette, Spec
from skiff.report.glossary import describe_metric, shorten
from skiff.report.numbers import count_of

WIDTH_PX = 640
HEIGHT_PX = 190
MAX_POINTS = 120
"""Windows drawn one by one; more are drawn in groups of neighbours, so that a year stays small and legible."""

MAX_DOTS = 60
"""Windows whose points are drawn on a small line."""

MAX_COLUMNS = 10
MAX_CELLS = 53
ROW_PX = 24

Values = list[dict[str, Any]]  # rows of a free-form specification


def build_quality_chart(
    windows: Sequence[WindowReport],
    *,
    headline: str,
    promised: Measurement | None,
    events: Sequence[tuple[str, str]] = (),
    palette: Palette = PAGE,
) -> Chart | None:
    """Return promised, estimated and delivered quality over time, each with its interval."""
    estimated = [
        {"t": _middle(report), "value": item.value, "low": item.low, "high": item.high}
        for report in _thin(windows)
        if (item := report.estimated.get(headline)) is not None and item.low is not None and item.high is not None
    ]
    delivered = [
        {
            "t": _middle(report),
            "value": item.value,
            "low": item.low,
            "high": item.high,
            "worse": _has(report, "delivered"),
        }
        for report in _thin(windows)
        if report.delivered is not None and (item := report.delivered.delivered) is not None
    ]
    if not estimated and not delivered:
        return None
    layers: list[Spec] = []
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "axis": {"title": None, "tickCount": 5},
    }
    if promised is not None:
        band: Values = [{"value": promised.low, "high": promised.high, "middle": promised.value}]
        if promised.low is not None:
            layers.append(
                _layer(
                    band, {"type": "rect", "color": palette.line, "opacity": 0.55}, {"y": y, "y2": {"field": "high"}}
                )
            )
        rule = {"type": "rule", "color": palette.muted, "strokeDash": [5, 3]}
        layers.append(_layer(band, rule, {"y": {**y, "field": "middle"}}))
    if estimated:
        area = {"type": "area", "color": palette.soft, "opacity": 0.45}
        layers.append(
            _layer(estimated, area, {"x": _time(palette), "y": {**y, "field": "low"}, "y2": {"field": "high"}})
        )
        layers.append(
            _layer(
                estimated, {"type": "line", "color": palette.accent, "strokeWidth": 1.6}, {"x": _time(palette), "y": y}
            )
        )
        if len(estimated) == 1:
            layers.append(
                _layer(
                    estimated, {"type": "point", "filled": True, "color": palette.accent}, {"x": _time(palette), "y": y}
                )
            )
    if delivered:
        color: Spec = {"condition": {"test": "datum.worse", "value": palette.bad}, "value": palette.ink}
        whisker: Spec = {"type": "rule", "strokeWidth": 1.2}
        layers.append(
            _layer(
                delivered,
                whisker,
                {"x": _time(palette), "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
            )
        )
        dot = {"type": "point", "filled": True, "size": 34, "opacity": 1}
        layers.append(_layer(delivered, dot, {"x": _time(palette), "y": y, "color": color}))
    layers += _draw_events(events, palette)
    name = describe_metric(headline).label
    said = "grey band: promised at release; blue: estimated without outcomes; dots: delivered, red where it is surely worse"
    last = delivered[-1] if delivered else estimated[-1]
    return Chart(
        name="quality",
        title=f"Promised, estimated, delivered: {name}",
        see=f"{said[0].upper()}{said[1:]}. Bars and bands are 95 % intervals.",
        alt=f"{name} over {count_of(len(windows), 'window')}; the newest is {float(last['value']):.3f}.",  # type: ignore[arg-type]  # a number, by construction
        spec=_frame(layers, height=HEIGHT_PX + 40, palette=palette),
    )


def build_drift_chart(windows: Sequence[WindowReport], *, palette: Palette = PAGE) -> Chart | None:
    """Return a grid of columns by time: the darker, the further from training; framed where it counts."""
    groups = _group(windows, MAX_CELLS)
    largest: dict[str, float] = {}
    for report in windows:
        for column in report.columns:
            largest[column.name] = max(largest.get(column.name, 0.0), column.js or 0.0)
    shown = sorted(largest, key=lambda name: -largest[name])[:MAX_COLUMNS]
    cells: Values = []
    for group in groups:
        for place, name in enumerate(shown):
            found = [
                column for report in group for column in report.columns if column.name == name and column.js is not None
            ]
            if not found:
                continue
            signals = [item for report in group for item in report.signals if item.subject == name]
            cells.append(
                {
                    "t": group[0].since,
                    "t2": group[-1].until,
                    "name": f"{place:02d}{shorten(name, 24)}",
                    "js": round(max(column.js or 0.0 for column in found), 3),
                    "state": 2 if any(item.is_alert for item in signals) else 1 if signals else 0,
                }
            )
    if not cells:
        return None
    y = {
        "field": "name",
        "type": "nominal",
        "axis": {"title": None, "labelExpr": "slice(datum.label, 2)", "domain": False, "ticks": False},
        "scale": {"paddingInner": 0.14},
    }
    x = {**_time(palette), "field": "t"}
    opacity = {
        "field": "js",
        "type": "quantitative",
        "scale": {"domain": [0, max([0.3, *(float(cell["js"]) for cell in cells)])], "range": [0.06, 1.0]},
        "legend": None,
    }
    rect = {"type": "rect", "color": palette.accent}
    marks = {"type": "point", "filled": True, "size": 26, "opacity": 1, "shape": "circle"}
    flagged = [cell for cell in cells if cell["state"]]
    dot = {"condition": {"test": "datum.state == 2", "value": palette.bad}, "value": palette.muted}
    layers = [
        _layer(cells, rect, {"x": x, "x2": {"field": "t2"}, "y": y, "opacity": opacity}),
        *([_layer(flagged, marks, {"x": x, "y": y, "color": dot})] if flagged else []),
    ]
    return Chart(
        name="drift",
        title="Which columns moved",
        see="The darker a field, the further from training (Jensen-Shannon distance). A dot: more than the budget of false alarms"
        " leaves to chance; red where it could move the score, grey where it was shown that it cannot.",
        alt="Columns that moved most: " + "; ".join(f"{shorten(name, 40)} {largest[name]:.2f}" for name in shown[:5]),
        spec=_frame(layers, height=ROW_PX * len(shown) + 6, palette=palette, left_px=190),
    )


def build_line_charts(windows: Sequence[WindowReport], *, palette: Palette = PAGE) -> tuple[Chart, ...]:
    """Return small timelines: rows, the middle answer, the share sent to a person, latency."""
    wanted: tuple[tuple[str, str, str, Callable[[WindowReport], float | None]], ...] = (
        ("rows", "Rows answered", "Each window's rows.", lambda report: float(report.rows)),
        (
            "answers",
            "The middle answer",
            "Half of the answers lie above.",
            lambda report: report.answers.middle if report.answers else None,
        ),
        (
            "review",
            "Share sent to a person",
            "Of the rows on which the model decides.",
            lambda report: report.operations.review_share,
        ),
        ("latency", "Slowest twentieth, in milliseconds", "One answer in twenty takes longer.", _find_latency),
    )
    charts = []
    for name, title, see, read in wanted:
        values = [
            {"t": _middle(report), "value": value} for report in _thin(windows) if (value := read(report)) is not None
        ]
        if not values:
            continue
        y = {
            "field": "value",
            "type": "quantitative",
            "scale": {"zero": name in {"rows", "review", "latency"}},
            "axis": {"title": None, "tickCount": 4},
        }
        mark = {
            "type": "line",
            "color": palette.accent,
            "strokeWidth": 1.5,
            "point": {"size": 12, "color": palette.accent} if len(values) <= MAX_DOTS else False,
        }
        charts.append(
            Chart(
                name=name,
                title=title,
                see=see,
                alt=f"{title} over {count_of(len(values), 'window')}; the newest is {values[-1]['value']:,.3g}.",
                spec=_frame([_layer(values, mark, {"x": _time(palette), "y": y})], height=96, palette=palette),
            )
        )
    return tuple(charts)


def _find_latency(report: WindowReport) -> float | None:
    return None if report.operations.p95_us is None else report.operations.p95_us / 1000


def _draw_events(events: Sequence[tuple[str, str]], palette: Palette) -> list[Spec]:
    if not events:
        return []
    values = [{"t": at, "words": words} for at, words in events]
    x = _time(palette)
    rule = {"type": "rule", "color": palette.muted, "strokeWidth": 1, "opacity": 0.7}
    text = {
        "type": "text",
        "align": "right",
        "baseline": "top",
        "dx": -4,
        "y": 2,
        "fontSize": FONT_PX - 2.5,
        "color": palette.muted,
    }
    return [
        _layer(values, rule, {"x": x}),
        _layer(values, text, {"x": x, "text": {"field": "words", "type": "nominal"}}),
    ]


def _has(report: WindowReport, kind: str) -> bool:
    return any(signal.kind in {kind, "concept"} for signal in report.signals)


def _middle(report: WindowReport) -> str:
    return report.since


def _thin(windows: Sequence[WindowReport]) -> list[WindowReport]:
    """Return every window, or of many one out of each group: the one with an alert where there is one."""
    return [next((report for report in group if report.alerts), group[-1]) for group in _group(windows, MAX_POINTS)]


def _group(windows: Sequence[WindowReport], most: int) -> list[list[WindowReport]]:
    size = max(1, -(-len(windows) // most))
    return [list(windows[place : place + size]) for place in range(0, len(windows), size)]


def _time(palette: Palette) -> Spec:
    del palette
    return {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {"title": None, "grid": False, "tickCount": 8, "format": "%d %b", "labelAngle": 0},
    }


def _layer(values: Values, mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def _frame(layers: list[Spec], *, height: int, palette: Palette, left_px: int = 52) -> Spec:
    axis = {
        "domain": False,
        "ticks": False,
        "gridColor": palette.line,
        "labelColor": palette.muted,
        "labelFontSize": FONT_PX,
        "labelOverlap": True,
        "labelPadding": 7,
        "labelFlush": True,
        "labelLimit": 0,
    }
    return {
        "$schema": SCHEMA,
        "autosize": "none",
        "padding": {"left": left_px, "right": 22, "top": 12, "bottom": 30},
        "width": WIDTH_PX - left_px - 22,
        "height": height,
        "background": None,
        "layer": layers,
        "config": {"aria": False, "font": "inherit", "view": {"stroke": None}, "axis": axis},
    }
