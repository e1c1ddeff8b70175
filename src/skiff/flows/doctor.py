"""Is this machine fit for the work: versions, memory, disk, and a tiny model compiled and answered."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skiff.core.pipeline import Calibration, Layers, Member, NumberEncoder, Pipeline
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.predictor import Predictor
from skiff.flows.retention import list_reminders
from skiff.govern.advisories import audit_packages
from skiff.store.advisories import read_advisories
from skiff.store.clock import now_utc
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.packages import list_packages
from skiff.store.workspace import Workspace

NEEDED_MEMORY_GB = 2.0
NEEDED_DISK_GB = 1.0
LIBRARIES = ("polars", "numpy", "scikit-learn", "lightgbm", "onnx", "onnxruntime", "sqlalchemy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that was looked at; `is_fine` is None where nobody could tell."""

    name: str
    is_fine: bool | None
    what: str
    fix: str = ""


def examine(
    advisories: Path | None = None, *, folder: Path | None = None, at: Callable[[], str] = now_utc
) -> tuple[Examination, ...]:
    """Return what was found on this machine.

    Parameters
    ----------
    advisories : Path, optional
        A copy of public advisories in OSV format, in which the installed packages are looked up.
    folder : Path, optional
        A workspace, in which reasons to keep a model may have ended.
    at : callable
        Gives the time.
    """
    kept = () if folder is None or not (folder / SKIFF_FOLDER).is_dir() else _examine_erasures(folder, now=at())
    return (*_examine(), _examine_packages(advisories, today=at()[:10]), *kept)


def _examine_erasures(folder: Path, *, now: str) -> Iterator[Examination]:
    with Workspace.open(folder) as workspace:
        kept, running = workspace.erasures.read().kept, workspace.erasures.read().running
        past = list_reminders(workspace, now=now)
    for item in past:
        yield Examination(name="Erasure", is_fine=False, what=item.sentence, fix="skiff erase --subject ID")
    if running:
        yield Examination(
            name="Erasure",
            is_fine=False,
            what=f"{len(running)} begun and not finished",
            fix="Run the same skiff erase again; it goes on where it stopped.",
        )
    if kept and not past:
        first = min(item.until for item in kept)
        yield Examination(
            name="Erasure",
            is_fine=True,
            what=f"{len(kept)} releases stay for a written reason, the first until {first}",
        )


def _examine() -> Iterator[Examination]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Examination(
        name="Python", is_fine=sys.version_info >= (3, 11), what=version, fix="Install Python 3.11 or newer."
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    yield Examination(name="Libraries", is_fine=True, what=versions)
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield Examination(
        name="Memory",
        is_fine=memory_gb >= NEEDED_MEMORY_GB,
        what=f"{memory_gb:.1f} GB",
        fix=f"Skiff works best with {NEEDED_MEMORY_GB:.0f} GB or more; large tables need more.",
    )
    free_gb = shutil.disk_usage(".").free / 1e9
    yield Examination(
        name="Disk",
        is_fine=free_gb >= NEEDED_DISK_GB,
        what=f"{free_gb:.1f} GB free here",
        fix="Free some space, or work in another folder with --workspace.",
    )
    yield _examine_folder()
    yield _examine_model()


def _examine_packages(advisories: Path | None, *, today: str) -> Examination:
    """Look up every package that Skiff stands on; what was not looked up is said to be so, never passed over."""
    packages = {package.name: package.version for package in list_packages()}
    records = None if advisories is None else read_advisories(advisories)
    found = audit_packages(packages, records, today=today)
    return Examination(
        name="Packages",
        is_fine=found.is_fine,
        what=found.describe(),
        fix="Update the packages named, or ask who answers for this machine."
        if found.is_fine is False
        else "Look them up in a copy of the OSV advisories for PyPI: skiff doctor --advisories FILE.zip",
    )


def _examine_folder() -> Examination:
    try:
        with tempfile.NamedTemporaryFile(dir="."):
            return Examination(name="Folder", is_fine=True, what="files can be written here")
    except OSError:
        fix = "Change to a folder that is yours, or use --workspace."
        return Examination(name="Folder", is_fine=False, what="no file can be written here", fix=fix)


def _examine_model() -> Examination:
    """Compile ``sigmoid(2 x)`` and compare its answer with the formula."""
    encoder = NumberEncoder(
        column="x", impute=0.0, is_log=False, low=-9.0, high=9.0, mean=0.0, scale=1.0, has_indicator=False
    )
    layers = Layers(weights=(np.array([[2.0]]),), biases=(np.zeros(1),))
    pipeline = Pipeline(
        kind="binary",
        inputs=(InputColumn(name="x", kind="number"),),
        encoders=(encoder,),
        members=(Member(name="check", view="linear", part=layers, link="logistic", weight=1.0),),
        calibration=Calibration(kind="none"),
        classes=("no", "yes"),
    )
    found = (Predictor(compile_pipeline(pipeline)).predict_row({"x": 1.0}).probabilities or {})["yes"]
    is_fine = abs(found - 1.0 / (1.0 + np.exp(-2.0))) < 1e-12  # noqa: PLR2004  double precision
    fix = "The installation of onnxruntime is damaged: install skiff-ml again in a fresh environment."
    return Examination(name="Model", is_fine=bool(is_fine), what="a model compiles and answers right", fix=fix)
