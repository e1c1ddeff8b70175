"""The whole journey on a small table."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.bookings import build_bookings

import skiff
from skiff.core.errors import SkiffError
from skiff.flows.comparison import compare_releases, write_comparison
from skiff.flows.conclude import RunOutcome
from skiff.flows.predict import predict_file
from skiff.flows.prepare import Question, prepare
from skiff.flows.read import read_table
from skiff.flows.run import run
from skiff.flows.steps import evaluate_in_workspace
from skiff.flows.whatif import ask_row
from skiff.flows.wishes import Wishes
from skiff.flows.workspace import Workspace


def test_leak_and_identifier_are_left_out_and_the_honest_signal_is_found(finished: tuple[RunOutcome, Path]) -> None:
    outcome, _ = finished
    left_out = {item.column: item.code for item in outcome.story.left_out}
    assert left_out["refund"].startswith("leakage.")
    assert left_out["booking"] == "leakage.identifier"
    assert set(left_out) == {"refund", "booking"}
    assert outcome.story.evaluation is not None
    auc = outcome.story.evaluation.metrics["roc_auc"]
    assert auc.low is not None
    assert auc.high is not None
    assert auc.low < auc.value < auc.high < 0.95
    assert auc.baseline == pytest.approx(0.5)


def test_release_holds_what_the_design_names_and_answers_now(finished: tuple[RunOutcome, Path]) -> None:
    outcome, folder = finished
    assert outcome.is_yes
    assert outcome.is_champion
    place = folder / ".skiff" / "releases" / "0001"
    names = {path.name for path in place.iterdir()}
    assert {"model.onnx", "manifest.json", "reference.json", "card.md", "datasheet.json", "evidence.jsonl"} <= names
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["number"] == 1
    assert manifest["parity"]["is_equal"] is True
    assert manifest["parity"]["max_abs_diff"] <= 1e-9
    assert manifest["gate"]["passed"] is True


def test_result_has_the_fixed_shape(finished: tuple[RunOutcome, Path]) -> None:
    outcome, _ = finished
    result = json.loads(msgspec.json.encode(outcome.result))
    wanted = {
        "workspace",
        "dataset",
        "task",
        "split",
        "left_out",
        "model",
        "metrics",
        "gate",
        "release",
        "files",
        "cost",
    }
    assert wanted <= set(result)
    assert {"value", "low", "high", "n", "baseline"} <= set(result["metrics"]["roc_auc"])
    assert {"number", "path", "onnx_bytes", "parity_max_abs_diff", "latency_us"} <= set(result["release"])
    assert {"wall_s", "cpu_s", "peak_rss_mb"} <= set(result["cost"])


def test_every_number_names_a_ledger_record_that_exists(finished: tuple[RunOutcome, Path]) -> None:
    outcome, folder = finished
    with Workspace.open(folder) as workspace:
        known = {record.id for record in workspace.ledger}
        assert workspace.verify_ledger().ok
    assert set(outcome.story.evidence.values()) <= known
    assert {"dataset", "check", "split", "train", "evaluate", "gate", "release"} <= set(outcome.story.evidence)


def test_report_is_one_file_without_scripts_or_network(finished: tuple[RunOutcome, Path]) -> None:
    outcome, _ = finished
    page = Path(outcome.files["report_html"]).read_text()
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "cancel" in page


def test_loaded_model_answers_like_the_release(finished: tuple[RunOutcome, Path], bookings: Path) -> None:
    _, folder = finished
    model = skiff.load(folder / ".skiff" / "releases" / "0001")
    frame = pl.read_csv(bookings)
    chances = model.predict_proba(frame)
    assert chances.shape == (frame.height, 2)
    assert model.classes_.tolist() == ["no", "yes"]
    row = model.predict_row(frame.row(0, named=True))
    assert row.probabilities is not None
    assert row.probabilities["yes"] == pytest.approx(chances[0, 1], abs=1e-12)
    np.testing.assert_array_equal(model.predict(frame.to_pandas()), model.predict(frame))
    np.testing.assert_array_equal(model.predict(frame.to_arrow()), model.predict(frame))
    assert "roc_auc" in model.measurements


def test_same_run_again_gives_the_same_release(tmp_path: Path) -> None:
    folder, bookings = tmp_path / "again", tmp_path / "bookings.csv"
    build_bookings(400).write_csv(bookings)  # few enough that everything is tried within the budget
    first = run(bookings, Wishes(target="cancelled", budget_s=120.0), folder=folder)
    second = run(bookings, Wishes(target="cancelled", budget_s=120.0), folder=folder)
    assert first.story.release is not None
    assert second.story.release is not None
    assert second.story.release.sha256 == first.story.release.sha256
    assert second.story.release.number == first.story.release.number == 1
    assert second.story.split.looks == 2


def test_noise_is_called_noise_and_the_report_is_still_written(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "noise.csv"
    pl.DataFrame(
        {"x": random.normal(size=400), "y": random.normal(size=400), "won": random.integers(0, 2, 400)}
    ).write_csv(path)
    outcome = run(path, Wishes(target="won", budget_s=2.0), folder=tmp_path / "noise")
    assert not outcome.is_yes
    assert outcome.story.release is None or outcome.story.release.number is None
    assert Path(outcome.files["report_html"]).exists()


def test_what_training_noticed_stands_in_the_report_and_the_card(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    n_rows = 1_500
    price = random.normal(size=n_rows)
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2024, 12, 31), eager=True).head(n_rows)
    pl.DataFrame({"day": days, "price": price, "sold": (price + random.normal(size=n_rows) > 0).astype(int)}).write_csv(
        tmp_path / "sales.csv"
    )
    outcome = run(tmp_path / "sales.csv", Wishes(target="sold", time="day", budget_s=4.0), folder=tmp_path / "sales")
    assert outcome.story.evaluation is not None
    [promise] = [
        note for note in outcome.story.evaluation.notes if note.startswith("On later rows expect a log loss between")
    ]
    assert promise in html.unescape(Path(outcome.files["report_html"]).read_text(encoding="utf-8"))
    assert promise in Path(outcome.files["card"]).read_text(encoding="utf-8")


def test_criterion_in_settings_blocks_release(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "skiff.toml").write_text('[criteria]\nrequire = ["roc_auc >= 0.999"]\n')
    outcome = run(bookings, Wishes(target="cancelled", budget_s=2.0), folder=folder)
    assert not outcome.is_yes
    assert not (folder / ".skiff" / "releases" / "0001").exists()


def test_wrong_column_names_the_closest_and_makes_nothing(bookings: Path, tmp_path: Path) -> None:
    with pytest.raises(SkiffError) as caught:
        run(bookings, Wishes(target="canceled"), folder=tmp_path / "none")
    assert caught.value.code == "column_not_found"
    assert "cancelled" in caught.value.fix
    assert not (tmp_path / "none").exists()


def test_criterion_with_a_typo_is_refused_before_any_work(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "typo"
    folder.mkdir()
    (folder / "skiff.toml").write_text('[criteria]\nrequire = ["rocauc >= 0.7"]\n')
    with pytest.raises(SkiffError) as caught:
        run(bookings, Wishes(target="cancelled"), folder=folder)
    assert caught.value.code == "bad_criterion"
    assert not (folder / ".skiff").exists()


def test_half_of_the_costs_is_refused_before_any_work(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "skiff.toml").write_text("[costs]\nfalse_negative = 80.0\n")
    with pytest.raises(SkiffError) as caught:
        run(bookings, Wishes(target="cancelled"), folder=folder)
    assert caught.value.code == "costs_incomplete"
    assert not (folder / ".skiff").exists()


def test_the_ledger_holds_the_costs_behind_a_saving(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "priced"
    folder.mkdir()
    (folder / "skiff.toml").write_text("[costs]\nfalse_positive = 5.0\nfalse_negative = 80.0\nrows_per_month = 400.0\n")
    outcome = run(bookings, Wishes(target="cancelled", budget_s=1.0), folder=folder)
    with Workspace.open(folder) as workspace:
        record = next(item for item in workspace.ledger if item.id == outcome.story.evidence["evaluate"])
    decided = record.result["decision"]
    assert decided["costs"]["false_negative"] == decided["mean_costs"]["false_negative"] == 80.0
    assert decided["costs"]["rows_per_month"] == 400.0
    assert "flagging" in decided["saving"]
    assert outcome.story.evaluation is not None
    assert outcome.story.evaluation.decision is not None
    assert decided["reason"] == outcome.story.evaluation.decision.reason


@pytest.mark.parametrize("dropped", [("price", "city"), ()])
def test_a_table_with_nothing_to_learn_from_is_refused_before_anything_is_made(
    tmp_path: Path, dropped: tuple[str, ...]
) -> None:
    table = pl.DataFrame({"price": range(60), "city": ["Bonn", "Graz", "Bern"] * 20, "paid": ["yes", "no"] * 30})
    path = tmp_path / "orders.csv"
    (table if dropped else table.select("paid")).write_csv(path)
    with pytest.raises(SkiffError) as caught:
        run(path, Wishes(target="paid", drop=dropped), folder=tmp_path / "orders")
    assert caught.value.code == "no_usable_columns"
    assert caught.value.where["file"] == "orders.csv"
    assert all(name in caught.value.what for name in dropped)
    assert not (tmp_path / "orders").exists()


@pytest.mark.parametrize(("keep", "drop"), [((), ("cancelled",)), (("price",), ("price",))])
def test_a_column_cannot_be_two_things_at_once(
    bookings: Path, tmp_path: Path, keep: tuple[str, ...], drop: tuple[str, ...]
) -> None:
    with pytest.raises(SkiffError) as caught:
        run(bookings, Wishes(target="cancelled", keep=keep, drop=drop), folder=tmp_path / "none")
    assert caught.value.code == "column_used_twice"
    assert drop[0] in caught.value.what
    assert not (tmp_path / "none").exists()


def test_words_for_yes_and_no_come_back_as_they_stand_in_the_file(
    finished: tuple[RunOutcome, Path], tmp_path: Path
) -> None:
    _, folder = finished
    rows = build_bookings(40).drop("cancelled", "refund").with_columns(keen=pl.Series(["Ja", "Nein"] * 20))
    spelled = rows.with_columns(pl.col("breakfast").replace({"yes": "OUI", "no": "Non"}))
    for name, table in (("plain", rows), ("spelled", spelled)):
        table.write_csv(tmp_path / f"{name}.csv")
        predict_file(folder, tmp_path / f"{name}.csv", output=tmp_path / f"{name}_out.csv", is_logged=False)
    plain, odd = (pl.read_csv(tmp_path / f"{name}_out.csv") for name in ("plain", "spelled"))
    assert plain["breakfast"].to_list() == rows["breakfast"].to_list()
    assert odd["breakfast"].to_list() == spelled["breakfast"].to_list()
    assert odd["keen"].to_list() == rows["keen"].to_list()
    assert plain["skiff_probability"].to_list() == odd["skiff_probability"].to_list()


def test_one_row_is_explained_with_its_label_and_a_bad_what_if_names_no_row(
    finished: tuple[RunOutcome, Path], bookings: Path
) -> None:
    _, folder = finished
    told = ask_row(folder, bookings, row=12, changes={})
    assert told.sentences[0].startswith("The answer is “")
    assert "from a chance of" in told.sentences[0]
    assert not any("e+" in sentence or ": -" in sentence for sentence in told.sentences)
    assert any(
        sentence.startswith("If ") and (" higher" in sentence or " lower" in sentence) for sentence in told.sentences
    )
    with pytest.raises(SkiffError) as caught:
        ask_row(folder, bookings, row=12, changes={"lead_days": "abc"})
    assert "Row" not in caught.value.what
    assert "'lead_days' (--what-if)" in caught.value.what


def test_judging_stops_before_the_sealed_rows_are_looked_at_where_a_criterion_cannot_be_met(
    finished: tuple[RunOutcome, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished[1], tmp_path / "bookings"))
    settings = (folder / "skiff.toml").read_text()
    asked = '[criteria]\nrequire = ["worst_group_gap(recall, chanel) <= 0.2"]\n'
    (folder / "skiff.toml").write_text(asked + settings.replace("[criteria]\n", "", 1))
    with Workspace.open(folder) as workspace:
        before = [record.id for record in workspace.ledger]
    with pytest.raises(SkiffError) as caught:
        evaluate_in_workspace(folder)
    assert caught.value.code == "bad_criterion"
    with Workspace.open(folder) as workspace:
        assert [record.id for record in workspace.ledger] == before


@pytest.mark.parametrize(("time", "kind"), [(None, "group"), ("day", "time")])
def test_a_group_that_was_asked_for_beats_a_time_that_was_only_found(time: str | None, kind: str) -> None:
    random = np.random.default_rng(5)
    table = pl.DataFrame(
        {
            "day": [dt.date(2020, 1, 1) + dt.timedelta(days=row) for row in range(900)],
            "owner": [f"owner {row % 60}" for row in range(900)],
            "size": random.normal(size=900),
            "price": random.normal(size=900),
        }
    )
    made = prepare(read_table(table), Question(target="price", group="owner", time=time))
    assert (made.task.time, made.split.kind) == ("day", kind)
    assert any(finding.code == "leakage.group" for finding in made.findings) is (kind == "time")


def test_the_record_of_judging_holds_every_number_that_cites_it(finished: tuple[RunOutcome, Path]) -> None:
    outcome, folder = finished
    story = outcome.story
    evaluation = story.evaluation
    assert evaluation is not None
    with Workspace.open(folder) as workspace:
        records = {record.id: record.result for record in workspace.ledger}
    told: Any = records[story.evidence["evaluate"]]  # a JSON document
    small = sum(item.is_too_small for item in evaluation.groups)
    assert told["groups"] == {
        "looked_at": len(evaluation.groups),
        "compared": len(evaluation.groups) - small,
        "worse": sum(item.is_worse for item in evaluation.groups),
        "too_small": small,
    }
    assert evaluation.kept is not None
    assert evaluation.kept.size is not None
    assert told["kept"]["coverage"]["value"] == pytest.approx(evaluation.kept.coverage.value, rel=1e-5)
    assert told["kept"]["size"]["value"] == pytest.approx(evaluation.kept.size.value, rel=1e-5)
    assert told["decision"]["threshold"] == story.evaluation.decision.threshold  # type: ignore[union-attr]
    assert len(told["calibration"]) == len(evaluation.calibration) > 0
    assert set(told["importances"]) == {item.column for item in evaluation.importances} != set()
    for item in evaluation.importances:
        assert told["importances"][item.column]["value"] == pytest.approx(item.drop.value, rel=1e-5)
    assert len(told["abstain"]) == len(evaluation.abstain) > 0
    assert told["confusion"]["counts"] == [list(row) for row in evaluation.confusion.counts]  # type: ignore[union-attr]
    assert story.release is not None
    released = records[story.evidence["release"]]
    assert released["parity_rows"] == story.release.parity_rows
    assert released["onnx_bytes"] == story.release.onnx_bytes


def test_what_a_sentence_cites_of_judging_is_in_its_record(finished: tuple[RunOutcome, Path]) -> None:
    outcome, folder = finished
    page = Path(outcome.files["report_html"]).read_text()
    record = outcome.story.evidence["evaluate"]
    with Workspace.open(folder) as workspace:
        (found,) = [one.result for one in workspace.ledger if one.id == record]
    known = list(_list_numbers({**found, "rows": outcome.story.split.test_rows}))
    cited = re.findall(rf"<(p|li|h2)(?: [^>]*)?>((?:(?!</\1>).)*?)<sup><a[^>]*: {record}\"", page, flags=re.DOTALL)
    assert len(cited) > 5
    for _, sentence in cited:
        words = re.sub(r"[\u2066-\u2069]|(?<=\d),(?=\d\d\d)", "", html.unescape(re.sub("<[^>]+>", " ", sentence)))
        for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)", re.sub("“[^”]*”|95 %", "", words)):
            assert _is_known(number, known), f"{number} in: {words.strip()}"


def _list_numbers(found: Any) -> Iterator[float]:  # a JSON document
    if isinstance(found, bool) or found is None:
        return
    if isinstance(found, (int, float)):
        yield abs(float(found))
    elif isinstance(found, str):
        yield from (float(number) for number in re.findall(r"\d+(?:\.\d+)?", found))
    else:
        for part in found.values() if isinstance(found, dict) else found:
            yield from _list_numbers(part)
        if isinstance(found, list):
            yield float(len(found))


BASES = (10, 100, 1000)
"""What shares are counted out of."""


def _is_known(number: str, known: list[float]) -> bool:
    """Look for a printed number: as it is, out of 10, 100 or 1,000, or as one in so many."""
    value, half = float(number), 0.51 * 10.0 ** -len(number.partition(".")[2])
    if value in BASES:
        return True
    shown = (*known, *(base * one for base in BASES for one in known), *(1 / one for one in known if one))
    return any(abs(one - value) <= max(half, 0.005 * value) for one in shown)


def test_other_sealed_rows_are_told_and_a_comparison_is_a_look_on_record(
    finished: tuple[RunOutcome, Path], bookings: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bookings"
    shutil.copytree(finished[1], folder)
    again = run(bookings, Wishes(target="cancelled", budget_s=1.0, seed=1), folder=folder)
    assert again.story.split.looks == 1
    assert again.story.split.other_sealed == 1
    assert "1 other set of rows was judged on before" in Path(again.files["report_html"]).read_text()
    assert again.story.release is not None
    assert again.story.release.number == 2
    found = write_comparison(folder, 1, 2, compare_releases(folder, 1, 2))
    assert found.paired is not None
    with Workspace.open(folder) as workspace:
        (noted,) = [record for record in workspace.ledger if record.action == "compare"]
        (judged,) = [record for record in workspace.ledger if record.id == again.story.evidence["evaluate"]]
    assert judged.result["other_sealed"] == 1
    assert noted.id == found.paired.evidence
    assert noted.result["look"] == found.paired.looks == 2
    assert noted.result["releases"] == [1, 2]
    page = Path(str(found.report)).read_text()
    assert f"This look is on record as {noted.id}." in page
    assert "Better is" in page
    assert "size of the file" in page
    assert "time for one answer" in page
    assert "roc_auc" not in page
    assert [row.better for row in found.rows if row.metric == "log_loss"] == ["lower"]
