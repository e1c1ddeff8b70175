"""Files through the same desk and log as requests."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from skiff.cli.console import LiveProgress
from skiff.flows import pieces
from skiff.flows.predict import Columns, predict_file
from skiff.flows.take_outcomes import OutcomeColumns, take_outcomes
from skiff.store import pieces as stored_pieces
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader


def build_file(path: Path, n_rows: int) -> Path:
    frame = pl.DataFrame(
        {
            "booking": [f"B-{number}" for number in range(n_rows)],
            "lead_days": [float(number % 90) for number in range(n_rows)],
            "price": [None if number % 7 == 0 else 80.5 + number % 50 for number in range(n_rows)],
            "channel": [("web", "phone", "agency")[number % 3] for number in range(n_rows)],
            "note": [f'said "{number}",\nthen left' for number in range(n_rows)],
        }
    )
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def read_log(folder: Path) -> pl.DataFrame:
    with PredictionReader(open_store(folder / ".skiff")) as reader:
        return reader.read_window()


def test_a_file_is_answered_logged_and_judged_by_key(folder: Path, tmp_path: Path) -> None:
    source = build_file(tmp_path / "new.csv", 300)
    outcome = predict_file(folder, source, output=tmp_path / "out.csv", columns=Columns(key="booking"))
    assert (outcome.rows, outcome.is_logged) == (300, True)
    assert outcome.reviews == (pl.read_csv(tmp_path / "out.csv")["skiff_decision"] == "review").sum()
    assert read_log(folder)["key"].to_list() == [f"B-{number}" for number in range(300)]
    truth = tmp_path / "truth.csv"
    truth.write_text(
        "booking,cancelled,when\nB-1,Yes,2026-03-01\nB-2,no,2026-03-02\nB-3,maybe,2026-03-02\nB-999,no,\n,no,\n"
    )
    columns = OutcomeColumns(key="booking", at="when")
    assert take_outcomes(folder, truth, columns=columns).counts == {
        "new": 2, "corrected": 0, "duplicate": 0, "unknown": 1, "refused": 1, "empty": 1,
    }  # fmt: skip
    again = take_outcomes(folder, truth, columns=columns)
    assert again.counts["duplicate"] == 2
    assert again.shown == {"refused": [3], "unknown": [4]}
    assert read_log(folder)["outcome"].drop_nulls().to_list() == ["yes", "no"]


def test_what_is_only_carried_along_keeps_its_words(folder: Path, tmp_path: Path) -> None:
    source = build_file(tmp_path / "in.csv", 6)
    pl.read_csv(source).with_columns(pl.Series("paid", ["yes", "no"] * 3)).write_csv(source)
    predict_file(folder, source, output=tmp_path / "out.csv", is_logged=False)
    assert pl.read_csv(tmp_path / "out.csv")["paid"].to_list() == ["yes", "no"] * 3


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_large_file_is_answered_in_pieces_as_if_it_were_whole(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    source = build_file(tmp_path / f"new{suffix}", 3_000)
    whole = predict_file(folder, source, is_logged=False).frame
    monkeypatch.setattr(stored_pieces, "STREAM_BYTES", 1_000)
    monkeypatch.setattr(stored_pieces, "HEAD_BYTES", 20_000)
    monkeypatch.setattr(stored_pieces, "PIECE_BYTES", 30_000)
    monkeypatch.setattr(stored_pieces, "PIECE_ROWS", 700)
    assert sum(1 for _ in pieces.read_pieces(source)) > 3
    output = tmp_path / f"out{suffix}"
    stream = io.StringIO()
    monkeypatch.setattr("skiff.cli.console.PLAIN_STEP_S", 0.0)
    with LiveProgress(stream, is_live=False) as progress:
        outcome = predict_file(folder, source, output=output, progress=progress)
    told = stream.getvalue().splitlines()
    assert told[0] == f"Answer: {source.name}"
    assert told[-1] == f"  {outcome.rows:,} rows answered"
    found = pl.read_csv(output) if suffix == ".csv" else pl.read_parquet(output)
    assert outcome.rows == found.height == 3_000
    assert found["skiff_probability"].to_list() == pytest.approx(whole["skiff_probability"].to_list(), abs=1e-12)
    assert found["note"].to_list() == whole["note"].to_list()
    assert read_log(folder).height == 3_000
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".skiff-tmp-")] == []


def test_commands_speak_to_people_and_programs(folder: Path, tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "skiff", *words, "-w", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    made = run("keys", "create", "--scope", "predict", "--name", "shop", "--expires", "90d")
    assert made.stdout.startswith("sk_")
    key_id = made.stdout.split("_")[1]
    assert made.stdout.strip() not in run("keys", "list", "--json").stdout
    assert run("keys", "revoke", key_id).returncode == 0
    assert "revoked" in run("keys", "list").stdout
    assert run("keys", "revoke", "nobody").returncode == 2
    predict_file(folder, build_file(tmp_path / "new.csv", 20), output=tmp_path / "out.csv")
    assert "20 predictions, 0 outcomes" in run("predictions", "count").stdout
    assert run("predictions", "export", "-o", str(tmp_path / "log.parquet")).returncode == 0
    assert pl.read_parquet(tmp_path / "log.parquet").height == 20
