"""What judging a model returns: frozen values that flows record and reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skiff.core.measurement import Measurement
from skiff.core.task import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A predictor anyone could write, judged on the same rows.

    ``naive`` predicts the class shares or the mean/median of the training rows; ``simple`` is the best single column.
    """

    name: str
    description: str
    metrics: Mapping[str, Measurement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Counts of true (rows) against predicted (columns) labels at the chosen threshold."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Rows whose predicted probability lies together: what was said and what happened (Wilson interval)."""

    n: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A group of test rows and how the model does there against all the others.

    Parameters
    ----------
    column, level : str
        ``contract`` and ``month-to-month``, or a column and a range written out.
    n : int
        Rows of the group in the test set.
    metric : Measurement or None
        None where the group is too small to judge.
    gap : Measurement or None
        Group minus the rest, with its interval (corrected for the number of groups compared).
    is_too_small : bool
    is_worse : bool
        Whether the interval of `gap` lies wholly on the bad side.
    metrics : mapping of str to Measurement
        Other metrics of the group, for criteria such as ``worst_group_gap(recall, sex)``; empty where too small.
    """

    column: str
    level: str
    n: int
    metric: Measurement | None
    gap: Measurement | None
    is_too_small: bool = False
    is_worse: bool = False
    metrics: Mapping[str, Measurement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The threshold of a yes/no decision and what it is worth.

    Parameters
    ----------
    threshold : float
        Positive where the probability is at least this.
    reason : str
        In sentences: from costs, or balanced F1 where no costs are given.
    saving_per_row : Measurement or None
        Saving against the best constant decision, in the currency, with interval; None where no costs are given.
    costs, typical : Costs or None
        What was given, costs or capacity or both; and the same with shares of an amount turned into money by the mean row judged.
    flagged : float or None
        Share of the rows judged that the threshold flags.
    saving_against_all : float or None
        Saving per row against flagging every row, where capacity is limited and `saving_per_row` is against flagging none.
    """

    threshold: float
    reason: str
    saving_per_row: Measurement | None = None
    costs: Costs | None = None
    typical: Costs | None = None
    flagged: float | None = None
    saving_against_all: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much worse the headline metric gets when one raw column is shuffled on held-out rows."""

    column: str
    drop: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCoverage:
    """How often the truth lay inside the promised range or set in one group.

    `falls_short`: surely below the promise, the number of groups allowed for.
    """

    column: str
    level: str
    coverage: Measurement
    is_too_small: bool = False
    falls_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Whether ranges or sets hold what they promise.

    Parameters
    ----------
    coverage : Measurement
        Its baseline is what was promised.
    size : Measurement or None
        Mean width of the ranges, or mean number of classes in the sets.
    groups : tuple of GroupCoverage
        Those too small to judge and those that fall short first, then the lowest; at most `n_groups`, the number looked at.
    classes : tuple of GroupCoverage
        For each true class how often its sets held it; empty for numbers.
    acted : Measurement or None
        Share of right answers among those that no person looks at.
    review_share : Measurement or None
        Share of the answers that a person should look at.
    review_cost : float or None
        What a look at one of them costs, where it was said.
    review_saving : Measurement or None
        What the looks save per row of all, where their cost was said.
    """

    coverage: Measurement
    size: Measurement | None = None
    groups: tuple[GroupCoverage, ...] = ()
    n_groups: int = 0
    classes: tuple[GroupCoverage, ...] = ()
    acted: Measurement | None = None
    review_share: Measurement | None = None
    review_cost: float | None = None
    review_saving: Measurement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBin:
    """Errors where predictions are of about one size (regression); `bias` is positive where predictions are too high."""

    low: float
    high: float
    error: Measurement
    bias: float
    coverage: Measurement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstainPoint:
    """What is right among the answers acted on, once the least sure share goes to a person.

    Parameters
    ----------
    share : float
        Of the rows that a person looks at.
    accuracy, low, high : float
        Share of right answers among the rest (Wilson interval).
    n : int
        Rows of the rest.
    """

    share: float
    accuracy: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRates:
    """What the answers do to one group of a protected column; `rates` is empty where it is too small."""

    column: str
    level: str
    n: int
    rates: Mapping[str, Measurement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff:
    """What equal recall and precision would ask of two groups whose base rates differ.

    Parameters
    ----------
    levels : (str, str)
        The group with the lowest base rate, and the one with the highest.
    base_rates, false_positive_rates : (float, float)
        Measured; and what the false positive rates would have to be. Above 1 there is no such model.
    recall, precision : float
        Those of both groups together.
    """

    column: str
    levels: tuple[str, str]
    base_rates: tuple[float, float]
    recall: float
    precision: float
    false_positive_rates: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A column the model takes that tells something of a protected one it does not take."""

    column: str
    by: str
    strength: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """How the answers fall on the groups of protected columns.

    Parameters
    ----------
    groups : tuple of GroupRates
        By column, in the order of the settings.
    ratios : mapping of str to Measurement
        By column, the lowest selection rate over the highest (two classes).
    tradeoffs : tuple of Tradeoff
    proxies : tuple of Proxy
    """

    groups: tuple[GroupRates, ...]
    ratios: Mapping[str, Measurement] = field(default_factory=dict)
    tradeoffs: tuple[Tradeoff, ...] = ()
    proxies: tuple[Proxy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How much one score moves when only the seed of the training changes.

    Parameters
    ----------
    metric : str
    scores : tuple of float
        The model's own first.
    mean : float
    spread, spread_low, spread_high : float
        Standard deviation over the seeds, with its 95 % interval.
    least_difference : float
        Two single trainings that differ by less are not to be told apart by their score.
    """

    metric: str
    scores: tuple[float, ...]
    mean: float
    spread: float
    spread_low: float
    spread_high: float
    least_difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything measured on the sealed test set.

    Parameters
    ----------
    headline : str
        Name of the metric that leads: ``roc_auc`` or ``average_precision`` (binary), ``log_loss`` (multiclass),
        ``rmse`` (regression).
    metrics : mapping of str to Measurement
    baselines : tuple of Baseline
    decision : Decision or None
    confusion : Confusion or None
    calibration : tuple of CalibrationBin
    slices : tuple of Slice
        Groups to show, worst gap first; how many there are is told by `groups`.
    importances : tuple of Importance
        Largest first.
    random_split : Measurement or None
        The headline under a random split, shown beside the honest one and named as flattering.
    beats_baseline : bool
        Whether the headline's paired interval against the naive baseline excludes "no better".
    roc, precision_recall : tuple of (float, float)
        Up to 200 points each (binary).
    residuals : tuple of (float, float)
        Up to 500 (true, predicted) pairs, sampled by quantile (regression).
    notes : tuple of str
        Plain sentences about limits ("only 41 positives: intervals are wide").
    against_baseline : Measurement or None
        The paired difference between model and naive baseline in the headline, behind `beats_baseline`.
    operating_points : mapping of str to Measurement
        ``recall_at_precision_0.9`` and ``precision_at_recall_0.9`` for 0.01 to 0.99 (binary), for criteria.
    groups : tuple of Slice
        Every group that was looked at, of which `slices` shows the worst.
    gain, profit : tuple of (float, float)
        Share of rows acted on, most probable first, against the share of cases caught, and against the saving per row where
        there are costs (binary).
    kept : Kept or None
        Whether ranges or sets hold what they promise.
    abstain : tuple of AbstainPoint
        What leaving the least sure answers to a person buys (classification).
    sizes : tuple of SizeBin
        Errors by the size of the prediction (regression).
    looks : int
        How often these sealed rows have been judged on, this time included; intervals are widened for it.
    fairness : Fairness or None
        How the answers fall on protected groups; None where no column is protected.
    stability : Stability or None
        How much the headline moves with the training seed; None where no time was left to train again.
    """

    headline: str
    metrics: Mapping[str, Measurement]
    baselines: tuple[Baseline, ...]
    decision: Decision | None = None
    confusion: Confusion | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    slices: tuple[Slice, ...] = ()
    importances: tuple[Importance, ...] = ()
    random_split: Measurement | None = None
    beats_baseline: bool = True
    roc: tuple[tuple[float, float], ...] = ()
    precision_recall: tuple[tuple[float, float], ...] = ()
    residuals: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    against_baseline: Measurement | None = None
    operating_points: Mapping[str, Measurement] = field(default_factory=dict)
    groups: tuple[Slice, ...] = ()
    gain: tuple[tuple[float, float], ...] = ()
    profit: tuple[tuple[float, float], ...] = ()
    kept: Kept | None = None
    abstain: tuple[AbstainPoint, ...] = ()
    sizes: tuple[SizeBin, ...] = ()
    looks: int = 1
    fairness: Fairness | None = None
    stability: Stability | None = None

    @property
    def every_slice(self) -> tuple[Slice, ...]:
        """Every group that was looked at; where only those to show are known, these."""
        return self.groups or self.slices


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """One criterion and whether the candidate meets it."""

    criterion: str
    passed: bool
    measured: float | None
    required: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """All criteria together."""

    passed: bool
    verdicts: tuple[GateVerdict, ...]
