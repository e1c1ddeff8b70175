"""What a person answered once, remembered in ``skiff.toml``: which columns are known in time and which are not."""

from __future__ import annotations

from pathlib import Path

from skiff.core.settings import Settings
from skiff.flows.prepare import Question
from skiff.store.settings import update_task


def remember_answers(folder: Path, settings: Settings, question: Question) -> bool:
    """Write the columns to keep and to drop into the workspace's ``skiff.toml`` and return whether it changed.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the file has a form that cannot be changed safely.
    """
    if question.keep == settings.task.keep and question.drop == settings.task.drop:
        return False
    return update_task(folder, {"keep": list(question.keep), "drop": list(question.drop)})
