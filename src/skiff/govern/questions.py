"""Who is provider, deployer or processor, and in which risk class a use falls: a short dated questionnaire.

The rules are a reading of Regulation (EU) 2024/1689 as amended by (EU) 2026/1744, and of Regulation (EU) 2016/679. What comes out is
where to look, not legal advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from skiff.core.errors import SkiffError

RULES = "2026-11-23"
"""The day on which the rules below were last compared with public sources; kept with every answer."""

ASK = "govern.ask"
RiskClass: TypeAlias = Literal["prohibited", "high", "transparency", "minimal", "outside", "open"]

SETTLES: Mapping[str, tuple[str, ...]] = {
    "eu": ("AIA-2",),
    "name": ("AIA-3.3",),
    "user": ("AIA-3.4",),
    "personal": ("GDPR-28",),
    "prohibited": ("AIA-5",),
    "product": ("AIA-6.1",),
    "area": ("AIA-6.2",),
    "narrow": ("AIA-6.3",),
    "talks": ("AIA-50.1",),
}
"""Which provisions an answer says something about: it stands there as what a person stated."""

AREAS: Mapping[str, str] = {
    "none": "none of these",
    "biometrics": "biometrics",
    "infrastructure": "critical infrastructure",
    "education": "education and training",
    "employment": "employment, worker management",
    "services": "essential services: benefits, credit scoring, life and health insurance",
    "police": "law enforcement",
    "migration": "migration, asylum, border",
    "justice": "justice and democratic processes",
}
"""Annex III of the AI Act, points 1 to 8."""

YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with the answers it takes."""

    key: str
    text: str
    choices: tuple[str, ...]
    why: str


QUESTIONS: tuple[Question, ...] = (
    Question(
        key="eu",
        text="Is the model, or what it answers, used in the European Union?",
        choices=YES_NO,
        why="AI Act Art. 2",
    ),
    Question(
        key="name",
        text="Whose name does the model carry when it is put to use?",
        choices=("mine", "client"),
        why="AI Act Art. 3(3)",
    ),
    Question(
        key="user",
        text="Who uses it under their own authority?",
        choices=("me", "client", "both"),
        why="AI Act Art. 3(4)",
    ),
    Question(
        key="personal",
        text="Is there data about people in it, and whose instructions do you follow?",
        choices=("client", "mine", "none"),
        why="GDPR Art. 4(7), 4(8), 28",
    ),
    Question(
        key="prohibited",
        text="Does it manipulate, exploit weakness, score social behaviour, predict crime by profile, scrape faces, read emotions at work or school, "
        "sort people by biometrics, or make intimate or abusive images?",
        choices=YES_NO,
        why="AI Act Art. 5",
    ),
    Question(
        key="product",
        text="Is it a safety part of a product that a third party must assess?",
        choices=YES_NO,
        why="AI Act Art. 6(1), Annex I",
    ),
    Question(
        key="area",
        text="Is it used in one of the areas of Annex III?",
        choices=tuple(AREAS),
        why="AI Act Art. 6(2), Annex III",
    ),
    Question(key="profiling", text="Does it rate or sort single people?", choices=YES_NO, why="AI Act Art. 6(3)"),
    Question(
        key="narrow",
        text="Is it only a narrow or preparing step that decides nothing?",
        choices=YES_NO,
        why="AI Act Art. 6(3)",
    ),
    Question(
        key="talks",
        text="Does it talk with people, or make text, sound or pictures?",
        choices=YES_NO,
        why="AI Act Art. 50",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a project stands by its answers.

    Parameters
    ----------
    risk : str
    roles : tuple of str
        Yours: provider, deployer, processor, controller.
    reasons : tuple of str
        Each with the article it rests on.
    applies_from : str
        When the duties of the class begin; empty where there are none.
    open_questions : tuple of str
        Keys that nobody answered.
    rules : str
        Date of the rules that were used.
    """

    risk: RiskClass
    roles: tuple[str, ...]
    reasons: tuple[str, ...]
    applies_from: str = ""
    open_questions: tuple[str, ...] = ()
    rules: str = RULES


def refuse_answers(answers: Mapping[str, str]) -> None:
    """Refuse an answer that a question does not take.

    Raises
    ------
    SkiffError
        ``answer_unknown``.
    """
    for question in QUESTIONS:
        given = answers.get(question.key)
        if given is not None and given not in question.choices:
            raise SkiffError(
                "answer_unknown",
                what=f"'{given}' is no answer to the question '{question.key}'.",
                where={"question": question.key},
                fix=f"Choose one of: {', '.join(question.choices)}.",
            )


def find_position(answers: Mapping[str, str]) -> Position:
    """Return roles and risk class from answers; what nobody answered leaves the class open where it matters.

    Examples
    --------
    >>> find_position({"eu": "yes", "name": "client", "user": "client", "personal": "client", "prohibited": "no", "product": "no",
    ...                "area": "services", "profiling": "yes", "narrow": "no", "talks": "no"}).risk
    'high'
    """
    refuse_answers(answers)
    risk, reason, start = _find_risk(answers)
    roles, why = _find_roles(answers)
    missing = tuple(question.key for question in QUESTIONS if question.key not in answers)
    return Position(risk=risk, roles=roles, reasons=(reason, *why), applies_from=start, open_questions=missing)


def _find_risk(answers: Mapping[str, str]) -> tuple[RiskClass, str, str]:  # noqa: PLR0911  one return for each class
    if answers.get("eu") == "no":
        return "outside", "Neither the model nor its answers are used in the Union (AI Act Art. 2).", ""
    if answers.get("prohibited") == "yes":
        return "prohibited", "One of the practices of Art. 5 was named: ask a lawyer before going on.", "2025-02-02"
    if answers.get("product") == "yes":
        return "high", "It is a safety part of a product under Annex I (Art. 6(1)).", "2028-08-02"
    area = answers.get("area", "")
    if area not in {"", "none"}:
        if answers.get("profiling") == "no" and answers.get("narrow") == "yes":
            reason = f"It is in an area of Annex III ({AREAS[area]}) but only a narrow step: write the reason down and register (Art. 6(3), 6(4))."
            return ("transparency" if answers.get("talks") == "yes" else "minimal"), reason, "2027-12-02"
        return "high", f"It is used in an area of Annex III: {AREAS[area]} (Art. 6(2)).", "2027-12-02"
    if any(key not in answers for key in ("eu", "prohibited", "product", "area", "talks")):
        return "open", "Not enough was answered to name a risk class.", ""
    if answers["talks"] == "yes":
        return "transparency", "It talks with people or makes content: they are told (Art. 50).", "2026-08-02"
    return "minimal", "None of the listed uses was named: no duties of its own beyond Art. 4 (Art. 95).", "2026-07-27"


def _find_roles(answers: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    roles, why = [], []
    if answers.get("name") == "mine":
        roles.append("provider")
        why.append("It carries your name, so you are the provider (AI Act Art. 3(3)).")
    elif answers.get("name") == "client":
        why.append(
            "It carries the client's name: the client is the provider, and you their supplier (AI Act Art. 3(3), 25(4))."
        )
    if answers.get("user") in {"me", "both"}:
        roles.append("deployer")
        why.append("You use it under your own authority, so you are a deployer (AI Act Art. 3(4)).")
    if answers.get("personal") == "client":
        roles.append("processor")
        why.append(
            "You work on data about people on the client's instructions: a processor with a written contract (GDPR Art. 28)."
        )
    elif answers.get("personal") == "mine":
        roles.append("controller")
        why.append("You decide why data about people is used: a controller (GDPR Art. 4(7)).")
    return tuple(roles), tuple(why)


def keep_known(answers: Mapping[str, object]) -> dict[str, str]:
    """Return the answers that today's questions take: those of an older Skiff may be worded otherwise, and count as not given."""
    return {
        question.key: str(answers[question.key])
        for question in QUESTIONS
        if answers.get(question.key) in question.choices
    }
