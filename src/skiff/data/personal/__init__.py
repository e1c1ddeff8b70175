"""Personal data in tables and texts, found without a downloaded model and without a network.

Numbers prove themselves (`numbers`, `phones`), headers speak in many languages (`header_words`), names are known from lists or
by how they are written (`persons`, `names`), streets by their words (`addresses`), firms count against persons
(`organisations`). `columns` weighs them together with what else the table holds; `text` finds them in running text.

What no rule can see is said in ``docs/limits.md``: rare names under headers that say nothing, street addresses without a word
for a street. Therefore a person is asked, and the answer is kept (``[privacy]`` in ``skiff.toml``).
"""

from skiff.data.personal.columns import find_personal_columns
from skiff.data.personal.kinds import MEANINGS, RISKS, PersonalColumn, Risk, Span
from skiff.data.personal.text import find_spans

__all__ = ["MEANINGS", "RISKS", "PersonalColumn", "Risk", "Span", "find_personal_columns", "find_spans"]
