"""A new model takes over only where it is proven better, and gives the place back where it was not."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.deploy.predictor import Predictor
from skiff.flows import retrain as retraining
from skiff.flows.probation import judge_probation
from skiff.flows.retrain import retrain
from skiff.flows.run import run
from skiff.flows.wishes import Wishes
from skiff.serve.state import Source
from skiff.store.predictions.keeping import plan_keeping
from skiff.store.predictions.log import PredictionLog, open_store, to_micros
from skiff.store.predictions.records import Outcome, PredictionRow
from skiff.store.probation import Trial, note_trial, read_trial
from skiff.store.workspace import Workspace

BUDGET_S = 4.0


def build_stays(n_rows: int, *, seed: int, is_turned: bool = False) -> pl.DataFrame:
    """Return bookings; where the world has turned, an agency's guests no longer cancel and others do."""
    random = np.random.default_rng(seed)
    lead = random.gamma(2.0, 20.0, n_rows).round()
    channel = random.choice(["web", "phone", "agency"], n_rows, p=[0.5, 0.25, 0.25])
    risky = channel == ("web" if is_turned else "agency")
    score = -2.4 + 0.02 * lead + 2.5 * risky
    cancelled = random.random(n_rows) < 1 / (1 + np.exp(-score))
    return pl.DataFrame(
        {
            "lead_days": lead,
            "price": random.normal(120, 35, n_rows).round(2),
            "channel": channel,
            "cancelled": np.where(cancelled, "yes", "no"),
        }
    )


def log_stays(folder: Path, stays: pl.DataFrame, *, kept: Literal["all", "hashed"] = "all") -> None:
    """Answer stays with the champion, write the answers into the real log, and send the outcomes."""
    with Workspace.open(folder) as workspace:
        number = workspace.releases.champion()
        assert number is not None
        predictor = Predictor(workspace.releases.read_file(number, "model.onnx"))
    names = [column.name for column in predictor.signature.inputs]
    keep = plan_keeping(kept, names, hash_key=b"a key of sixteen" if kept == "hashed" else b"")
    answers = predictor.predict_columns(stays)
    at = to_micros(dt.datetime.now(tz=dt.UTC))
    with PredictionLog(open_store(folder / ".skiff"), clock=lambda: at) as log:
        rows = [
            PredictionRow(
                id=log.ids.make(at + place),
                at=at + place,
                release=number,
                role="champion",
                inputs=keep({name: cells[name] for name in names}),
                label=str(answers.labels[place]),
                value=float(answers.probabilities[place, 1]),
            )
            for place, cells in enumerate(stays.iter_rows(named=True))
        ]
        log.append(rows)
        truths = stays["cancelled"].to_list()
        report = log.add_outcomes([Outcome(id=row.id, value=truth) for row, truth in zip(rows, truths, strict=True)])
    assert report.count("new") == stays.height


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("client")
    build_stays(1_500, seed=1).write_csv(place / "stays.csv")
    run(place / "stays.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=place / "stays")
    return place / "stays"


@pytest.fixture
def served(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "stays"))


def _champion(folder: Path) -> int | None:
    with Workspace.open(folder) as workspace:
        return workspace.releases.champion()


@pytest.mark.slow
def test_a_world_that_turned_is_learned_released_and_promoted_with_every_reason_on_record(served: Path) -> None:
    log_stays(served, build_stays(1_400, seed=2, is_turned=True))
    made = retrain(served, if_needed=True, mode="automatic", budget_s=BUDGET_S)
    assert made.state == "promoted"
    assert {reason.code for reason in made.reasons} >= {"quality", "outcomes"}
    assert made.window == "recent"
    assert any("a world that is gone" in sentence for sentence in made.sentences)
    assert _champion(served) == made.challenger == 2
    assert read_trial(served / ".skiff", 2) == Trial(release=2, before=1)
    with Workspace.open(served) as workspace:
        actions = [record.action for record in workspace.ledger.records()]
        assert workspace.releases.read_file(1, "model.onnx")  # the old one stays at hand
    assert actions[-1] == "retrain.promoted"
    assert "retrain" in actions


@pytest.mark.slow
def test_cases_that_are_reported_twice_prove_nothing(served: Path) -> None:
    stays = build_stays(450, seed=3, is_turned=True)
    log_stays(served, stays)
    log_stays(served, stays)
    made = retrain(served, mode="automatic", budget_s=BUDGET_S)
    assert made.state == "lost"
    assert any("each case once" in sentence for sentence in made.sentences)
    assert _champion(served) == 1


def promote_second(folder: Path) -> None:
    """Leave release 2 on probation, as retraining does."""
    with Workspace.open(folder) as workspace:
        note_trial(folder / ".skiff", Trial(release=2, before=1))
        workspace.releases.promote(2)
        workspace.ledger.append(
            "retrain.promoted",
            subject="release 2",
            result={"champion": 1, "challenger": 2, "decision": []},
            at=dt.datetime.now(tz=dt.UTC).isoformat(),
        )


@pytest.mark.slow
def test_where_nothing_changed_the_champion_stays(served: Path) -> None:
    log_stays(served, build_stays(900, seed=3))
    (served / "reports").mkdir(exist_ok=True)
    (served / "reports/report.html").write_text("of the release that answers")
    made = retrain(served, mode="automatic", budget_s=BUDGET_S)
    assert made.state == "lost"
    assert (served / "reports/report.html").read_text() == "of the release that answers"
    assert any("not better by more than noise" in sentence for sentence in made.sentences)
    assert "not proven better than the release that answers" in (served / "reports/challenger-card.md").read_text()
    assert _champion(served) == 1


def test_without_a_reason_nothing_is_done_and_with_too_few_outcomes_it_is_refused(served: Path) -> None:
    log_stays(served, build_stays(60, seed=4))
    assert retrain(served, if_needed=True).state == "not_needed"
    with pytest.raises(SkiffError) as caught:
        retrain(served)
    assert caught.value.code == "too_few_outcomes"
    assert judge_probation(served).state == "none"


def test_settings_that_cannot_be_met_are_refused_before_a_challenger_is_trained(
    served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_stays(served, build_stays(700, seed=3))
    text = (served / "skiff.toml").read_text()
    asked = '[criteria]\nrequire = ["worst_group_gap(recall, chanel) <= 0.2"]\n'
    (served / "skiff.toml").write_text(text.replace("[criteria]\n", asked, 1))
    monkeypatch.setattr(retraining, "choose_window", lambda *_, **__: pytest.fail("trained first"))
    with Workspace.open(served) as workspace:
        before = [record.id for record in workspace.ledger.records()]
    with pytest.raises(SkiffError, match=r"Did you mean 'channel'\?") as caught:
        retrain(served, budget_s=BUDGET_S)
    assert caught.value.code == "bad_criterion"
    with Workspace.open(served) as workspace:
        assert [record.id for record in workspace.ledger.records()] == before


@pytest.mark.slow
def test_nothing_is_learned_from_hashes(served: Path) -> None:
    log_stays(served, build_stays(700, seed=3), kept="hashed")
    with pytest.raises(SkiffError) as caught:
        retrain(served, budget_s=BUDGET_S)
    assert caught.value.code == "inputs_not_kept"
    log_stays(served, build_stays(40, seed=4))
    with pytest.raises(SkiffError) as few:
        retrain(served, budget_s=BUDGET_S)
    assert few.value.code == "too_few_outcomes"


def test_a_promotion_that_was_wrong_is_taken_back(served: Path) -> None:
    build_stays(1_500, seed=9, is_turned=True).write_csv(served.parent / "turned.csv")
    second = run(served.parent / "turned.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=served)
    assert second.story.release is not None
    assert second.story.release.number == 2
    promote_second(served)
    log_stays(served, build_stays(200, seed=5))
    assert judge_probation(served).state == "waiting"
    log_stays(served, build_stays(300, seed=6))
    judged = judge_probation(served)
    assert judged.state == "taken_back"
    assert _champion(served) == 1
    assert read_trial(served / ".skiff", 2) is None
    assert judge_probation(served).state == "none"


@pytest.mark.slow
def test_a_promotion_whose_rows_the_release_before_cannot_read_stays_and_says_so(served: Path) -> None:
    build_stays(1_500, seed=9).drop("price").write_csv(served.parent / "fewer.csv")
    second = run(served.parent / "fewer.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=served)
    assert second.story.release is not None
    promote_second(served)
    log_stays(served, build_stays(500, seed=6))
    judged = judge_probation(served)
    assert judged.state == "kept"
    assert "release 1 also takes 'price'" in judged.sentence
    assert judge_probation(served).state == "none"


@pytest.mark.slow
def test_while_on_probation_the_log_keeps_what_the_release_before_takes(served: Path) -> None:
    turned = build_stays(1_500, seed=9, is_turned=True)
    turned.with_columns(pl.lit(120.0).alias("price")).write_csv(served.parent / "fewer.csv")  # of no use to the model
    second = run(served.parent / "fewer.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=served)
    assert second.story.release is not None
    promote_second(served)
    with Workspace.open(served) as workspace:
        settings = workspace.settings
    stays = build_stays(500, seed=6)
    source = Source(served, settings)
    desk = source.read().desk
    assert "price" not in desk.champion.columns
    at = to_micros(dt.datetime.now(tz=dt.UTC))
    with PredictionLog(open_store(served / ".skiff"), clock=lambda: at) as log:
        _, rows = desk.answer(stays.to_dicts(), keys=[None] * 500, subjects=[None] * 500)
        log.append(rows)
        told = zip(rows, stays["cancelled"].to_list(), strict=True)
        log.add_outcomes([Outcome(value=value, id=row.id) for row, value in told])
    judged = judge_probation(served)
    assert judged.state == "taken_back", judged.sentence  # the world had not turned
    assert _champion(served) == 1
    assert '"price"' in str(rows[0].inputs)
    with Workspace.open(served) as workspace:
        workspace.releases.promote(2)  # by hand: nothing to compare, nothing more than is needed is kept
    _, rows = source.read().desk.answer(stays.to_dicts(), keys=[None] * 500, subjects=[None] * 500)
    assert '"price"' not in str(rows[0].inputs)


@pytest.mark.slow
def test_a_retrain_that_is_killed_leaves_the_champion_serving(served: Path) -> None:
    log_stays(served, build_stays(900, seed=7, is_turned=True))
    for after in (1.5, 4.0):
        child = subprocess.Popen(
            [sys.executable, "-m", "skiff", "retrain", "-w", str(served), "--mode", "automatic", "--budget", "8s"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ.copy(),
        )
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert _champion(served) == 1
    with Workspace.open(served) as workspace:
        workspace.releases.verify(1)
        assert [record.number for record in workspace.releases.list()] == [1]
