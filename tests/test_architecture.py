"""What the import linter cannot see: purity of the rooms, late imports, a light start."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "skiff"
ROOMS = ("core", "data", "evaluate", "train", "deploy", "monitor", "secure", "govern")

HEAVY = ("polars", "numpy", "sklearn", "lightgbm", "onnxruntime", "onnx", "sqlalchemy", "starlette", "scipy", "rich")
"""Libraries that starting must not load (design §3)."""

IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
IMPURE_ATTRIBUTES = {
    "now", "utcnow", "today", "monotonic", "perf_counter", "default_rng_unseeded",
    "read_csv", "read_parquet", "read_json", "read_ndjson", "read_excel", "read_ipc", "read_database",
    "scan_csv", "scan_parquet", "scan_ndjson", "write_csv", "write_parquet", "write_json", "write_ndjson", "write_ipc",
    "sink_parquet", "sink_csv", "to_csv", "to_parquet",
}  # fmt: skip

MAY_IMPORT_LATE = {
    "__init__.py": "the package root looks names up on demand",
    "__main__.py": "the door imports the command line when it is called",
    "connect/databases.py": "SQLAlchemy costs a third of a second and is needed only by those who read a database",
    "core/optional.py": "the door for optional parts",
    "flows/check.py": "what judges a table is loaded while the table is read",
    "flows/look_over.py": "the catalog needs SQLAlchemy, a third of a second, and only a workspace has one",
    "serve/review.py": "the queue lives in the catalog, whose SQLAlchemy a server needs only once somebody reviews",
    "store/bundle_check.py": "it is handed over as a program of its own, which works without NumPy and onnxruntime too",
    "store/unlock.py": "the library of ciphers takes a twentieth of a second, and only encrypted workspaces need it",
    "store/tombstones.py": "the library of ciphers, as in store/unlock.py",
    "store/catalog.py": "Alembic costs as much as all the rest and is needed only where the schema is old",
}
LATE_FOLDERS = {"cli": "commands import what they need when they are called, so that starting stays cheap"}

HELP_TIMES_INTERPRETER = 6.0
"""`skiff --help` may take this many times a bare interpreter, measured in the same run (issue: ≤ 6 ×)."""


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text())


def _rooms() -> Iterator[tuple[str, ast.Module]]:
    return ((name, tree) for name, tree in _modules() if name.split("/")[0] in ROOMS)


def test_rooms_touch_no_disk_console_clock_or_unseeded_chance() -> None:
    broken = []
    for name, tree in _rooms():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
                broken.append(f"{name}:{node.lineno} calls {node.func.id}()")
            if isinstance(node.func, ast.Attribute):
                is_unseeded = node.func.attr == "default_rng" and not node.args and not node.keywords
                if node.func.attr in IMPURE_ATTRIBUTES or is_unseeded:
                    broken.append(f"{name}:{node.lineno} calls .{node.func.attr}()")
    assert broken == []


def test_imports_inside_functions_only_where_they_keep_the_start_cheap() -> None:
    broken = []
    for name, tree in _modules():
        if name in MAY_IMPORT_LATE or name.split("/")[0] in LATE_FOLDERS:
            continue
        for function in ast.walk(tree):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = [node for node in ast.walk(function) if isinstance(node, (ast.Import, ast.ImportFrom))]
                broken += [f"{name}:{node.lineno} imports inside {function.name}()" for node in inner]
    assert broken == []


def test_nothing_that_runs_when_loaded_is_ever_imported() -> None:
    forbidden = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}
    broken = []
    for name, tree in _modules():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if (
                name != "connect/cluster.py"
            ):  # joblib sends our own functions to the user's own cluster; nothing is loaded from a file
                broken += [f"{name}: {found}" for found in names if found.split(".")[0] in forbidden]
    assert broken == []


def test_source_holds_no_assert_and_no_blanket_except() -> None:
    edge = {
        "cli/main.py": "the outermost edge of the terminal face",
        "serve/app.py": "the outermost edge of the HTTP face",
        "serve/lane.py": "the edge of the HTTP face where answers are waited for",
        "store/bundle_check.py": "the same, in the check that is handed over",
        "deploy/opening.py": "onnxruntime raises whatever its parser meets in a stranger's file",
    }
    broken = []
    for name, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                broken.append(f"{name}:{node.lineno} asserts")
            is_blanket = isinstance(node, ast.ExceptHandler) and (
                node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            )
            if is_blanket and name not in edge:
                broken.append(f"{name}:{node.lineno} catches everything")
    assert broken == []


@pytest.mark.parametrize("code", ["import skiff", "import skiff.cli.main"])
def test_starting_loads_no_heavy_library(code: str) -> None:
    probe = f"{code}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_a_model_imports_no_training_library() -> None:
    probe = (
        "import skiff; skiff.load; import sys\n"
        "print([m for m in ('sklearn', 'lightgbm', 'scipy', 'onnx', 'sqlalchemy', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_starts_within_six_bare_interpreters() -> None:
    def spend(*command: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        return time.perf_counter() - begin

    ours, bare = math.inf, math.inf
    for _ in range(30):  # a busy machine can only add to either, so the fastest of several is nearest to what they cost
        ours, bare = min(ours, spend("-m", "skiff", "--help")), min(bare, spend("-c", "pass"))
        if ours <= HELP_TIMES_INTERPRETER * bare:
            break
    assert ours <= HELP_TIMES_INTERPRETER * bare


def test_train_stays_a_function_after_the_folder_of_that_name_was_imported() -> None:
    code = (
        "import skiff; first = skiff.train; import skiff.flows.fit; import skiff.train.fit; from skiff import train; "
        "from skiff.train.fit import train_pipeline; "
        "assert skiff.train is first is train and callable(skiff.train) and callable(train_pipeline)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
