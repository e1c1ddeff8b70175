"""Check a handover bundle: signature, hashes, ledger, and the model's answers.

    python verify.py handover.zip [--key FINGERPRINT] [--no-run] [--json]

Needs Python 3.8 or newer and nothing else. Where onnxruntime is installed the model is run on the golden rows too; nothing of
the bundle is written to the disk, and nothing in it is executed. Exit code 0: all is as it was signed; 1: something is not;
2: the file could not be read as a bundle.

This very file lies in every bundle as ``verify.py``. It imports nothing of Skiff, so that whoever receives a bundle can read it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
import zlib
from typing import IO, Any

FORMAT = 1
INDEX, SIGNATURE, LEDGER, MANIFEST, MODEL, GOLDEN = (
    "bundle.json", "signature.json", "ledger.jsonl", "manifest.json", "model.onnx", "golden.json",
)  # fmt: skip
MOST_FILES, MOST_BYTES, MOST_RATIO = 1000, 1 << 30, 1000
"""More than this is no handover: a bundle has some twenty files."""

GENESIS = "0" * 64
TOLERANCE = 1e-9
MISSING_DATE = -(2**62)

# ---- Ed25519 (RFC 8032, section 5.1), verification only --------------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)


def _recover_x(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _I % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _add(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    e = (a[1] - a[0]) * (b[1] - b[0]) % _P
    f = (a[1] + a[0]) * (b[1] + b[0]) % _P
    g = 2 * a[3] * b[3] * _D % _P
    h = 2 * a[2] * b[2] % _P
    m, n, o, p = f - e, h - g, h + g, f + e
    return (m * n % _P, o * p % _P, n * o % _P, m * p % _P)


def _multiply(factor: int, point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    made = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            made = _add(made, point)
        point = _add(point, point)
        factor >>= 1
    return made


def _decode_point(data: bytes) -> tuple[int, int, int, int] | None:
    if len(data) != 32:
        return None
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _recover_x(_BASE_Y, 0) or 0
_BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature is that of the key's owner over the message."""
    key, point = _decode_point(public), _decode_point(signature[:32])
    factor = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or point is None or factor >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    left, right = _multiply(factor, _BASE), _add(point, _multiply(int.from_bytes(digest, "little") % _L, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def fingerprint(public: bytes) -> str:
    """Return what two people compare: the first 32 hexadecimal digits of the key's SHA-256, in groups of four."""
    digest = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


# ---- the bundle ------------------------------------------------------------------------------------------------------------


class Refused(Exception):  # noqa: N818  what happened, in the word people read
    """The file is no bundle that may be opened."""


def read_bundle(source: str | IO[bytes]) -> dict[str, bytes]:
    """Return the files of a bundle by name, read into memory; nothing is written.

    Raises
    ------
    Refused
        Where it is no zip, or a name, a size or the number of files is not that of a bundle.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            _refuse_entries(entries)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        message = (
            "it is not a whole zip file" if not isinstance(error, OSError) else (error.strerror or "it cannot be read")
        )
        raise Refused(message) from error


def _refuse_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise Refused(f"it has {len(entries)} files, more than {MOST_FILES}")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise Refused("a name stands in it twice")
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        if (
            not name
            or name.startswith("/")
            or "\\" in name
            or ":" in name
            or "\0" in name
            or ".." in parts
            or "" in parts
        ):
            raise Refused(f"the name {name!r} leads out of the bundle")
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise Refused(f"{name} is a link, not a file")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"{name} is packed in an unusual way")
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if total > MOST_BYTES or total > MOST_RATIO * max(packed, 1):
        raise Refused("it would grow too large")


def check_bundle(files: dict[str, bytes], *, key: str = "", run: bool = True) -> list[dict[str, Any]]:
    """Return what was checked, in order: each with ``check``, ``ok`` (None: not checked) and ``what``."""
    notes = Notes()
    try:
        index = json.loads(files[INDEX])
        signature = json.loads(files[SIGNATURE])
        listed = {str(name): (str(item["sha256"]), int(item["bytes"])) for name, item in index["files"].items()}
        public = bytes.fromhex(signature["public_key"])
        signed = bytes.fromhex(signature["signature"])
        if int(index["format"]) > FORMAT:
            notes.add("index", "the bundle is of a newer format than this check understands", ok=False)
            return notes.found
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        notes.add("index", f"{INDEX} or {SIGNATURE} is missing or damaged", ok=False)
        return notes.found

    is_signed = verify_ed25519(public, files[INDEX], signed)
    owner = f"key {fingerprint(public)}"
    notes.add(
        "signature",
        f"{INDEX} is {'as' if is_signed else 'not what'} {owner} signed{' it' if is_signed else ''}",
        ok=is_signed,
    )
    if key:
        is_owner = key.replace(" ", "").lower() == fingerprint(public).replace(" ", "")
        notes.add(
            "key", f"signed by {'the key you named' if is_owner else 'another key'}: {fingerprint(public)}", ok=is_owner
        )
    else:
        notes.add("key", f"compare the key with what its owner tells you: {fingerprint(public)}", ok=None)
    _check_files(files, listed, notes)
    _check_ledger(files, str(index.get("ledger_head")), notes)
    _check_model(files, notes)
    if all(item["ok"] is not False for item in notes.found):  # a model that is not the signed one is never run
        _check_golden(files, notes, run=run)
    return notes.found


class Notes:
    """What was checked, in order."""

    def __init__(self) -> None:
        """Start empty."""
        self.found: list[dict[str, Any]] = []

    def add(self, check: str, what: str, *, ok: bool | None) -> None:
        """Add one line; `ok` is None where nothing was checked."""
        self.found.append({"check": check, "ok": ok, "what": what})


def _check_files(files: dict[str, bytes], listed: dict[str, tuple[str, int]], notes: Notes) -> None:
    added = sorted(set(files) - set(listed) - {INDEX, SIGNATURE})
    lacking = sorted(set(listed) - set(files))
    changed = sorted(
        name
        for name, (digest, size) in listed.items()
        if name in files and (hashlib.sha256(files[name]).hexdigest() != digest or len(files[name]) != size)
    )
    for name in added:
        notes.add("files", f"{name} was added after signing", ok=False)
    for name in lacking:
        notes.add("files", f"{name} is missing", ok=False)
    for name in changed:
        notes.add("files", f"{name} was changed after signing", ok=False)
    if not (added or lacking or changed):
        notes.add("files", f"all {len(listed)} files are as they were signed", ok=True)


def _check_ledger(files: dict[str, bytes], head: str, notes: Notes) -> None:
    if LEDGER not in files:
        return
    before, position = GENESIS, 0
    try:
        for position, line in enumerate(files[LEDGER].splitlines(), start=1):
            record = json.loads(line)
            body = {name: value for name, value in record.items() if name != "hash"}
            text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            if record["seq"] != position or record["prev"] != before:
                notes.add("ledger", f"record {position} does not follow the one before it", ok=False)
                return
            if hashlib.sha256(text.encode()).hexdigest() != record["hash"]:
                notes.add("ledger", f"record {position} was changed after it was written", ok=False)
                return
            before = record["hash"]
    except (ValueError, KeyError, TypeError, RecursionError):
        notes.add("ledger", f"record {position} cannot be read", ok=False)
        return
    if before != head:
        notes.add("ledger", "records were cut from its end", ok=False)
    else:
        notes.add("ledger", f"{position} records, each following the one before", ok=True)


def _check_model(files: dict[str, bytes], notes: Notes) -> None:
    try:
        wanted = str(json.loads(files[MANIFEST])["files"][MODEL]["sha256"])
    except (KeyError, ValueError, TypeError, RecursionError):
        notes.add("model", f"{MANIFEST} does not say which model it describes", ok=False)
        return
    same = MODEL in files and hashlib.sha256(files[MODEL]).hexdigest() == wanted
    notes.add("model", f"{MODEL} is {'' if same else 'not '}the one {MANIFEST} describes", ok=same)


def _check_golden(files: dict[str, bytes], notes: Notes, *, run: bool) -> None:
    if GOLDEN not in files or MODEL not in files:
        return
    if not run:
        notes.add("answers", "the model was not run", ok=None)
        return
    try:
        import numpy as np
        import onnxruntime
    except ImportError:
        notes.add("answers", "the model was not run: onnxruntime is not installed", ok=None)
        return
    try:
        golden = json.loads(files[GOLDEN])
        session = onnxruntime.InferenceSession(files[MODEL], providers=["CPUExecutionProvider"])
        tensors = [tensor.name for tensor in session.get_inputs()]
        feeds = {name: _build_tensor(np, column) for name, column in zip(tensors, golden["inputs"])}
        expected = golden["outputs"]
        worst = 0.0
        for name in [name for name in expected if name != "label"]:
            [answer] = session.run([name], feeds)
            wanted = np.array(expected[name], dtype=np.float64).reshape(answer.shape)
            worst = max(worst, float(np.abs(answer - wanted).max() / max(1.0, float(np.abs(wanted).max()))))
        labels = [str(label) for label in session.run(["label"], feeds)[0].ravel()] if "label" in expected else []
    except Exception as error:  # whatever a foreign file makes the runtime say
        notes.add("answers", f"the model could not be run on the golden rows ({type(error).__name__})", ok=False)
        return
    if labels != expected.get("label", []):
        notes.add("answers", "the model says other labels than it did when it was handed over", ok=False)
    elif worst > TOLERANCE:
        notes.add("answers", f"answers differ from those handed over by up to {worst:.1e}", ok=False)
    else:
        n_rows = len(golden["inputs"][0]["cells"])
        notes.add(
            "answers", f"{n_rows} golden rows have the expected answers (largest difference {worst:.0e})", ok=True
        )


def _build_tensor(np: Any, column: dict[str, Any]) -> Any:  # NumPy may be absent, so its types cannot be named
    cells = column["cells"]
    if column["kind"] in ("category", "text"):
        made = np.array([cell or "" for cell in cells], dtype=object)
    elif column["kind"] == "date":
        made = np.array([MISSING_DATE if cell is None else cell for cell in cells], dtype=np.int64)
    else:
        made = np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    return made.reshape(-1, 1)


def main(arguments: list[str] | None = None) -> int:
    """Check the bundle that the command line names, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description="Check a handover bundle.")
    parser.add_argument("bundle")
    parser.add_argument("--key", default="", help="fingerprint of the key you trust")
    parser.add_argument("--no-run", action="store_true", help="do not run the model")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        found = check_bundle(read_bundle(asked.bundle), key=asked.key, run=not asked.no_run)
    except Refused as error:
        print(json.dumps({"ok": False, "refused": str(error)}) if asked.json else f"Refused: {error}.")
        return 2
    is_whole = all(item["ok"] is not False for item in found)
    if asked.json:
        print(json.dumps({"ok": is_whole, "checks": found}, indent=1))
    else:
        for item in found:
            print({True: "ok ", False: "BAD", None: "-  "}[item["ok"]], item["what"])
        print("\nThe bundle is as it was signed." if is_whole else "\nDo not rely on this bundle.")
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
