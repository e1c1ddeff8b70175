"""``skiff pii``: report, copies, key, answers; and no network."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from skiff.cli.main import run_command_line
from skiff.data.personal.kinds import PersonalAnswers
from skiff.flows.pii import list_unanswered, remember_personal, scan_file, treat_file
from skiff.store.settings import read_settings

GUESTS = "guest,mail,phone,age,sex,city,stars\n" + "".join(
    f"{name},g{row}@example.org,+39 02 12345{row:02d},{20 + row},{'fm'[row % 2]},Rome,{row % 5}\n"
    for row, name in enumerate(["Ada Rossi", "Bo Svensson", "Anna Kowalska", "Jean Dupont", "Eva Novak"] * 4)
)


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    path = tmp_path / "guests.csv"
    path.write_text(GUESTS, encoding="utf-8")
    return path


def _run(*arguments: str, folder: Path, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-m", "skiff", "pii", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120, env=os.environ,
    )  # fmt: skip


def test_a_scan_says_what_each_column_is_and_writes_nothing(guests: Path, tmp_path: Path) -> None:
    outcome = scan_file(guests, folder=tmp_path, sensitive="stars").outcome
    assert {column.column: column.type for column in outcome.personal} == {
        "guest": "PERSON", "mail": "EMAIL", "phone": "PHONE", "age": "DEMOGRAPHIC", "sex": "DEMOGRAPHIC", "city": "CITY",
    }  # fmt: skip
    assert outcome.before is not None
    assert outcome.before.k == 1
    assert {finding.code for finding in outcome.findings} == {"privacy.direct_identifier", "privacy.quasi_identifier"}
    assert list(tmp_path.iterdir()) == [guests]


def test_two_tables_of_a_workspace_can_be_joined_by_their_tokens_until_the_key_is_rotated(
    guests: Path, tmp_path: Path
) -> None:
    other = tmp_path / "calls.csv"
    other.write_text(
        "client,minutes,mail\nADA  ROSSI,3,G0@example.org\nZoe Blank,4,z@example.org\nEva Novak,1,e@example.org\n",
        encoding="utf-8",
    )
    made = []
    for number, (source, rotate) in enumerate([(guests, False), (other, False), (other, True)]):
        out = tmp_path / f"out{number}.csv"
        scan = scan_file(source, folder=tmp_path)
        outcome = treat_file(scan, out, treatment="pseudonymise", folder=tmp_path, rotate=rotate)
        assert outcome.still_direct == ()
        made.append(pl.read_csv(out))
    assert made[0]["guest"][0] == made[1]["client"][0]
    assert made[0]["mail"][0] == made[1]["mail"][0]
    assert made[1]["client"][0] != made[2]["client"][0]
    key = tmp_path / ".skiff" / "keys" / "personal.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_size == 32


def test_answers_are_remembered_and_nobody_is_asked_twice(guests: Path, tmp_path: Path) -> None:
    scan = scan_file(guests, folder=tmp_path)
    assert "guest" in {column.column for column in list_unanswered(scan.outcome, tmp_path)}
    assert remember_personal(tmp_path, PersonalAnswers(yes=("stars",), no=("guest",)))
    again = scan_file(guests, folder=tmp_path).outcome
    assert {"guest"} & {column.column for column in again.personal} == set()
    assert "stars" in {column.column for column in again.personal}
    assert remember_personal(tmp_path, PersonalAnswers(yes=("guest",)))
    assert read_settings(tmp_path).privacy.not_personal == ()


@pytest.mark.usefixtures("guests")
def test_the_command_prints_one_object_and_a_masked_copy_holds_nobody(tmp_path: Path) -> None:
    done = _run("guests.csv", "--mask", "-o", "safe.csv", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert {column["risk"] for column in told["result"]["columns"]} == {"direct", "quasi", "none"}
    assert (
        told["result"]["reidentification"]["after"]["n_unique"]
        < told["result"]["reidentification"]["before"]["n_unique"]
    )
    text = (tmp_path / "safe.csv").read_text(encoding="utf-8")
    assert not any(cell in text for cell in ("Rossi", "example.org", "+39"))
    assert "Rossi" not in done.stdout


@pytest.mark.usefixtures("guests")
def test_misuse_is_said_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    copy = ["-o", "x.csv"]
    wrong = [
        ["--mask"],
        copy,
        ["--mask", "--pseudonymise", *copy],
        ["--mask", "-o", "x.xlsx"],
        ["--sensitive", "no"],
        ["--rotate"],
    ]
    for arguments in wrong:
        assert run_command_line(["pii", "guests.csv", *arguments]) == 2
        assert "Traceback" not in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["guests.csv"]


@pytest.mark.usefixtures("guests")
def test_a_scan_needs_no_network(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    prefix = (unshare or "", "--map-root-user", "--net")
    if unshare is None or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespaces here")
    done = _run("guests.csv", "--json", folder=tmp_path, prefix=prefix)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["rows"] == 20
