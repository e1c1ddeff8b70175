"""Replay a table by date through the real server, log, monitor and retraining, to see what would have happened.

    python examples/replay/replay.py electricity.csv --target price_up --time timestamp

The first part of the table trains a release. The rest is sent period by period to `skiff serve`, outcomes follow, `skiff monitor`
judges each period, and where it alerts `skiff retrain --if-needed --mode automatic` tries a challenger. Beside what was served
stands what the first release would have answered had nobody ever retrained it. Everything stays in the folder given by --out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import math
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import skiff

BATCH = 500
WAIT_S = 30.0


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a command with --json and return its exit code and object."""
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "skiff", *arguments, "--json"], capture_output=True, text=True, check=False
    )
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"skiff {' '.join(arguments)} gave no JSON: {done.stderr[-500:]}")


def find_port() -> int:
    """Return a free port on this machine."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Server:
    """`skiff serve` in a process of its own."""

    def __init__(self, workspace: Path) -> None:
        """Start it and wait until it is ready."""
        self.port = find_port()
        self.process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "skiff", "serve", "-w", str(workspace), "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        begin = time.monotonic()
        while time.monotonic() - begin < WAIT_S:
            try:
                if self.ask("GET", "/health/ready")[0] == http.client.OK:
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        sys.exit("the server did not become ready")

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send one request and return status and object."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, body=data, headers={"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        try:
            return answer.status, json.loads(text)
        except json.JSONDecodeError:
            return answer.status, None

    def stop(self) -> None:
        """Ask it to end, as a service manager would."""
        self.process.terminate()
        self.process.wait(timeout=60)


def to_cells(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON takes them."""
    return [
        {name: cell.isoformat() if isinstance(cell, (dt.date, dt.datetime)) else cell for name, cell in row.items()}
        for row in rows.iter_rows(named=True)
    ]


def write_truth(cell: object, *, is_number: bool) -> object:
    """Return what happened as `/outcomes` takes it: a number as it is, a label as text."""
    if cell is None or is_number:
        return cell
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def send_period(server: Server, rows: pl.DataFrame, target: str, *, known: set[str] | None) -> tuple[str, str]:
    """Send the rows of a period, then what really happened, and return the moments around the answers.

    What happened but is none of the `known` answers (None: any number) cannot be reported; how many rows that are is told.
    """
    since = dt.datetime.now(tz=dt.UTC)
    ids: list[str] = []
    for piece in rows.iter_slices(BATCH):
        status, answer = server.ask("POST", "/predict", {"rows": to_cells(piece.drop(target))})
        if status != http.client.OK:
            sys.exit(f"/predict answered {status}: {answer}")
        ids += [item["id"] for item in answer["predictions"]]
    until = dt.datetime.now(tz=dt.UTC) + dt.timedelta(milliseconds=1)
    truths = [write_truth(cell, is_number=known is None) for cell in rows[target].to_list()]
    given = [(name, truth) for name, truth in zip(ids, truths, strict=True) if truth is not None]
    outcomes = [{"id": name, "value": truth} for name, truth in given if known is None or truth in known]
    if len(outcomes) < len(given):
        print(f"    outcomes left out, of a kind that the first release never saw: {len(given) - len(outcomes)}")
    for at in range(0, len(outcomes), BATCH):
        status, answer = server.ask("POST", "/outcomes", {"outcomes": outcomes[at : at + BATCH]})
        if status != http.client.OK:
            sys.exit(f"/outcomes answered {status}: {answer}")
    return since.isoformat(), until.isoformat()


def rank(truth: np.ndarray, chance: np.ndarray) -> float:
    """Return the ROC AUC (share of pairs in the right order), NaN with one answer alone."""
    order = np.argsort(np.argsort(chance, kind="stable"))
    n_yes = int(truth.sum())
    n_no = len(truth) - n_yes
    if not n_yes or not n_no:
        return math.nan
    return float((order[truth == 1].sum() - n_yes * (n_yes - 1) / 2) / (n_yes * n_no))


def score_frozen(model: skiff.Model, rows: pl.DataFrame, target: str, *, metric: str) -> float:
    """Return what the first release would have delivered: root mean squared error, or ROC AUC (many classes: the mean of one against the rest)."""
    rows = rows.drop_nulls(target)
    if metric == "rmse":
        return float(np.sqrt(np.mean((np.asarray(model.predict(rows)) - rows[target].to_numpy()) ** 2)))
    truth = rows[target].cast(pl.String).to_numpy()
    chances = np.asarray(model.predict_proba(rows))
    asked = model.classes_[-1:] if len(model.classes_) == 2 else model.classes_  # noqa: PLR2004  two classes rank alike
    places = [(list(model.classes_).index(name), name) for name in asked]
    return float(np.nanmean([rank((truth == name).astype(int), chances[:, place]) for place, name in places]))


def pick(report: dict[str, Any], part: str, metric: str) -> dict[str, Any] | None:
    """Return a measurement of a window's report, wherever this part keeps its metrics."""
    found = report.get(part) or {}
    metrics = (found.get("metrics") or found) if isinstance(found, dict) else {}
    item = metrics.get(metric)
    return item if isinstance(item, dict) else None


def replay(asked: argparse.Namespace) -> dict[str, Any]:
    """Play the table and return everything that is told of it."""
    rows = pl.read_csv(asked.table, try_parse_dates=True, infer_schema_length=None).sort(asked.time)
    n_train = round(asked.train_share * rows.height)
    shutil.rmtree(asked.out, ignore_errors=True)
    asked.out.mkdir(parents=True)
    rows[:n_train].write_csv(asked.out / "train.csv")
    workspace = asked.out / "workspace"
    drops = [word for name in asked.drop for word in ("--drop", name)]
    code, told = run(
        "run", str(asked.out / "train.csv"), "--target", asked.target, "--time", asked.time, *drops,
        "--budget", asked.budget, "--workspace", str(workspace), "--yes",
    )  # fmt: skip
    if code:
        sys.exit(f"the first model was not released: {told.get('error') or told['result']['gate']}")
    result = told["result"]
    metric = "rmse" if result["task"]["kind"] == "regression" else "roc_auc"
    promised = result["metrics"][metric]
    print(f"promised {metric} {promised['value']:.3f} ({promised['low']:.3f} to {promised['high']:.3f})")
    first = skiff.load(workspace / ".skiff" / "releases" / "0001")
    known = None if metric == "rmse" else set(first.classes_)
    later = rows[n_train:]
    periods = np.array_split(np.arange(later.height), asked.periods)
    server = Server(workspace)
    told_periods = []
    try:
        for number, places in enumerate(periods, start=1):
            piece = later[places]
            since, until = send_period(server, piece, asked.target, known=known)
            code, judged = run("monitor", "--since", since, "--until", until, "--workspace", str(workspace))
            report = judged["result"]["windows"][-1] if judged.get("ok") and judged["result"]["windows"] else {}
            alerts = [item["what"] for item in judged.get("result", {}).get("alerts", [])]
            retrained = None
            if alerts and not asked.no_retrain:
                _, tried = run(
                    "retrain",
                    "--if-needed",
                    "--mode",
                    "automatic",
                    "--budget",
                    asked.budget,
                    "--workspace",
                    str(workspace),
                )
                retrained = tried["result"] if tried.get("ok") else {"state": tried["error"]["code"]}
            line = {
                "period": number,
                "from": str(piece[asked.time][0]),
                "to": str(piece[asked.time][-1]),
                "rows": piece.height,
                "release": report.get("release"),
                "estimated": pick(report, "estimated", metric),
                "delivered": pick(report, "delivered", metric),
                "frozen": score_frozen(first, piece, asked.target, metric=metric),
                "alerts": alerts,
                "retrained": None if retrained is None else retrained["state"],
            }
            told_periods.append(line)
            print(describe(line, metric), flush=True)
    finally:
        server.stop()
    return {"table": asked.table.name, "metric": metric, "promised": promised, "periods": told_periods}


def describe(line: dict[str, Any], metric: str) -> str:
    """Return one period as a line of the table."""

    def write(found: dict[str, Any] | None) -> str:
        if not found:
            return "–"
        return (
            f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
            if found.get("low") is not None
            else f"{found['value']:.3f}"
        )

    return (
        f"{line['period']:>2}  {line['from'][:10]}  release {line['release']}  {metric}: estimated {write(line['estimated'])}, "
        f"delivered {write(line['delivered'])}, first release {line['frozen']:.3f}  alerts {len(line['alerts'])}  {line['retrained'] or ''}"
    )


def draw(told: dict[str, Any]) -> str:
    """Return the picture as SVG."""
    import vl_convert

    points = []
    for line in told["periods"]:
        for name in ("delivered", "estimated"):
            found = line[name]
            if found:
                points.append(
                    {
                        "at": line["from"],
                        "what": name,
                        "value": found["value"],
                        "low": found.get("low"),
                        "high": found.get("high"),
                    }
                )
        points.append({"at": line["from"], "what": "first release, never retrained", "value": line["frozen"]})
    marks = [{"at": line["from"], "what": "alert", "top": 290} for line in told["periods"] if line["alerts"]]
    marks += [
        {"at": line["from"], "what": "new release", "top": 275}
        for line in told["periods"]
        if line["retrained"] == "promoted"
    ]

    def ranged(name: str) -> list[dict[str, Any]]:
        return [point for point in points if point["what"] == name and point.get("low") is not None]

    promised = told["promised"]
    color = {
        "field": "what",
        "type": "nominal",
        "title": None,
        "scale": {
            "domain": ["delivered", "estimated", "first release, never retrained"],
            "range": ["#1d5c68", "#7d4c00", "#a03a2c"],
        },
    }
    y = {"type": "quantitative", "title": told["metric"].replace("_", " "), "scale": {"zero": False}}
    x = {"field": "at", "type": "temporal", "title": None}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json", "width": 760, "height": 300, "background": "white",
        "config": {"font": "Source Sans 3", "view": {"stroke": None}, "legend": {"labelLimit": 300}},
        "layer": [
            {"data": {"values": [{"low": promised["low"], "high": promised["high"]}]}, "mark": {"type": "rect", "color": "#a8ccd1", "opacity": 0.35},
             "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}}},
            {"data": {"values": ranged("estimated")}, "mark": {"type": "area", "opacity": 0.13},
             "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": {**color, "legend": None}}},
            {"data": {"values": ranged("delivered")}, "mark": {"type": "rule", "strokeWidth": 4, "opacity": 0.6},
             "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": {**color, "legend": None}}},
            {"data": {"values": points}, "mark": {"type": "line", "point": True}, "encoding": {"x": x, "y": {**y, "field": "value"}, "color": color}},
            {"data": {"values": marks}, "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
             "encoding": {"x": x, "y": {"field": "top", "type": "quantitative", "scale": None},
                          "shape": {"field": "what", "type": "nominal", "legend": None, "scale": {"domain": ["alert", "new release"], "range": ["triangle-down", "diamond"]}},
                          "color": {"field": "what", "type": "nominal", "title": None, "scale": {"domain": ["alert", "new release"], "range": ["#a03a2c", "#20623f"]}}}},
        ],
        "resolve": {"scale": {"color": "independent"}},
    }  # fmt: skip
    return str(vl_convert.vegalite_to_svg(json.dumps(spec), vl_version="5.21"))


def main() -> None:
    """Play, and write replay.json and replay.svg."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--time", required=True)
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("--periods", type=int, default=12)
    parser.add_argument("--train-share", type=float, default=0.2)
    parser.add_argument("--budget", default="20s")
    parser.add_argument("--no-retrain", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("demo/replay"))
    asked = parser.parse_args()
    told = replay(asked)
    (asked.out / "replay.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (asked.out / "replay.svg").write_text(draw(told), encoding="utf-8")
    print(f"\nRead {asked.out / 'replay.svg'} and {asked.out / 'workspace' / 'reports' / 'monitor.html'}")


if __name__ == "__main__":
    main()
