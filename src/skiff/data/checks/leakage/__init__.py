"""The leak court: each suspect column is tried, with proof.

A leak is a column that knows the answer because it was filled in after it. One threshold on a score cannot tell a leak
from a good feature, so the court judges by the kind of evidence. Each family has a module: the target recoded
(`copies`), worked out from others (`derived`, `pairs`), nearly fixed by one column (`proxies`), a value rarely set but
always right (`purity`), blanks that tell (`missingness`), dates and columns from after the event (`events`), names and
numbers of rows (`identifiers`), texts that name the answer (`texts`), the same case, entity or time on both sides of the
split (`twins`, `groups`, `clock`).

The accused are heard against the rest of the table (`witness`): a model of the columns nobody accuses. What that model
knows as well is no secret, and an honest column is acquitted; what only the suspect knows, with a certainty honest columns
do not have, is proven. Then the court sits again without the guilty, because leaks hide behind each other (`court`).
"""

from skiff.data.checks.leakage.court import find_leakage

__all__ = ["find_leakage"]
