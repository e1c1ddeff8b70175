"""The model card: Hugging Face metadata and Markdown, from evidence only."""

from __future__ import annotations

import json
import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from skiff.core.evidence import Json
from skiff.report.content import RunStory
from skiff.report.fairness import describe_fairness, list_heads, list_rows
from skiff.report.glossary import ACTIONS, SPLITS, TASKS, abbreviate_metric, clean_name, describe_reason, shorten
from skiff.report.limits import describe_limits
from skiff.report.mistakes import describe_calibration, describe_confusion, describe_slice, describe_slices
from skiff.report.money import describe_decision
from skiff.report.note import list_questions
from skiff.report.numbers import count_of, format_bytes, format_interval, format_score, format_seconds
from skiff.report.page import build_metric_rows, describe_date
from skiff.report.promises import describe_promises
from skiff.report.run_json import finite
from skiff.report.sources import build_sources
from skiff.report.words import describe_flattery, describe_leaks, describe_stability, verdict

PIPELINES = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
}
"""Task to ``pipeline_tag`` of https://huggingface.co/docs/hub/model-cards."""

MARKDOWN_SIGNS = re.compile(r"([\\`*\[\]<>|#~$&]|(?<!\w)_|_(?!\w))")
"""Signs that Markdown would act on; an underscore inside a word is not one (CommonMark 0.31, section 6.2)."""
MOST_IMPORTANCES, MOST_GROUPS = 10, 20
"""Columns and protected groups that the card lists; the report has all."""

LICENCES = re.compile(r"^[a-z0-9][a-z0-9.\-]{1,40}$")
"""The form of a licence identifier on the hub; anything else is written as ``other`` with its name."""


def render_card(story: RunStory) -> str:
    """Return the model card: what it is for, how good it is, what it must not be used for, with evidence ids.

    Every number carries its interval, its n and the ledger record it comes from. What nobody answered is printed as not
    answered. Names from the data are escaped: they cannot make links, headings or HTML.

    References
    ----------
    Mitchell, M. et al. (2019). Model cards for model reporting. FAT* 2019. https://doi.org/10.1145/3287560.3287596

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> card = render_card(build_example_story())
    >>> card.splitlines()[0], "ROC AUC" in card, "ev_000005" in card
    ('---', True, True)
    """
    evaluation = story.evaluation
    return (
        build_card_environment()
        .get_template("card.md.j2")
        .render(
            metadata=_Raw(build_metadata(story)),
            story=story,
            verdict=verdict(story),
            task_words=TASKS[story.task.kind],
            split_words=SPLITS.get(story.split.kind, story.split.kind),
            metrics=build_metric_rows(evaluation) if evaluation else (),
            steadiness=(*describe_flattery(evaluation), *describe_stability(evaluation)) if evaluation else (),
            decision_words=describe_decision(evaluation) if evaluation else "",
            promises=describe_promises(evaluation, unit=story.task.unit) if evaluation else (),
            importances=evaluation.importances[:MOST_IMPORTANCES] if evaluation else (),
            fairness_heads=list_heads(evaluation.fairness) if evaluation and evaluation.fairness else (),
            fairness_rows=list_rows(evaluation.fairness)[:MOST_GROUPS] if evaluation and evaluation.fairness else (),
            fairness_words=describe_fairness(story),
            confusion_words=describe_confusion(story, evaluation.confusion)
            if evaluation and evaluation.confusion
            else (),
            calibration_words=describe_calibration(evaluation.calibration) if evaluation else (),
            slices_words=describe_slices(evaluation.every_slice, protected=story.task.protected) if evaluation else "",
            worse=[item for item in evaluation.slices if item.is_worse][:10] if evaluation else [],
            leak_words=describe_leaks(story),
            questions=list_questions(story.findings)[:10],
            limits=describe_limits(story),
            ids={source.topic: source.id for source in build_sources(story)},
            sources=build_sources(story),
        )
    )


@cache
def build_card_environment() -> Environment:
    """Return the engine of cards; one for the process, because each engine compiles its templates anew."""
    environment = Environment(  # noqa: S701  Markdown: HTML escaping would spoil it; `escape_markdown` is applied to every value instead
        loader=PackageLoader("skiff.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(
        bytes=format_bytes,
        count=count_of,
        date=describe_date,
        reason=describe_reason,
        action=lambda action: ACTIONS.get(action, action),
        score=format_score,
        seconds=format_seconds,
        short=shorten,
        slice=describe_slice,
        interval=format_interval,
        abbreviation=abbreviate_metric,
    )
    return environment


class _Raw(str):
    """Text that is already what it should be."""

    __slots__ = ()


def _finalize(value: object) -> object:
    return value if isinstance(value, _Raw) or not isinstance(value, str) else escape_markdown(value)


def escape_markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is.

    Examples
    --------
    >>> escape_markdown("a_b <script>")
    'a_b \\<script\\>'
    """
    return MARKDOWN_SIGNS.sub(r"\\\1", clean_name(text))


def build_metadata(story: RunStory) -> str:
    """Return the metadata block, as YAML whose values are written in JSON (which YAML 1.2 contains).

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> print(build_metadata(build_example_story()).splitlines()[0])
    library_name: "onnxruntime"
    """
    tags: list[Json] = ["tabular", "onnx", "skiff", story.task.kind]
    fields: dict[str, Json] = {
        "library_name": "onnxruntime",
        "pipeline_tag": PIPELINES[story.task.kind],
        "tags": tags,
        **_build_licence(story.licence),
    }
    if story.evaluation:
        fields["model-index"] = [
            {
                "name": clean_name(story.title),
                "results": [
                    {
                        "task": {"type": PIPELINES[story.task.kind]},
                        "dataset": _name_dataset(story),
                        "metrics": _list_metrics(story),
                    }
                ],
            }
        ]
    return "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items())


def _build_licence(licence: str) -> dict[str, Json]:
    known = licence.strip().lower()
    if not known:
        return {}
    if LICENCES.match(known):
        return {"license": known}
    return {"license": "other", "license_name": clean_name(licence)}


def _name_dataset(story: RunStory) -> Json:
    return {
        "name": clean_name(story.dataset.name),
        "type": "tabular",
        "split": "test",
        "revision": story.dataset.sha256,
    }


def _list_metrics(story: RunStory) -> Json:
    if story.evaluation is None:
        return []
    return [
        {"type": name, "name": abbreviate_metric(name), "value": finite(found.value)}
        for name, found in story.evaluation.metrics.items()
        if finite(found.value) is not None
    ]
