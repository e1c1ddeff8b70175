"""A server of an encrypted workspace answers as before, logs nothing that can be read, and needs what opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skiff.core.settings import Settings
from skiff.flows import encryption
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.unlock import open_box

from .conftest import ROW, Served, wait_until

WORD = "Featherstonehaugh"


@pytest.fixture
def locked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the workspace, encrypted by a key file."""
    monkeypatch.setenv("SKIFF_KEY_FILE", str(tmp_path / "bookings.key"))
    encryption.encrypt(folder, tell=[].append)
    return folder


@pytest.mark.parametrize("workers", ["1", "2"])
def test_answers_are_those_of_the_plain_workspace_and_the_log_is_closed(
    folder: Path, launch: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    plain = launch()
    _, before = plain.predict()
    plain.stop()
    monkeypatch.setenv("SKIFF_KEY_FILE", str(tmp_path / "bookings.key"))
    encryption.encrypt(folder, tell=[].append)
    served = launch("--workers", workers)
    status, body = served.predict([{**ROW, "channel": WORD}], key="B-77", subject=WORD)
    assert status == 200
    _, after = served.predict()
    [first], [second] = before["predictions"], after["predictions"]
    assert {**first, "id": ""} == {**second, "id": ""}
    told = {"outcomes": [{"key": "B-77", "value": "yes"}]}
    assert served.ask("POST", "/outcomes", told)[0] == 200
    wait_until(lambda: any((folder / ".skiff" / "predictions").iterdir()))
    kept = b"".join(path.read_bytes() for path in (folder / ".skiff").rglob("*") if path.is_file())
    assert WORD.encode() not in kept
    assert b"lead_days" not in kept
    assert served.stop() == 0
    with PredictionReader(open_store(folder / ".skiff", box=open_box(folder, Settings()))) as reader:
        frame = reader.read_window()
    assert frame.filter(frame["key"] == "B-77").select("subject", "in.channel", "outcome").rows() == [
        (WORD, WORD, "yes")
    ]
    assert len(body["predictions"]) == 1


def test_a_server_without_the_key_does_not_start(
    locked: Path, launch: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKIFF_KEY_FILE")
    with pytest.raises(AssertionError, match="nothing was given to open it with"):
        launch()
    del locked
