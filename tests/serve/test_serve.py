"""What a running server does: answers, the log, keys, versions, outcomes, metrics, pages."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from skiff.store.keys import KeyRing
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.workspace import Workspace

from .conftest import ROW, Served, wait_until


def read_log(folder: Path) -> pl.DataFrame:
    with PredictionReader(open_store(folder / ".skiff")) as reader:
        return reader.read_window()


def test_a_row_is_answered_logged_and_judged_later(served: Served) -> None:
    status, body = served.predict([ROW, {**ROW, "price": None}], key=["B-1", None], subject="ada")
    assert status == 200
    assert body["release"] == 1
    first, second = body["predictions"]
    assert first["label"] in {"yes", "no"}
    assert 0 < first["probability"] < 1
    assert first["decision"] in {"act", "review"}
    assert set(first["set"]) <= {"yes", "no"}
    told = served.ask(
        "POST", "/outcomes", {"outcomes": [{"key": "B-1", "value": "yes"}, {"id": "0" * 24, "value": "no"}]}
    )
    assert told[1] == {"new": 1, "corrected": 0, "duplicate": 0, "unknown": 1, "states": ["new", "unknown"]}
    frame = read_log(served.folder)
    assert frame["id"].to_list() == [first["id"], second["id"]]
    assert frame["outcome"].to_list() == ["yes", None]
    assert frame["subject"].to_list() == ["ada", "ada"]
    assert frame["value"].to_list() == [first["probability"], second["probability"]]
    assert frame["in.price"].to_list() == [120.5, None]
    assert frame["latency_us"].min() > 0  # type: ignore[operator]  # a column of whole numbers
    metrics = served.ask("GET", "/metrics")[1]
    for line in (b"skiff_predictions_total 2", b"skiff_outcomes_new_total 1", b"skiff_outcomes_unknown_total 1"):
        assert line in metrics
    assert served.stop() == 0
    log = served.log.read_text()
    assert "ada" not in log
    assert "120.5" not in log


def test_the_description_names_levels_and_says_what_each_field_is(served: Served) -> None:
    document = served.ask("GET", "/openapi.json")[1]
    schemas = document["components"]["schemas"]
    assert schemas["Row"]["properties"]["channel"]["description"].startswith("In training one of: web, phone, agency.")
    assert schemas["Row"]["properties"]["lead_days"]["description"].startswith("In training from 0 to 200.")
    assert schemas["Answered"]["properties"]["interval"]["description"].startswith("Where the true number lies")
    assert schemas["Answered"]["properties"]["id"]["description"].startswith("Name it when you report")
    assert not [name for name, schema in schemas.items() if "----" in schema.get("description", "")]
    assert served.ask("GET", "/docs/icon.svg")[0] == 200


def test_many_rows_get_the_same_answers_as_one_by_one(served: Served) -> None:
    rows = [{**ROW, "lead_days": float(number)} for number in range(300)]
    together = [item["probability"] for item in served.predict(rows)[1]["predictions"]]
    alone = [served.predict([row])[1]["predictions"][0]["probability"] for row in rows[::50]]
    assert together[::50] == pytest.approx(alone, abs=1e-12)
    assert served.predict([])[0] == 200


LONG = b'{"lead_days":1,"price":1,"channel":"web"},' * 2_000
"""Rows enough for a body to be read beside the event loop."""


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"rows":[{"lead_days":NaN}]}', 400, "json_malformed"),
        (b'{"rows":[{"lead_days":1e999,"price":1,"channel":"web"}]}', 422, "body_invalid"),
        (b'{"rows":[{"lead_days":"Infinity","price":1,"channel":"web"}]}', 422, "bad_value"),
        (b'{"rows":[{"lead_days":1,"price":1,"channel":"\\ud800"}]}', 400, "json_malformed"),
        (b'{"rows":[{"lead_days":1,"lead_days":2,"price":1,"channel":"web"}]}', 400, "json_malformed"),
        (b'{"rows":[{"lead_days":1,"price":1}]}', 422, "missing_column"),
        (b'{"rows":[{"lead_days":"soon","price":1,"channel":"web"}]}', 422, "bad_value"),
        (b'{"rows":[{"lead_days":"1_000","price":1,"channel":"web"}]}', 422, "bad_value"),
        (b'{"rows":[' + LONG + b'{"lead_days":"1_000","price":1,"channel":"web"}]}', 422, "bad_value"),
        (b'{"rows":[' + LONG + b'{"lead_days":1,"lead_days":2,"price":1,"channel":"web"}]}', 400, "json_malformed"),
        (b'{"rows":[' + LONG + b"]}", 400, "json_malformed"),
        (b'{"rows":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, "body_invalid"),
        (b'{"rows":[' + b'{"lead_days":1,"price":1,"channel":"web"},' * 10_000 + b"{}]}", 413, "too_many_rows"),
        (b"x" * 9_000_000, 413, "body_too_large"),
        (b"", 400, "json_malformed"),
        (b'{"rows":[],"more":1}', 422, "body_invalid"),
        (b'{"rows":[{"lead_days":1,"price":1,"channel":"web"}],"key":""}', 422, "body_invalid"),
    ],
)
def test_bad_bodies_get_the_four_parts(shared: Served, body: bytes, status: int, code: str) -> None:
    found = shared.ask("POST", "/predict", body)
    assert (found[0], found[1]["error"]["code"]) == (status, code)
    assert set(found[1]["error"]) == {"code", "what", "where", "fix"}


def test_types_methods_addresses_and_hosts_are_checked(shared: Served) -> None:
    def code(method: str, path: str, **headers: str) -> tuple[int, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        status, body, _ = shared.ask(method, path, b"{}" if method == "POST" else None, headers=given)
        return status, body["error"]["code"]

    for kind in ("application/pickle", "text/plain", "application/vnd.bentoml+pickle", "multipart/form-data"):
        assert code("POST", "/predict", Content_Type=kind) == (415, "content_type_not_supported")
    for origin in ("http://evil.example", "null", "http://localhost:1"):
        assert code("POST", "/predict", Origin=origin) == (403, "host_not_allowed")
    assert code("DELETE", "/predict") == (405, "method_not_allowed")
    assert code("TRACE", "/predict") == (405, "method_not_allowed")
    assert code("GET", "/../../etc/passwd") == (404, "route_not_found")
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        assert code("GET", "/health/live", Host=host) == (403, "host_not_allowed")
    assert shared.ask("GET", "/health/live", headers={"Host": "[::1]:80"})[0] == 200
    assert "access-control-allow-origin" not in shared.ask("GET", "/health/live")[2]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_what_is_no_proper_http_is_refused_and_closed(shared: Served, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 413", b"HTTP/1.1 431", b"HTTP/1.1 403"}
    assert shared.ask("GET", "/health/live")[0] == 200


@pytest.mark.parametrize("is_long", [False, True])
def test_pipelined_requests_are_answered_in_order(shared: Served, is_long: bool) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = b'{"rows":[' + (LONG if is_long else b"") + b'{"lead_days":1,"price":1,"channel":"web"}]}'
    two = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    last = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        connection.sendall(two + body + one + two + body + last)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    order = [answer.find(mark) for mark in (b'"predictions"', b'"live"', b'"ready"')]
    assert order == sorted(order)
    assert -1 not in order
    assert answer.count(b"HTTP/1.1 200") == 4


def test_keys_open_what_their_scopes_say_until_they_are_revoked(launch: Callable[..., Served], folder: Path) -> None:
    ring = KeyRing(folder / ".skiff")
    now = int(time.time())
    predict, secret = ring.create(name="shop", scopes=["predict"], now_s=now)
    _, admin = ring.create(name="boss", scopes=["admin"], now_s=now)
    _, late = ring.create(name="late", scopes=["predict"], now_s=now - 100, lifetime_s=50)
    assert (folder / ".skiff" / "keys" / "api_keys.json").stat().st_mode & 0o777 == 0o600
    assert secret not in (folder / ".skiff" / "keys" / "api_keys.json").read_text()
    served = launch("--workers", "2")

    def ask(key: str, method: str = "POST", path: str = "/predict") -> int:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return served.ask(method, path, {"rows": [ROW]} if method == "POST" else None, headers=headers)[0]

    assert ask("") == 401
    assert ask("nonsense") == 401
    assert ask(secret[:-1] + ("a" if secret[-1] != "a" else "b")) == 401
    assert ask(late) == 401
    assert ask(secret) == 200
    assert ask(secret, "GET", "/metrics") == 403
    assert ask(secret, "POST", "/outcomes") == 403
    assert ask(admin, "GET", "/metrics") == 200
    for path in ("/openapi.json", "/metrics", "/v2", "/v2/models/bookings"):
        assert ask("", "GET", path) == 401
    for path in ("/health/live", "/health/ready", "/docs", "/v2/health/live"):
        assert ask("", "GET", path) == 200
    ring.revoke(predict.id, now_s=now)
    time.sleep(1.0)
    assert {ask(secret) for _ in range(10)} == {401}  # few enough that one worker does not slow us as a guesser
    assert secret not in served.log.read_text()


def test_guessing_keys_is_slowed_and_a_right_key_still_opens(launch: Callable[..., Served], folder: Path) -> None:
    _, secret = KeyRing(folder / ".skiff").create(name="", scopes=["predict"], now_s=int(time.time()))
    served = launch()
    found = [served.ask("GET", "/v2", headers={"Authorization": "Bearer wrong"}) for _ in range(22)]
    assert [item[0] for item in found] == [401] * 20 + [429] * 2
    assert found[-1][2]["retry-after"] == "1"
    assert served.ask("GET", "/v2", headers={"Authorization": f"Bearer {secret}"})[0] == 200


def test_each_key_has_its_own_rate(launch: Callable[..., Served], folder: Path) -> None:
    ring = KeyRing(folder / ".skiff")
    keys = [ring.create(name="", scopes=["predict"], now_s=int(time.time()))[1] for _ in range(2)]
    (folder / "skiff.toml").write_text("[serving]\nrequests_per_second = 5\n")
    served = launch()
    statuses = [served.ask("GET", "/v2", headers={"Authorization": f"Bearer {keys[0]}"})[0] for _ in range(12)]
    assert 5 <= statuses.count(200) <= 8
    assert statuses.count(429) == 12 - statuses.count(200)
    assert served.ask("GET", "/v2", headers={"Authorization": f"Bearer {keys[1]}"})[0] == 200


def test_a_door_open_to_others_without_keys_is_refused(folder: Path) -> None:
    command = [sys.executable, "-m", "skiff", "serve", "-w", str(folder), "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "skiff keys create" in done.stderr


def test_promotion_and_rollback_take_effect_without_a_restart(served: Served) -> None:
    before = served.predict()[1]["predictions"][0]
    with Workspace.open(served.folder) as workspace:
        workspace.releases.promote(2)
        wait_until(lambda: served.predict()[1]["release"] == 2, seconds=5)
        assert served.predict()[1]["predictions"][0]["probability"] > before["probability"]
        workspace.releases.rollback()
    wait_until(lambda: served.predict()[1]["release"] == 1, seconds=5)


def test_a_challenger_listens_or_answers_a_sticky_share(launch: Callable[..., Served], folder: Path) -> None:
    (folder / "skiff.toml").write_text("[serving]\nchallenger = 2\ncontrol_share = 0.5\n")
    served = launch()
    ids = [item["id"] for item in served.predict([ROW] * 3)[1]["predictions"]]
    wait_until(lambda: read_log(folder).height == 6)
    frame = read_log(folder)
    shadows = frame.filter(pl.col("role") == "shadow")
    assert shadows["id"].to_list() == [f"{id_}s" for id_ in ids]
    assert shadows["release"].to_list() == [2] * 3
    (folder / "skiff.toml").write_text("[serving]\nchallenger = 2\nchallenger_share = 0.5\n")
    wait_until(lambda: "refreshed" in served.log.read_text())
    keys = [f"B-{number}" for number in range(60)]
    releases = [item["release"] for item in served.predict([ROW] * 60, key=keys)[1]["predictions"]]
    assert {1, 2} == set(releases)
    assert releases == [item["release"] for item in served.predict([ROW] * 60, key=keys)[1]["predictions"]]
    assert releases[:5] == [served.predict(key=key)[1]["predictions"][0]["release"] for key in keys[:5]]


def test_inputs_are_kept_only_as_the_settings_allow(launch: Callable[..., Served], folder: Path) -> None:
    (folder / "skiff.toml").write_text('[serving]\nkeep_inputs = ["lead_days"]\ncontrol_share = 0.4\n')
    served = launch()
    found = served.predict([ROW] * 200)[1]["predictions"]
    frame = read_log(folder)
    assert [name for name in frame.columns if name.startswith("in.")] == ["in.lead_days"]
    assert frame["is_control"].to_list() == [item.get("control", False) for item in found]
    assert 0.25 < frame["is_control"].mean() < 0.55  # type: ignore[operator]  # a column of yes and no


def test_several_workers_share_port_log_and_counters(launch: Callable[..., Served], folder: Path) -> None:
    served = launch("--workers", "2")
    for _ in range(60):
        assert served.predict()[0] == 200
    assert read_log(folder).height == 60
    assert b"skiff_predictions_total 60" in served.ask("GET", "/metrics")[1]
    assert served.stop() == 0


def test_a_killed_worker_is_replaced(launch: Callable[..., Served]) -> None:
    served = launch("--workers", "2")
    pids = [
        line.split('"process":')[1].rstrip("}") for line in served.log.read_text().splitlines() if '"ready"' in line
    ]
    subprocess.run(["kill", "-9", pids[0]], check=True)
    wait_until(lambda: served.log.read_text().count('"event":"ready"') == 3)
    assert served.predict()[0] == 200


def test_workers_end_with_the_process_that_watches_over_them(launch: Callable[..., Served]) -> None:
    served = launch("--workers", "2")
    served.process.kill()
    wait_until(lambda: served.log.read_text().count('"event":"stopped"') == 2)


def test_the_page_loads_nothing_from_elsewhere(shared: Served) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        status, body, headers = shared.ask("GET", path)
        assert status == 200
        assert b"http://" not in body
        assert b"https://" not in body
        assert "default-src 'self'" in headers["content-security-policy"]


def test_no_release_is_said_before_anything_starts(tmp_path: Path) -> None:
    Workspace.open(tmp_path / "empty", create=True).close()
    command = [sys.executable, "-m", "skiff", "serve", "-w", str(tmp_path / "empty"), "--port", "0", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert '"no_release"' in done.stdout


def test_two_servers_do_not_share_a_port_by_accident(shared: Served) -> None:
    command = [sys.executable, "-m", "skiff", "serve", "-w", str(shared.folder), "--port", str(shared.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr
