"""Bodies made to break a server, by hand and from the OpenAPI document: never a 5xx, never silence.

``SKIFF_MALFORMED`` makes it longer: `make soak` sends 10,000 bodies.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROW, Served

BODIES = int(os.environ.get("SKIFF_MALFORMED", "600"))
EXAMPLES = int(os.environ.get("SKIFF_SCHEMA_EXAMPLES", "15"))

CELLS = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5_000, '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', "null", "true",
    '""', "[]", "{}", '{"a":1}', "[[1]]", "0x10", "01", "+1", "1.", ".5", "'x'", '"' + "a" * 100_000 + '"', '"1e999"', '"inf"',
    '"nan"', "1e-400", "-0", "9007199254740993", '"2026-13-45"', "undefined", "1_000", '"\\x41"', "\x00", "\xff",
)  # fmt: skip


def make_body(chance: random.Random) -> bytes:
    """Return a body with something wrong, or at least odd, in it."""
    cells = {name: json.dumps(value) for name, value in ROW.items()}
    way = chance.randrange(12)
    if way < 5:
        cells[chance.choice(list(cells))] = chance.choice(CELLS)
    if way == 5:
        cells.pop(chance.choice(list(cells)))
    row = "{" + ",".join(f'"{name}":{cell}' for name, cell in cells.items()) + "}"
    if way == 6:
        row = row[:-1] + f',"{chance.choice(list(cells))}":1}}'
    body = f'{{"rows":[{",".join([row] * chance.choice([1, 1, 3, 200]))}]}}'
    if way == 7:
        depth = chance.choice([10, 1_000, 200_000])
        body = "[" * depth + "]" * depth
    if way == 8:
        body = body[: chance.randrange(len(body))]
    if way == 9:
        extra = chance.choice(['"key":1', '"key":[]', '"subject":["a","b"]', '"rows":[]', '"reasons":"yes"', '"x":0'])
        body = body[:-1] + f",{extra}}}"
    data = body.encode("utf-8", "surrogatepass") if "\xff" not in body else body.encode("latin-1", "replace")
    if way == 10:
        place = chance.randrange(len(data))
        data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    if way == 11:
        data = chance.randbytes(chance.choice([0, 1, 100, 10_000]))
    return data


def list_targets() -> Iterator[str]:
    while True:
        yield from ("/predict", "/predict", "/outcomes", "/v2/models/bookings/infer")


def read_memory_mb(served: Served) -> float:
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_no_body_breaks_the_server(shared: Served) -> None:
    chance = random.Random(3)
    seen: dict[int, int] = {}
    before = 0.0
    for number, target in zip(range(BODIES), list_targets(), strict=False):
        status, body, _ = shared.ask("POST", target, make_body(chance))
        seen[status] = seen.get(status, 0) + 1
        assert status < 500, (target, status)
        if status >= 400:
            parts = body if target.startswith("/v2") else body["error"]
            assert {"code", "what", "where", "fix"} <= set(parts)
        if number == BODIES // 4:
            before = read_memory_mb(shared)
    assert {200, 400, 422} <= set(seen)
    assert read_memory_mb(shared) - before < 60
    assert shared.predict()[0] == 200


def test_what_is_answered_is_never_built_on_nonsense(shared: Served) -> None:
    for cell in ("NaN", "Infinity", "1e999", '"inf"', '"-Infinity"', "[]", "{}"):
        body = f'{{"rows":[{{"lead_days":{cell},"price":1,"channel":"web"}}]}}'.encode()
        assert 400 <= shared.ask("POST", "/predict", body)[0] < 500


@pytest.mark.slow
def test_schemathesis_finds_nothing(shared: Served, tmp_path: Path) -> None:
    # A body with more rows than allowed is refused with 413, which schemathesis does not take for a refusal by itself.
    config = tmp_path / "schemathesis.toml"
    refusals = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]
    config.write_text(f"[checks.negative_data_rejection]\nexpected-statuses = {refusals}\n")
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        f"--config-file={config}",
        "run",
        f"http://127.0.0.1:{shared.port}/openapi.json",
        "--checks=all",
        f"--max-examples={EXAMPLES}",
        "--generation-database=none",
        "--seed=1",
        "--suppress-health-check=all",
        "--no-color",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=max(280, EXAMPLES * 10), check=False)
    assert done.returncode == 0, done.stdout[:3000] + done.stdout[-3000:]
