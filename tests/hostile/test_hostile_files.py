"""Whatever a stranger sends: the right table or an error of four parts, in seconds, in little memory, nothing lost in silence."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile import CASES, CSV, Expected, cells, xlsx
from skiff.core.errors import SkiffError
from skiff.flows.read import read_table

MUTATIONS = int(os.environ.get("SKIFF_MUTATIONS", "150"))
MOST_S = 10.0
MOST_KIB = 1 << 20


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_hostile_file_gives_the_right_table_or_says_what_to_do(name: str, tmp_path: Path) -> None:
    make, expected = CASES[name]
    path = make(tmp_path)
    problem: tuple[object, ...] = ()
    held = forget_peak()
    began = time.process_time()
    try:
        read = read_table(path)
    except SkiffError as error:
        problem = (error.code, error.what, error.where, error.fix)
    if problem:
        assert problem[0] in expected.codes, (name, problem)
        assert all(problem), name
    else:
        assert expected.rows >= 0 or expected.told, f"{name} was read as {read.frame.shape}: {read.frame.head(3)}"
        if expected.rows >= 0:
            assert read.frame.height == expected.rows, (name, read.frame)
        if expected.columns:
            assert tuple(read.frame.columns) == expected.columns, name
        for row, column, value in expected.has:
            assert read.frame[column][row] == value, (name, column)
        codes = {finding.code for finding in read.findings}
        assert set(expected.told) <= codes, (name, codes)
    assert time.process_time() - began < MOST_S, name
    assert read_peak_kib() - held < MOST_KIB, f"{name} took the memory above 1 GiB"


def forget_peak() -> int:
    """Let the kernel count the peak of memory from here on (proc(5), clear_refs), and return what is held by other tests."""
    Path("/proc/self/clear_refs").write_text("5")
    return read_status_kib("VmRSS")


def read_peak_kib() -> int:
    """Return the peak of memory since then."""
    return read_status_kib("VmHWM")


def read_status_kib(name: str) -> int:
    """Return a line of proc(5) status."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(name)).split()[1])


def test_a_hundred_hostile_files_are_tried() -> None:
    assert len(CASES) >= 100
    assert isinstance(next(iter(CASES.values()))[1], Expected)


def test_flipped_bytes_never_end_in_a_traceback(tmp_path: Path) -> None:
    """Bytes of good files are changed, cut and doubled at random: a table or a `SkiffError`, nothing else."""
    rng = np.random.default_rng(7)
    seeds = [
        ("a.csv", (CSV * 2).encode()),
        ("b.csv", 'a;"b;c"\r\n1;"x\r\ny"\r\n2,5;z\r\n'.encode("utf-16")),
        ("c.csv", ("Größe;Datum;Preis\n" + "12;01.02.2024;1.234,50 €\n" * 20).encode("cp1252")),
        ("d.jsonl", b'{"a": 1, "b": "x"}\n' * 20),
        ("e.html", b"<table><tr><th>a<th>b</tr>" + b"<tr><td>1<td>x</tr>" * 10 + b"</table>"),
        ("f.xlsx", xlsx({"a": cells([["shop", "n"], *[[f"s{n}", n] for n in range(10)]])})),
    ]
    for turn in range(MUTATIONS):
        name, data = seeds[turn % len(seeds)]
        path = tmp_path / name
        path.write_bytes(mutate(data, rng))
        with contextlib.suppress(SkiffError):
            read_table(path)


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with a few bytes flipped, a piece left out, a piece doubled, or the end cut."""
    made = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        at, size = int(rng.integers(0, len(made))), int(rng.integers(1, 30))
        kind = int(rng.integers(0, 5))
        if kind == 0:
            made[at] = int(rng.integers(0, 256))
        elif kind == 1:
            del made[at : at + size]
        elif kind == 2:
            made[at:at] = made[at : at + size]
        elif kind == 3:
            made[at:at] = bytes(rng.choice([0, 9, 10, 13, 34, 44, 59, 239], size=3).astype(np.uint8))
        else:
            del made[max(at, len(made) // 2) :]
        if not made:
            return b"\n"
    return bytes(made)
