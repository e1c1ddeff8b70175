"""A row that breaks what was confirmed about the data goes to a person; what was only proposed does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.serve.conftest import build_model, start

from skiff.data.contract.rules import Contract, Rule
from skiff.flows.predict import predict_file
from skiff.store.workspace import Workspace

RULES = (
    Rule(kind="minimum", columns=("price",), low=0.0, n=400, status="confirmed"),
    Rule(kind="maximum", columns=("lead_days",), high=365.0, n=400),
)


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace whose release carries a contract."""
    place = tmp_path_factory.mktemp("agreed") / "bookings"
    contract = Contract(name="bookings", columns=("lead_days", "price", "channel"), rows=400, rules=RULES)
    manifest = {
        "task": {"kind": "binary", "target": "cancelled", "classes": ["no", "yes"], "positive": "yes"},
        "classes": ["no", "yes"],
        "metrics": {},
        "contract": contract.as_json(),
    }
    with Workspace.open(place, create=True) as workspace:
        workspace.releases.publish(
            {"model.onnx": build_model()}, manifest=manifest, dataset_sha="0" * 64, run_id=None, promote=True
        )
    return place


def test_a_served_row_says_what_it_breaks(agreed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bookings"
    shutil.copytree(agreed, folder)
    served = start(folder)
    try:
        rows = [
            {"lead_days": 1.0, "price": 100.0, "channel": "web"},
            {"lead_days": 1.0, "price": -5.0, "channel": "web"},
            {"lead_days": 900.0, "price": 100.0, "channel": "web"},
        ]
        status, answer = served.predict(rows)
    finally:
        served.process.kill()
        served.process.wait()
    assert status == 200
    good, broken, proposed = answer["predictions"]
    assert broken["decision"] == "review"
    assert broken["breaks"] == ["'price' is never negative"] or "price" in broken["breaks"][0]
    assert "-5" not in str(broken["breaks"])
    assert "breaks" not in good
    assert "breaks" not in proposed


def test_rows_of_a_file_are_held_against_it_too(agreed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bookings"
    shutil.copytree(agreed, folder)
    table = tmp_path / "new.csv"
    table.write_text("lead_days,price,channel\n1,100,web\n1,-5,web\n", encoding="utf-8")
    outcome = predict_file(folder, table)
    assert outcome.frame["skiff_decision"].to_list()[1] == "review"
