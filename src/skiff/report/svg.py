"""Vega-Lite specifications into inline SVG that follows the page's colours and fonts."""

from __future__ import annotations

import json
import re
from functools import lru_cache

import vl_convert

from skiff.report.charts import Chart

VIEW_BOX = re.compile(r'viewBox="([^"]+)"')
EMPTY_PATHS = re.compile(r'<path class="(?:background|foreground)"[^>]*?d="[^"]*"[^>]*/>')
NOISE = re.compile(
    r' (?:aria-hidden="true"|pointer-events="none"|role="graphics-[a-z]+"|aria-roledescription="[^"]*"|opacity="1"'
    r'|class="mark-[^"]*")'
)
TAGS = re.compile(r"<[^>]+>")
CLIP_IDS = re.compile(r"(?<=[#\"])clip\d+(?=[)\"])")
LONG_NUMBERS = re.compile(r"-?\d+\.\d{3,}")


def render_svg(chart: Chart) -> str:
    """Return the chart as one ``<svg>``, named for screen readers, without fixed size, scripts or links.

    Notes
    -----
    Names come out escaped by the renderer. The first call of a process takes about half a second, later ones 20 ms.

    Examples
    --------
    >>> from skiff.report.charts import build_residuals_chart
    >>> render_svg(build_residuals_chart([(1.0, 1.2), (2.0, 1.7)]))[:42]
    '<svg class="chart" viewBox="0 0 440 376" r'
    """
    drawn = _draw(json.dumps(chart.spec))
    head, _, body = drawn.partition(">")
    box = VIEW_BOX.findall(head)[0]
    body = TAGS.sub(_shorten_numbers, NOISE.sub("", EMPTY_PATHS.sub("", body)))
    name = f"chart-{chart.name}"
    body = _rename_clips(body, name)
    return f'<svg class="chart" viewBox="{box}" role="img" aria-labelledby="{name}-title" aria-describedby="{name}-alt">{body}'


@lru_cache(maxsize=64)  # the same pictures stand in a release, in the report beside it and on paper
def _draw(spec: str) -> str:
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version="5.21")
    return drawn


def _rename_clips(body: str, name: str) -> str:
    """Count clip paths within their chart: the renderer counts over the whole process, which would not repeat."""
    seen = list(dict.fromkeys(CLIP_IDS.findall("".join(TAGS.findall(body)))))
    numbers = {clip: f"{name}-clip-{number}" for number, clip in enumerate(seen, start=1)}
    return TAGS.sub(lambda tag: CLIP_IDS.sub(lambda clip: numbers[clip[0]], tag[0]), body)


def _shorten_numbers(tag: re.Match[str]) -> str:
    """Round coordinates to a hundredth of a pixel; text between tags stays as it is."""
    return LONG_NUMBERS.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), tag[0])
