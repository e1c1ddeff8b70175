"""What a person answered once, remembered in ``skiff.toml``: which columns are known in time and which are not."""

from __future__ import annotations

from pathlib import Path

from skiff.core.settings import Settings
from skiff.flows.prepare import Question
from skiff.store.settings import update_task


def remember_answers(folder: Path, settings: Settings, question: Question) -> bool:
    """Write what was answered into the workspace's ``skiff.toml`` and return whether it changed.

    The columns to keep and to drop always; the question itself (target, time, group, positive, protected) where the file does
    not ask one yet, so that ``skiff train`` and the next ``skiff run`` need not be told again.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the file has a form that cannot be changed safely.
    """
    asked: dict[str, str | list[str] | None] = {}
    if settings.task.target is None:
        asked = {
            "target": question.target,
            "time": question.time,
            "group": question.group,
            "positive": question.positive,
            "protected": list(question.protected),
        }
    elif question.keep == settings.task.keep and question.drop == settings.task.drop:
        return False
    return update_task(folder, {**asked, "keep": list(question.keep), "drop": list(question.drop)})
