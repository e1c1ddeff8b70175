"""What each word of the machine is called for a person: metrics, splits, families of findings, what Skiff did."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from skiff.evaluate.prices import AGAINST_NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricWords:
    """A metric in plain words: a short `label`, one sentence `plain`, and whether it is a share told as a frequency."""

    label: str
    plain: str
    is_share: bool = False


_SAVING = re.compile(r"saving_([a-z]{3})_(row|month)")

METRICS: dict[str, MetricWords] = {
    "roc_auc": MetricWords(
        label="Ranking (ROC AUC)",
        plain="How often a case to find is ranked above one that is not; 0.5 is a coin, 1 is perfect.",
        is_share=True,
    ),
    "average_precision": MetricWords(
        label="Precision along the list (average precision)",
        plain="How clean the list of warnings stays from its top to its end; compare with the share of such cases.",
    ),
    "log_loss": MetricWords(
        label="Surprise (log loss)", plain="How surprised the model is by what happened; smaller is better."
    ),
    "brier_score": MetricWords(
        label="Error of the probabilities (Brier score)",
        plain="Mean squared distance between the stated probability and what happened; smaller is better.",
    ),
    "accuracy": MetricWords(
        label="Right answers (accuracy)", plain="Share of all answers that are right.", is_share=True
    ),
    "balanced_accuracy": MetricWords(
        label="Right answers, every class counted equally (balanced accuracy)",
        plain="Share of right answers in each class, averaged, so that rare classes count as much as common ones.",
        is_share=True,
    ),
    "f1": MetricWords(label="Balance of caught and clean (F1)", plain="Harmonic mean of precision and recall."),
    "precision": MetricWords(
        label="Warnings that are right (precision)", plain="Of all warnings, the share that is right.", is_share=True
    ),
    "recall": MetricWords(
        label="Cases caught (recall)", plain="Of all cases to find, the share that is caught.", is_share=True
    ),
    "ece": MetricWords(
        label="Distance of stated from real frequency (ECE)",
        plain="Mean distance between the probability stated and the frequency seen; smaller is better.",
    ),
    "rmse": MetricWords(
        label="Typical error, large ones weighing more (RMSE)",
        plain="Root of the mean squared error; smaller is better.",
    ),
    "mae": MetricWords(
        label="Typical error (mean absolute error)", plain="Mean distance from the true value; smaller is better."
    ),
    "r2": MetricWords(
        label="Share of the ups and downs explained (R²)",
        plain="1 is perfect, 0 is no better than the mean, below 0 is worse than the mean.",
    ),
    "mape": MetricWords(
        label="Typical error relative to the true value (MAPE)", plain="Mean relative error; smaller is better."
    ),
    "median_absolute_error": MetricWords(
        label="Error of the middle answer (median absolute error)",
        plain="Half of all answers are nearer to the truth than this; smaller is better.",
    ),
    "pinball_loss": MetricWords(
        label="Cost of its misses (pinball loss)",
        plain="Mean distance from the true value, misses on the rarer side weighing more; smaller is better.",
    ),
    "share_under": MetricWords(
        label="True values at or under the answer",
        plain="Should be near the share that was asked for with quantile; neither more nor less is better.",
    ),
}
"""scikit-learn's metric names in words; definitions after https://scikit-learn.org/stable/modules/model_evaluation.html."""

SPLITS: dict[str, str] = {
    "time": "By time: the model learned from the past and was judged on what came after.",
    "group": "By group: rows that belong together are on one side only, so nothing is recognised, only learned.",
    "stratified": "At random, with the same mix of answers on both sides.",
    "random": "At random.",
}

FAMILIES: dict[str, str] = {
    "leakage": "Leaks",
    "quality": "Quality of the data",
    "labels": "Quality of the answers",
    "imbalance": "Rare answers",
    "coverage": "Who is in the data",
    "privacy": "Personal data",
    "schema": "Changes of form",
    "reading": "How the file was read",
}
"""First half of a finding's code to its heading, in the order people want to read."""

ACTIONS: dict[str, str] = {
    "left_out": "left out",
    "kept": "kept",
    "asked": "needs your answer",
    "fixed": "put right",
    "none": "nothing done",
}

SEVERITIES: dict[str, str] = {"block": "Stop", "warn": "Look", "info": "Note"}

TASKS: dict[str, str] = {
    "binary": "a yes or no",
    "multiclass": "one of several answers",
    "regression": "a number",
}


DIRECTION_CHANGES = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Bidirectional classes that reorder the text around them (https://www.unicode.org/reports/tr9/, table 4)."""


def describe_metric(name: str, *, method: str = "") -> MetricWords:
    """Return the words for a metric; an unknown one keeps its own name.

    The `method` of a saving says against what it is: where capacity is limited, not against acting on every row.

    Examples
    --------
    >>> describe_metric("recall").label
    'Cases caught (recall)'
    >>> describe_metric("gini_index").label
    'gini index'
    >>> describe_metric("saving_eur_month").label
    'Saved per month (EUR)'
    """
    saving = _SAVING.fullmatch(name)
    if saving:
        is_limited = AGAINST_NONE in method
        other = "acting on nobody" if is_limited else "the cheaper of acting on every row and acting on none"
        return MetricWords(
            label=f"Saved per {saving[2]} ({saving[1].upper()})",
            plain=f"Money saved by its decisions, by your costs, against {other}.",
        )
    return METRICS.get(name, MetricWords(label=name.replace("_", " "), plain=""))


def abbreviate_metric(name: str) -> str:
    """Return the short name that engineers use: the part of the label in brackets.

    Examples
    --------
    >>> abbreviate_metric("roc_auc"), abbreviate_metric("gini_index")
    ('ROC AUC', 'gini index')
    >>> abbreviate_metric("saving_eur_row")
    'EUR saved per row'
    """
    saving = _SAVING.fullmatch(name)
    if saving:
        return f"{saving[1].upper()} saved per {saving[2]}"
    label = describe_metric(name).label
    return label.rpartition("(")[2].rstrip(")")


def describe_family(code: str) -> str:
    """Return the heading of a finding's family.

    Examples
    --------
    >>> describe_family("leakage.target_copy"), describe_family("other.thing")
    ('Leaks', 'Other')
    """
    family = code.partition(".")[0]
    return FAMILIES.get(family, family.replace("_", " ").capitalize())


def clean_name(text: str) -> str:
    r"""Return a name without control and direction-changing characters: a column name must not drive a terminal or page.

    Examples
    --------
    >>> clean_name("price\x1b[31m"), clean_name("שם")
    ('price�[31m', 'שם')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if sign in "\n\r\t" else "\ufffd" if _is_hostile(sign) else sign for sign in text)


def _is_hostile(sign: str) -> bool:
    """Joiners stay (Persian, emoji need them); escapes, lone surrogates and direction overrides go."""
    return unicodedata.category(sign) in {"Cc", "Cs"} or unicodedata.bidirectional(sign) in DIRECTION_CHANGES


def shorten(text: str, limit: int = 28) -> str:
    """Return a name that fits, its middle left out: the ends of long names tell them apart.

    Examples
    --------
    >>> shorten("customer_lifetime_value_at_signup_eur", 20)
    'customer_li…ignup_eur'
    """
    text = clean_name(text)
    if len(text) <= limit + 1:
        return text
    head = (limit + 2) // 2
    return f"{text[:head]}…{text[-(limit - head) :]}"


def quote(name: str) -> str:
    """Return a column or class name as it stands in a sentence.

    Examples
    --------
    >>> quote("churned")
    '“churned”'
    """
    return f"“{shorten(name, 60)}”"


REASONS: dict[str, str] = {
    "leakage.target_copy": "Holds the answer itself",
    "leakage.target_proxy": "Holds the answer in other words",
    "leakage.derived_target": "The answer can be worked out from it",
    "leakage.level_purity": "One of its values always means the same answer",
    "leakage.missingness": "Whether it is filled in tells the answer",
    "leakage.after_the_event": "Written after the answer was known",
    "leakage.identifier": "A number or name of the row, not a property",
    "leakage.row_order": "Its order gives the answer away",
    "quality.constant": "The same in every row",
    "quality.near_constant": "Almost the same in every row",
    "quality.duplicate_columns": "Says the same as another column",
    "quality.missing": "Empty nearly everywhere",
    "privacy.direct_identifier": "Names a person",
    "asked.drop": "You asked for it",
    "asked.weight": "Says how much a row counts, so rows are weighed by it and it is not learned from",
    "asked.protected": "Protected, so the model is judged by it and does not learn from it",
    "split.group": "Says which rows belong together, so it cannot be learned from",
}
"""Code of a finding to the reason, in a few words, why its column was left out."""


def describe_reason(code: str) -> str:
    """Return why a column was left out.

    Examples
    --------
    >>> describe_reason("quality.constant"), describe_reason("leakage.new_kind"), describe_reason("asked")
    ('The same in every row', 'Leaks (leakage.new_kind)', 'asked')
    """
    if code in REASONS:
        return REASONS[code]
    return f"{describe_family(code)} ({code})" if "." in code else code.replace("_", " ")
