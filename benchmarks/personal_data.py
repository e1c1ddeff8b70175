"""How well personal data is found: columns (../shared/data/pii_columns) and texts (../shared/data/pii).

    python benchmarks/personal_data.py [--columns DIR] [--texts FILE] [--errors] [--peers DIR]

Columns: precision, recall, F2, share of columns that are not personal but called so, share of the personal ones whose type
is right. Texts: a match has the same type and a character overlap (IoU) of at least one half; "masked" is the share of the
characters of direct identifiers that any finding covers. Speed is CPU time of one core. Presidio (its rules alone, over a blank
spaCy pipeline, for its models are downloads) reads the same texts in the same run where DIR/presidio is an environment with
`presidio-analyzer`; skipped with a word where it is absent.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from skiff.data.personal import find_personal_columns, find_spans
from skiff.data.personal.names import load_names
from skiff.flows.read import read_table

SHARED = Path(os.environ.get("SKIFF_SHARED_DATA", "../shared/data"))
SIX = ("EMAIL", "PHONE", "CREDIT_CARD", "IBAN", "NATIONAL_ID", "IP")
TYPES = {
    "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CREDIT_CARD", "IBAN_CODE": "IBAN",
    "US_SSN": "NATIONAL_ID", "IP_ADDRESS": "IP", "PERSON": "PERSON", "STREET_ADDRESS": "ADDRESS",
}  # fmt: skip


def f2(hit: float, extra: float, missed: float) -> float:
    """Return F2: recall counts four times precision."""
    return 5 * hit / max(1e-9, 5 * hit + 4 * missed + extra)


def judge_columns(folder: Path, *, show_errors: bool) -> dict[str, float]:
    """Read each table as `skiff pii` does and compare with the labels."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    seconds, characters = 0.0, 0
    found = {}
    for name in sorted({label["file"] for label in labels}):
        frame = read_table(folder / "data" / name).frame
        began = time.process_time()
        for column in find_personal_columns(frame):
            found[name, column.column] = column
        seconds += time.process_time() - began
        characters += (folder / "data" / name).stat().st_size
    counts: Counter[str] = Counter()
    for label in labels:
        guess = found[label["file"], label["column"]]
        is_personal = label["pii"] == "1"
        counts["hit"] += is_personal and guess.is_personal
        counts["missed"] += is_personal and not guess.is_personal
        counts["extra"] += guess.is_personal and not is_personal
        counts["other"] += not is_personal
        counts["right_type"] += is_personal and guess.type == label["type"]
        if show_errors and (guess.is_personal != is_personal or (is_personal and guess.type != label["type"])):
            print(
                "  ",
                label["file"],
                label["column"],
                "is",
                label["type"],
                "called",
                guess.type or "none",
                file=sys.stderr,
            )
    personal = counts["hit"] + counts["missed"]
    return {
        "columns": len(labels),
        "precision": counts["hit"] / max(1, counts["hit"] + counts["extra"]),
        "recall": counts["hit"] / max(1, personal),
        "f2": f2(counts["hit"], counts["extra"], counts["missed"]),
        "false_positive_rate": counts["extra"] / max(1, counts["other"]),
        "right_type": counts["right_type"] / max(1, personal),
        "chars_per_s": characters / seconds,
    }


def overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the shared characters over all characters of two spans."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0, shared) / (max(one[1], other[1]) - min(one[0], other[0]))


def judge_texts(file: Path) -> dict[str, object]:
    """Find spans in each text and compare with the marked ones."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    counts: Counter[tuple[str, str]] = Counter()
    covered = total = masked = right = 0
    began = time.process_time()
    answers = [find_spans(row["text"]) for row in rows]
    seconds = time.process_time() - began
    for row, spans in zip(rows, answers, strict=True):
        direct, mine, used = set(), set(), set()
        for span in spans:
            mine.update(range(span.start, span.end))
        for mark in row["spans"]:
            kind = TYPES.get(mark["type"])
            if kind or mark["type"] == "US_DRIVER_LICENSE":
                direct.update(range(mark["start"], mark["end"]))
            if kind:
                place = (mark["start"], mark["end"])
                at = next(
                    (
                        n
                        for n, span in enumerate(spans)
                        if n not in used and span.type == kind and overlap((span.start, span.end), place) >= 0.5
                    ),
                    None,
                )
                counts[kind, "missed" if at is None else "hit"] += 1
                used.add(at)
        counts.update((span.type, "extra") for n, span in enumerate(spans) if n not in used)
        covered, total = covered + len(direct & mine), total + len(direct)
        masked, right = masked + len(mine), right + len(mine & direct)
    six = [sum(counts[kind, part] for kind in SIX) for part in ("hit", "extra", "missed")]
    kinds = {kind: [counts[kind, part] for part in ("hit", "extra", "missed")] for kind in sorted(set(TYPES.values()))}
    return {
        "texts": len(rows),
        "six_f2": f2(*six),
        "masked": covered / total,
        "masking_precision": right / masked,
        "chars_per_s": sum(len(row["text"]) for row in rows) / seconds,
        "hit_extra_missed": kinds,
    }


PRESIDIO = """
import json, logging, sys, time
logging.disable(logging.WARNING)
import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}
texts = [json.loads(line)["text"] for line in open(sys.argv[1])]
engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
engine.analyze(texts[0], language="en")
began = time.process_time()
for text in texts:
    engine.analyze(text, language="en")
print(sum(map(len, texts)) / (time.process_time() - began))
"""


def time_presidio(peers: Path, texts: Path) -> float | None:
    """Return the characters a second of processor time that Presidio reads, or None where it is absent."""
    python = peers / "presidio" / "bin" / "python"
    if not python.exists():
        print(f"presidio: skipped, not installed below {peers}", file=sys.stderr)
        return None
    done = subprocess.run(
        [str(python), "-c", PRESIDIO, str(texts)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=Path, default=SHARED / "pii_columns")
    parser.add_argument("--texts", type=Path, default=SHARED / "pii/presidio_synthetic_visible.jsonl")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "skiff-bench")
    chosen = parser.parse_args()
    load_names()
    found = {"columns": judge_columns(chosen.columns, show_errors=chosen.errors), "texts": judge_texts(chosen.texts)}
    theirs = time_presidio(chosen.peers, chosen.texts)
    if theirs:
        found["texts"] |= {"presidio_chars_per_s": theirs, "times_presidio": found["texts"]["chars_per_s"] / theirs}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
