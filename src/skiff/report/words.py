"""The verdict in plain language: what the model catches, how often it is wrong, whether it is ready and why not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.data.sentences import say_figure, say_reach
from skiff.evaluate.results import Evaluation, GateVerdict
from skiff.evaluate.scores import HIGHER_IS_BETTER
from skiff.report.content import LeftOut, RunStory, SplitStory
from skiff.report.glossary import abbreviate_metric, describe_metric, quote
from skiff.report.money import describe_saving
from skiff.report.numbers import (
    count_of,
    describe_rarity,
    describe_share,
    describe_share_range,
    format_amount,
    format_range,
    format_score,
)

NAMES_IN_A_SENTENCE = 3
DEFAULT_CRITERION = "beats_baseline"
"""The one criterion that holds where nobody set any."""
BYSTANDERS = frozenset({"leakage.identifier", "leakage.row_order"})
"""Leaks that mislead rather than hold the answer: listed, but not in the sentence about answers given away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person reads first.

    Parameters
    ----------
    headline : str
        One sentence with the number that matters most, or that there is no model, or that it is no better than a guess.
    ready : bool
        Whether a release exists and every criterion is met.
    sentences : tuple of str
        The rest, most important first; the first says whether the model is ready and why not.
    """

    headline: str
    ready: bool
    sentences: tuple[str, ...]


def verdict(story: RunStory) -> Verdict:
    """Say in plain words what came out; bad news first."""
    reasons = find_reasons(story)
    ready = not reasons
    evaluation = story.evaluation
    readiness = describe_readiness(story, reasons)
    if story.model is None:
        return Verdict(headline="No model could be made from this data.", ready=False, sentences=(readiness,))
    if evaluation is None:
        return Verdict(headline="A model was trained, but it was not judged.", ready=False, sentences=(readiness,))
    performance = describe_performance(story, evaluation)
    guess = describe_baseline(evaluation)
    saving = describe_saving(story)
    worth = (saving,) if saving else ()
    more = (*describe_leaks(story), *describe_flattery(evaluation))
    if not evaluation.beats_baseline:
        is_known = evaluation.against_baseline is None or evaluation.against_baseline.low is not None
        headline = (
            "No better than a simple guess."
            if is_known
            else "Too few rows were kept aside to say whether it is better than a guess."
        )
        seen = () if guess and evaluation.headline not in {"roc_auc", "average_precision"} else (performance,)
        return Verdict(headline=headline, ready=False, sentences=(*guess, readiness, *worth, *seen, *more))
    return Verdict(headline=performance, ready=ready, sentences=(readiness, *worth, *guess, *more))


def describe_looks(split: SplitStory) -> tuple[str, ...]:
    """Return how often the rows kept aside were looked at, and whether other rows of the same table were as well.

    Examples
    --------
    >>> describe_looks(SplitStory(kind="random", reason="", train_rows=80, test_rows=20, looks=2, other_sealed=3))[1][:57]
    'Other trainings of this same table kept other rows aside:'
    """
    times = "once" if split.looks == 1 else f"{split.looks:,} times"
    told = (
        f"The rows kept aside have been looked at {times}; every look is on record, because each one makes the next a little "
        "less honest."
    )
    if not split.other_sealed:
        return (told,)
    sets = f"{split.other_sealed:,} other {'set' if split.other_sealed == 1 else 'sets'} of rows"
    others = (
        f"Other trainings of this same table kept other rows aside: {sets} {'was' if split.other_sealed == 1 else 'were'} judged on "
        "before, drawn with another seed or divided in another way. If this model was picked because it scored best among them, "
        "its numbers flatter it, and no range here allows for that."
    )
    return (told, others)


def find_reasons(story: RunStory) -> tuple[str, ...]:
    """Return every reason against using the model, in sentences; none where it is ready."""
    reasons = [item.sentence for item in story.gate.verdicts if not item.passed]
    is_said = any("baseline" in item.criterion for item in story.gate.verdicts if not item.passed)
    if story.evaluation is not None and not story.evaluation.beats_baseline and not is_said:
        reasons.insert(0, "It is no better than a guess that looks at nothing.")
    if not reasons and not story.gate.passed:
        reasons.append("It does not meet what was asked of it.")
    if not reasons and story.evaluation is None:
        reasons.append("Nothing was measured on rows kept aside.")
    if not reasons and story.release is None:
        reasons.append("No file to use was made.")
    if not reasons and story.release is not None and story.release.number is None:
        reasons.append(story.release.kept_back or "It was judged, and not released.")
    return tuple(reason for reason in reasons if reason)


def describe_readiness(story: RunStory, reasons: tuple[str, ...]) -> str:
    """Return one sentence: ready by which criteria, or not ready and why.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> describe_readiness(build_example_story(), ("Recall is 0.61, below the 0.70 you asked for.",))
    'Not ready, because recall is 0.61, below the 0.70 you asked for.'
    """
    if reasons:
        first, *others = reasons
        more = f" There {'is' if len(others) == 1 else 'are'} {count_of(len(others), 'more reason')}." if others else ""
        return f"Not ready, because {lower_first(first)}{more}"
    met = len(find_demands(story))
    number = story.release.number if story.release else None
    if not met:
        return (
            f"Ready to try as release {number}: it is better than a guess. "
            "Nobody has yet said how good is good enough, so nothing more was demanded of it."
        )
    many = "both" if met == 2 else f"all {met}"  # noqa: PLR2004  two are both
    demands = "what you asked for is met" if met == 1 else f"{many} things you asked for are met"
    return f"Ready as release {number}: {demands}."


def find_demands(story: RunStory) -> tuple[GateVerdict, ...]:
    """Return the criteria that somebody set; that it beats a guess is demanded of every model.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> [item.criterion for item in find_demands(build_example_story())]
    ['recall >= 0.75']
    """
    return tuple(item for item in story.gate.verdicts if item.criterion != DEFAULT_CRITERION)


def lower_first(sentence: str) -> str:
    """Return a sentence that can follow "because": its first letter small unless it starts a name or abbreviation.

    Examples
    --------
    >>> lower_first("Recall is low."), lower_first("ROC AUC is low."), lower_first("“Age” leaks.")
    ('recall is low.', 'ROC AUC is low.', '“Age” leaks.')
    """
    if sentence[1:2].isupper():
        return sentence
    return sentence[:1].lower() + sentence[1:]


def describe_performance(story: RunStory, evaluation: Evaluation) -> str:  # noqa: PLR0911  each return is one ground
    """Return the one sentence that says how good the model is, in the client's terms."""
    metrics = evaluation.metrics
    if "share_under" in metrics and story.task.quantile is not None:
        return _describe_quantile(metrics["share_under"], story.task.quantile)
    if story.task.kind == "regression":
        return _describe_errors(metrics, story.task.unit)
    if story.task.kind == "binary" and "recall" in metrics:
        return _describe_catches(story, metrics)
    if "accuracy" in metrics:
        accuracy = metrics["accuracy"]
        guess = find_baseline(evaluation, "accuracy")
        if guess is not None and (accuracy.value if accuracy.low is None else accuracy.low) <= guess:
            return (
                f"Right {round(accuracy.value * 100)} of 100 times{_bracket(accuracy)}, about as often as always giving the "
                "most common answer. Use its probabilities, not its answers."
            )
        return f"Right {_about(accuracy.value)}{describe_share(accuracy.value)} times{_bracket(accuracy)}."
    if "roc_auc" in metrics:
        return _describe_ranking(story, metrics["roc_auc"])
    headline = metrics.get(evaluation.headline)
    if headline is None:
        return "Nothing could be measured."
    unit = headline.unit
    reach = format_range(headline.low, headline.high, unit)
    return f"{describe_metric(headline.name).label}: {format_amount(headline.value, unit, digits=3)}{_wrap(reach)}."


def name_cases(story: RunStory) -> str:
    """Return what a yes/no model is to find, in the plural.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> name_cases(build_example_story()), name_cases(build_example_story(positive_name="cancellations"))
    ('rows where “cancelled” is “yes”', 'cancellations')
    """
    if story.positive_name:
        return story.positive_name
    positive = story.task.positive or (story.task.classes[-1] if story.task.classes else "yes")
    return f"rows where {quote(story.task.target)} is {quote(positive)}"


def _describe_catches(story: RunStory, metrics: Mapping[str, Measurement]) -> str:
    recall, precision = metrics.get("recall"), metrics.get("precision")
    cases = name_cases(story)
    if recall is None or not math.isfinite(recall.value):
        return f"The rows kept aside held no {cases}, so nobody can say how many it would catch."
    if recall.value <= 0:
        return f"Catches none of the {cases}."
    catches = f"Catches {_about(recall.value)}{describe_share(recall.value)} {cases}{_bracket(recall)}"
    if recall.value >= 1:
        catches = f"Catches all {cases} that were kept aside{_bracket(recall)}"
    if precision is None or not math.isfinite(precision.value):
        return f"{catches}."
    return f"{catches} and is {_describe_false_alarms(precision)}."


def _describe_false_alarms(precision: Measurement) -> str:
    wrong = 1 - precision.value
    reach = describe_share_range(
        None if precision.high is None else 1 - precision.high, None if precision.low is None else 1 - precision.low
    )
    if wrong <= 0:
        return f"never wrong in its warnings so far{_wrap(reach)}"
    if wrong >= 1:
        return f"wrong in every warning{_wrap(reach)}"
    rarity = describe_rarity(wrong)
    if rarity.startswith("once"):
        return f"wrong about {rarity} warnings{_wrap(reach)}"
    return f"wrong in {_about(wrong)}{rarity} warnings{_wrap(reach)}"


def _describe_errors(metrics: Mapping[str, Measurement], unit: str) -> str:
    mae, rmse = metrics.get("mae"), metrics.get("rmse")
    error = mae or rmse
    if error is None:
        return "Nothing could be measured."
    unit = unit or error.unit
    kind = "mean absolute error" if mae else "root mean squared error"
    reach = format_range(error.low, error.high, unit)
    tail = f"; {reach}" if reach else ""
    return f"Typically off by about {format_amount(error.value, unit)} ({kind}{tail})."


def _describe_quantile(under: Measurement, quantile: float) -> str:
    asked = f"{100 * quantile:.4g}"
    return f"{round(100 * under.value)} of 100 true values lie at or under its answer{_bracket(under)}; you asked for {asked}."


def _describe_ranking(story: RunStory, auc: Measurement) -> str:
    share = describe_share(auc.value)
    return f"Shown one of the {name_cases(story)} and one other, it picks the right one {share} times{_bracket(auc)}."


def describe_baseline(evaluation: Evaluation) -> tuple[str, ...]:
    """Return what a guess that looks at nothing would reach; says first where the model is no better."""
    for name in ("accuracy", "mae", evaluation.headline):
        found = evaluation.metrics.get(name)
        if name == "mae" and evaluation.headline == "pinball_loss":
            continue
        if found is None or (name == "accuracy" and evaluation.headline != "log_loss"):
            continue
        guess = find_baseline(evaluation, name)
        if guess is None:
            continue
        return (_compare(found, guess, beats=evaluation.beats_baseline),)
    return ()


def find_baseline(evaluation: Evaluation, metric: str) -> float | None:
    """Return what the naive predictor reaches on the same rows, where it was measured."""
    found = evaluation.metrics.get(metric)
    if found is not None and found.baseline is not None:
        return found.baseline
    for baseline in evaluation.baselines:
        if baseline.name == "naive" and metric in baseline.metrics:
            return baseline.metrics[metric].value
    return None


def _compare(found: Measurement, guess: float, *, beats: bool) -> str:
    if found.name == "accuracy":
        own, other = f"{describe_share(found.value)} times{_bracket(found)}", f"{describe_share(guess)} times"
        if beats:
            return f"Always giving the most common answer would be right {round(guess * 100)} of 100 times."
        return f"The model is right {own}; always giving the most common answer is right {other}."
    if found.name == "mae":
        other = format_amount(guess, found.unit)
        if beats:
            return f"Always giving the usual value would be off by about {other}."
        own = format_amount(found.value, found.unit)
        return f"The model is off by about {own}; always giving the usual value is off by about {other}."
    if found.name == "pinball_loss":
        own, other = format_amount(found.value, found.unit, digits=3), format_amount(guess, found.unit, digits=3)
        than = "less than" if beats else "against"
        return f"Its misses cost {own} a row (pinball loss), {than} {other} for the same value for every row."
    return _compare_ranking(found, guess)


def _compare_ranking(found: Measurement, guess: float) -> str:
    label = describe_metric(found.name).label
    reach = format_interval_or_nothing(found)
    if found.name == "roc_auc":
        pairs = (
            f"Of 100 pairs of one case to find and one other, it ranks {round(found.value * 100)} the right way round"
        )
        return f"{pairs} ({abbreviate_metric(found.name)} {format_score(found.value)}{f', {reach}' if reach else ''}); a coin would manage 50."
    if found.name == "average_precision":
        return (
            f"Going down its list from the surest warning, about {round(found.value * 100)} of 100 are right "
            f"({abbreviate_metric(found.name)} {format_score(found.value)}{f', {reach}' if reach else ''}); "
            f"of rows picked blindly, {describe_share(guess)} would be."
        )
    return (
        f"{label}: {format_score(found.value)}{_wrap(reach)}; a guess that looks at nothing gets {format_score(guess)}."
    )


def format_interval_or_nothing(measurement: Measurement) -> str:
    """Return the interval as scores, or nothing.

    Examples
    --------
    >>> format_interval_or_nothing(Measurement(name="roc_auc", value=0.8, low=0.7, high=0.9))
    '0.700 to 0.900'
    """
    if measurement.low is None or measurement.high is None:
        return ""
    return f"{format_score(measurement.low)} to {format_score(measurement.high)}"


def describe_leaks(story: RunStory) -> tuple[str, ...]:
    """Return which columns gave the answer away, and what the score looked like with them."""
    leaks = [item for item in story.left_out if item.code.startswith("leakage.") and item.code not in BYSTANDERS]
    if not leaks:
        return ()
    more = len(leaks) - NAMES_IN_A_SENTENCE
    names = join_words(
        [*(quote(item.column) for item in leaks[:NAMES_IN_A_SENTENCE]), *([f"{more} more"] if more > 0 else [])]
    )
    verb = "was left out because it gives" if len(leaks) == 1 else "were left out because they give"
    scored = [item for item in leaks if item.score_with is not None and item.score_without is not None]
    left_out = f"{names} {verb} the answer away."
    if not scored:
        return (left_out,)
    worst = max(scored, key=lambda item: abs((item.score_with or 0.0) - (item.score_without or 0.0)))
    column = "it" if len(leaks) == 1 else quote(worst.column)
    trial = f"With {column} a quick trial scores {describe_scores(worst)}"
    return (f"{left_out} {trial}: a model that leans on it shines here and fails in use.",)


def describe_scores(item: LeftOut) -> str:
    """Return the scores of a quick trial with and without a column, and which way is better where that is not plain.

    Examples
    --------
    >>> describe_scores(LeftOut(column="boat", code="leakage.missingness", score_with=0.98, score_without=0.848))
    '0.980, without it 0.848'
    >>> describe_scores(LeftOut(column="x", code="y.z", score_with=0.55, score_without=0.565, score_name="log_loss"))
    '0.550, without it 0.565 (log loss, less is better)'
    """
    told = f"{format_score(item.score_with)}, without it {format_score(item.score_without)}"
    return f"{told} ({name_score(item)})" if item.score_name else told


def name_score(item: LeftOut) -> str:
    """Return what the two scores of a column are, and which way is better where that is not plain.

    Examples
    --------
    >>> name_score(LeftOut(column="x", code="y.z", score_name="log_loss")), name_score(LeftOut(column="x", code="y.z"))
    ('log loss, less is better', 'score')
    """
    if not item.score_name:
        return "score"
    tail = "" if HIGHER_IS_BETTER.get(item.score_name, True) else ", less is better"
    return f"{abbreviate_metric(item.score_name)}{tail}"


def join_words(words: Sequence[str]) -> str:
    """Return words in a row, the last joined by "and".

    Examples
    --------
    >>> join_words(["boat", "body"]), join_words(["boat"]), join_words(["a", "b", "2 more"])
    ('boat and body', 'boat', 'a, b and 2 more')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def describe_flattery(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the score of a random split beside the honest one, named as flattering, where one was made."""
    random, honest = evaluation.random_split, evaluation.metrics.get(evaluation.headline)
    if random is None or honest is None:
        return ()
    label = abbreviate_metric(honest.name)
    is_flattering = (random.value > honest.value) == (honest.higher_is_better is not False)
    name = "that number flatters, so it is not used" if is_flattering else "here that would not even have flattered"
    return (
        f"Rows mixed at random would have shown {format_score(random.value)} instead of {format_score(honest.value)} ({label}); {name}.",
    )


def describe_stability(evaluation: Evaluation) -> tuple[str, ...]:
    """Return how far the headline moved when the same model was trained with other seeds, where it was.

    Examples
    --------
    >>> from skiff.evaluate.stability import measure_stability
    >>> found = measure_stability([0.90, 0.91, 0.92], "roc_auc")
    >>> describe_stability(Evaluation(headline="roc_auc", metrics={}, baselines=(), stability=found))[0][:65]
    'Trained 3 times with different seeds, it scored 0.900 to 0.920 (R'
    """
    found = evaluation.stability
    if found is None:
        return ()
    low, high = format_score(min(found.scores)), format_score(max(found.scores))
    label = abbreviate_metric(found.metric)
    if low == high:
        return (f"Trained {len(found.scores)} times with different seeds, it scored {low} each time ({label}).",)
    said = (
        f"Trained {len(found.scores)} times with different seeds, it scored {low} to {high} ({label}; standard deviation "
        f"{say_figure(found.spread, digits=2)}, 95 % interval {say_reach(found.spread_low, found.spread_high, digits=2)}). Two models that differ by less "
        f"than about {say_figure(found.least_difference, digits=2)} may differ by luck alone."
    )
    return (said,)


def _about(share: float) -> str:
    return "about " if 0 < share < 1 and not describe_share(share).endswith("1,000") else ""


def _bracket(measurement: Measurement) -> str:
    return _wrap(describe_share_range(measurement.low, measurement.high))


def _wrap(text: str) -> str:
    return f" ({text})" if text else ""
