"""A contract as a JSON Schema of one row, for those who check elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from skiff.core.evidence import Json
from skiff.data.contract.rules import Contract, Rule, RuleKind
from skiff.data.contract.say import list_sentences

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = {"whole": "integer", "number": "number", "yes_no": "boolean", "date": "string", "time": "string"}
FORMATS = {"email": "email", "url": "uri", "uuid": "uuid"}
SIGN = {"A": r"[^\W\d_]", "9": r"\d"}
"""A letter and a digit in the regular expressions that ECMA 262 and Python share."""

SPECIAL = frozenset(".^$*+?()[]{}|\\/")


def build_schema(contract: Contract) -> dict[str, Json]:
    """Return the JSON Schema (draft 2020-12) of one row as an object.

    What JSON Schema cannot say (keys, orders, totals, the present) stands as sentences under ``x-skiff-rules``.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("price",), rows=80, rules=(
    ...     Rule(kind="type", columns=("price",), word="number"), Rule(kind="missing", columns=("price",)),
    ...     Rule(kind="minimum", columns=("price",), low=0.0)))
    >>> build_schema(agreed)["properties"]
    {'price': {'type': 'number', 'minimum': 0.0}}
    """
    rules = contract.in_force
    said = {"present", "type", "levels", "form", "minimum", "maximum", "scale"}
    others = [rule for rule in rules if rule.kind not in said and not (rule.kind == "missing" and not rule.high)]
    required: list[Json] = [rule.columns[0] for rule in rules if rule.kind == "present"]
    return {
        "$schema": DIALECT,
        "title": contract.name,
        "type": "object",
        "properties": {name: dict(_describe(name, rules)) for name in contract.columns},
        "required": required,
        "x-skiff-rules": [sentence.text for sentence in list_sentences(others)],
    }


def _describe(name: str, rules: tuple[Rule, ...]) -> Iterator[tuple[str, Json]]:
    own = {rule.kind: rule for rule in rules if rule.columns == (name,)}
    is_filled = "missing" in own and not own["missing"].high
    word = own["type"].word if "type" in own else ""
    kind = TYPES.get(word, "string") if word else ""
    if kind:
        yield "type", kind if is_filled else [kind, "null"]
    if word == "date":
        yield "format", "date"
    if kind in ("integer", "number"):
        yield from _describe_limits(own)
    if "levels" in own:
        yield "enum", [*own["levels"].levels, *([] if is_filled else [None])]
    if "form" in own:
        form = own["form"].word
        if form in FORMATS:
            yield "format", FORMATS[form]
        elif "9" in form:
            yield "pattern", f"^{''.join(SIGN.get(sign, _escape(sign)) for sign in form)}$"


def _describe_limits(own: Mapping[RuleKind, Rule]) -> Iterator[tuple[str, Json]]:
    lowest, highest = own.get("scale") or own.get("minimum"), own.get("scale") or own.get("maximum")
    if lowest is not None:
        yield "minimum", lowest.low
    if highest is not None:
        yield "maximum", highest.high


def _escape(sign: str) -> str:
    return f"\\{sign}" if sign in SPECIAL else sign
