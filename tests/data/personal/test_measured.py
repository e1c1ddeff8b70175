"""The figures that are promised, on the sets beside the repository: a guard against decay, not held-out evidence."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.benchmark import load_benchmark

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return load_benchmark("personal_data")


def test_columns_reach_what_is_promised(benchmark: ModuleType, shared_data: Path) -> None:
    if not (shared_data / "pii_columns").is_dir():
        pytest.skip("no set of columns here")
    found = benchmark.judge_columns(shared_data / "pii_columns", show_errors=True)
    assert found["f2"] >= 0.90
    assert found["false_positive_rate"] <= 0.06
    assert found["right_type"] >= 0.88


def test_texts_reach_what_is_promised(benchmark: ModuleType, shared_data: Path) -> None:
    file = shared_data / "pii" / "presidio_synthetic_visible.jsonl"
    if not file.is_file():
        pytest.skip("no set of texts here")
    found = benchmark.judge_texts(file)
    assert found["six_f2"] >= 0.95
    assert found["masked"] >= 0.85
    assert found["masking_precision"] >= 0.90
