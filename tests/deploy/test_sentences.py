from __future__ import annotations

import pytest

from skiff.deploy.answers import Answer
from skiff.deploy.sentences import say_answer


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (0.9995, "over 99 in 100"),
        (0.00002, "less than 1 in 10,000"),
        (0.003, "3 in 1,000"),
        (0.0099, "1 in 100"),
        (0.994, "99 in 100"),
        (1.0, "100 in 100"),
        (0.0, "0 in 100"),
    ],
)
def test_no_chance_is_rounded_to_certainty(chance: float, said: str) -> None:
    sentence = say_answer(Answer(label="yes", probability=chance), kind="binary", positive="yes")[0]
    assert sentence == f"The chance of “yes” is {said}."
