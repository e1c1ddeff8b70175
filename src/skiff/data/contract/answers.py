"""What a person says of a contract: this is so, this is not so, and this is so although the data did not show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skiff.core.errors import SkiffError
from skiff.data.contract.rules import Contract, Rule, Status
from skiff.data.contract.say import list_sentences


def answer_sentences(contract: Contract, numbers: Sequence[int], *, status: Status) -> Contract:
    """Return the contract with sentences confirmed or rejected.

    Parameters
    ----------
    contract : Contract
    numbers : sequence of int
        As `list_sentences(contract.rules)` counts them; empty for all that are still only proposed.
    status : {"confirmed", "rejected", "proposed"}

    Raises
    ------
    SkiffError
        ``sentence_not_found``.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("price",), rows=80, rules=(
    ...     Rule(kind="minimum", columns=("price",), low=0.0, n=80), Rule(kind="present", columns=("price",), n=80)))
    >>> [rule.status for rule in answer_sentences(agreed, [1], status="confirmed").rules]
    ['confirmed', 'proposed']
    """
    sentences = {sentence.number: sentence for sentence in list_sentences(contract.rules)}
    unknown = [number for number in numbers if number not in sentences]
    if unknown:
        raise SkiffError(
            "sentence_not_found",
            what=f"The contract has no sentence {', '.join(str(number) for number in unknown)}.",
            where={"contract": contract.name},
            fix=f"Its sentences are numbered 1 to {len(sentences)}: skiff data contract show",
        )
    chosen = numbers or [number for number, item in sentences.items() if item.status == "proposed"]
    keys = {rule.key for number in chosen for rule in sentences[number].rules}
    return replace(
        contract, rules=tuple(replace(rule, status=status) if rule.key in keys else rule for rule in contract.rules)
    )


def state_rules(contract: Contract, rules: Sequence[Rule]) -> Contract:
    """Return the contract with rules that a person gave: they replace what was learned of the same, and are confirmed.

    Raises
    ------
    SkiffError
        ``column_not_found`` where a rule is about a column that the contract does not know.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("price",), rows=80, rules=())
    >>> state_rules(agreed, [Rule(kind="maximum", columns=("price",), high=900.0)]).rules[0].status
    'confirmed'
    """
    for name in (name for rule in rules for name in rule.columns):
        if name not in contract.columns:
            raise SkiffError.column_not_found(name, columns=contract.columns)
    stated = {rule.key: replace(rule, status="confirmed", is_stated=True) for rule in rules}
    kept = [stated.pop(rule.key, rule) for rule in contract.rules]
    return replace(contract, rules=(*kept, *stated.values()))


def build_rules(
    column: str,
    *,
    low: float | None = None,
    high: float | None = None,
    levels: Sequence[str] = (),
    filled: bool = False,
    unique: bool = False,
    above: str | None = None,
) -> tuple[Rule, ...]:
    """Return what a person says of one column as rules.

    Raises
    ------
    SkiffError
        ``nothing_stated`` where nothing is said, or the limits exclude everything.

    Examples
    --------
    >>> [rule.kind for rule in build_rules("price", low=0.0, filled=True)]
    ['minimum', 'missing']
    """
    rules: list[Rule] = []
    if low is not None:
        rules.append(Rule(kind="minimum", columns=(column,), low=low))
    if high is not None:
        rules.append(Rule(kind="maximum", columns=(column,), high=high))
    if levels:
        rules.append(Rule(kind="levels", columns=(column,), levels=tuple(levels)))
    if filled:
        rules.append(Rule(kind="missing", columns=(column,)))
    if unique:
        rules.append(Rule(kind="unique", columns=(column,)))
    if above is not None:
        rules.append(Rule(kind="order", columns=(column, above)))
    if not rules or (low is not None and high is not None and low > high):
        raise SkiffError(
            "nothing_stated",
            what=f"Nothing that could hold was said of '{column}'.",
            where={"column": column},
            fix="For example:  skiff data contract state price --min 0 --max 5000 --filled",
        )
    return tuple(rules)
