"""How fast `skiff serve` answers with everything on (keys, checks, log), against a floor and MLflow, in one run.

``python benchmarks/serve.py [SECONDS]``. The floor is a bare asyncio protocol with msgspec and onnxruntime: no keys, no
checks, no log. Two models are served: the blend that `skiff run` chooses, and one boosting of 100 trees with 31 leaves on scaled and
one-hot columns, as MLflow and vetiver serve it here; what the graph alone takes stands beside each. MLflow and vetiver are measured where `mlflow` and `vetiver` below SKIFF_PEERS (``~/.cache/skiff-bench`` by default) are virtual
environments that have them, with LightGBM, scikit-learn and pandas.
Ratios and processor time carry over to other machines; requests a second do not, least of all on a machine that others use.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl

from skiff.core.pipeline import Calibration, Member, Pipeline
from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.predictor import Predictor
from skiff.store.workspace import Workspace
from skiff.train.encoders import fit_encoders
from skiff.train.export import trees_from_lightgbm

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiles what it installs; the checkout should be no worse off

PEERS = Path(os.environ.get("SKIFF_PEERS", Path.home() / ".cache" / "skiff-bench"))
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].replace(".", "").isdigit() else 4.0
OK = 200
TICKS = os.sysconf("SC_CLK_TCK")

FLOOR = """
import asyncio, sys, httptools, msgspec, numpy as np, onnxruntime, uvloop
options = onnxruntime.SessionOptions(); options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
names = [item.name for item in session.get_inputs()]
kinds = {item.name: object if "string" in item.type else np.float64 for item in session.get_inputs()}
decode = msgspec.json.Decoder(dict[str, list[dict[str, str | float | None]]]).decode
encode = msgspec.json.Encoder().encode
class Floor(asyncio.Protocol):
    def connection_made(self, transport): self.t = transport; self.p = httptools.HttpRequestParser(self)
    def data_received(self, data): self.p.feed_data(data)
    def on_message_begin(self): self.b = []
    def on_body(self, piece): self.b.append(piece)
    def on_message_complete(self):
        rows = decode(b"".join(self.b))["rows"]
        feed = {name: np.array([row[name] for row in rows], dtype=kinds[name]).reshape(-1, 1) for name in names}
        label, chances = session.run(["label", "probabilities"], feed)
        body = encode({"predictions": [{"label": a, "probability": b[1]} for a, b in zip(label.tolist(), chances.tolist())]})
        self.t.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body) + body)
async def main():
    server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()
uvloop.run(main())
"""

LOAD = """
import asyncio, json, sys, time, uvloop
async def ask(port, payload, stop, spent, codes):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < stop:
        began = time.perf_counter(); writer.write(payload)
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0]))
        spent.append(time.perf_counter() - began); codes[head[9:12].decode()] = codes.get(head[9:12].decode(), 0) + 1
    writer.close()
async def main():
    port, connections, seconds, path, target, key = sys.argv[1:7]
    body = open(path, "rb").read()
    lines = f"POST {target} HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\n"
    lines += f"Authorization: Bearer {key}\\r\\n" if key else ""
    payload = f"{lines}Content-Length: {len(body)}\\r\\n\\r\\n".encode() + body
    spent, codes = [], {}
    began = time.perf_counter()
    await asyncio.gather(*(ask(int(port), payload, began + float(seconds), spent, codes) for _ in range(int(connections))))
    took = time.perf_counter() - began; spent.sort()
    print(json.dumps({"rate": len(spent) / took, "n": len(spent), "p50_ms": spent[len(spent) // 2] * 1e3,
                      "p99_ms": spent[int(len(spent) * 0.99)] * 1e3, "codes": codes}))
uvloop.run(main())
"""

MLFLOW = """
import sys, pandas as pd, mlflow
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
frame = pd.read_csv(sys.argv[1]); X, y = frame.drop(columns="churned"), frame["churned"]
numbers = [name for name in X if name.startswith("n")]; words = [name for name in X if name.startswith("c")]
model = make_pipeline(ColumnTransformer([("n", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
    ("c", OneHotEncoder(handle_unknown="ignore"), words)]), LGBMClassifier(n_estimators=100, n_jobs=1, verbose=-1)).fit(X, y)
mlflow.sklearn.save_model(model, sys.argv[2], pyfunc_predict_fn="predict_proba",
    signature=mlflow.models.infer_signature(X, model.predict_proba(X)), serialization_format="cloudpickle")
"""

VETIVER = (
    MLFLOW.replace("import sys, pandas as pd, mlflow", "import sys, pandas as pd").split("mlflow.sklearn")[0]
    + """
from vetiver import VetiverAPI, VetiverModel
VetiverAPI(VetiverModel(model, "churn", prototype_data=X), check_prototype=True).run(port=int(sys.argv[2]), log_level="warning")
"""
)


def build_table() -> pl.DataFrame:
    """Return 14 mixed columns and an answer that bends, so that trees win."""
    random = np.random.default_rng(0)
    n_rows = 6_000
    numbers = {f"n{place}": random.normal(50, 20, n_rows).round(2) for place in range(6)}
    words = {
        f"c{place}": random.choice([f"level_{level}" for level in range(3 + 2 * place)], n_rows) for place in range(8)
    }
    score = np.sin(numbers["n0"] / 9) + (numbers["n1"] > 55) * (words["c0"] == "level_1") * 2 - 0.4
    yes = random.random(n_rows) < 1 / (1 + np.exp(-2 * score))
    return pl.DataFrame({**numbers, **words, "churned": np.where(yes, "yes", "no")})


def read_cpu(process: int) -> float:
    """Return the seconds of processor that a process and its children used."""
    pids = [process, *map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]
    return (
        sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) for pid in pids)
        / TICKS
    )


def write_body(rows: list[dict], wrap: str) -> str:
    """Return rows as JSON under the name `wrap`; the bare list where it is empty."""
    return json.dumps({wrap: rows} if wrap else rows, separators=(",", ":"))


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], *, path: str, key: str, body: bytes) -> float:
    """Return the seconds until the first right answer."""
    headers = {
        "Content-Type": "application/json",
        "Host": "localhost",
        **({"Authorization": f"Bearer {key}"} if key else {}),
    }
    began = time.perf_counter()
    while process.poll() is None and time.perf_counter() - began < 120:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", path, body=body, headers=headers)
            if connection.getresponse().status == OK:
                return time.perf_counter() - began
        except (OSError, http.client.HTTPException):
            time.sleep(0.002)
    message = "the server did not start"
    raise RuntimeError(message)


def measure(
    name: str, process: subprocess.Popen[bytes], port: int, folder: Path, *, path: str, key: str, wrap: str
) -> dict:
    """Return what three loads gave."""
    found = {}
    for label, connections, n_rows in (("1 conn", 1, 1), ("32 conns", 32, 1), ("1000 rows", 2, 1000)):
        rows = json.loads((folder / "rows.json").read_text())[:n_rows]
        (folder / "body.json").write_text(write_body(rows, wrap))
        before = read_cpu(process.pid)
        arguments = [str(port), str(connections), str(SECONDS), str(folder / "body.json"), path, key]
        done = subprocess.run([sys.executable, "-c", LOAD, *arguments], capture_output=True, text=True, check=True)
        one = json.loads(done.stdout)
        one["cpu_us"] = (read_cpu(process.pid) - before) / max(one["n"], 1) * 1e6
        found[label] = one
        print(
            f"{name:8} {label:10} {one['rate']:9.0f} req/s  p50 {one['p50_ms']:8.3f} ms  p99 {one['p99_ms']:8.2f} ms  "
            f"cpu {one['cpu_us']:8.1f} us/req  {one['codes']}",
            flush=True,
        )
    status = Path(f"/proc/{process.pid}/status").read_text()
    found["rss_mb"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return found


def run_server(
    command: list[str],
    port: int,
    folder: Path,
    *,
    path: str,
    key: str,
    wrap: str,
    environment: dict[str, str] | None = None,
) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server; returns it with the seconds until its first right answer."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    body = write_body(json.loads((folder / "rows.json").read_text())[:1], wrap).encode()
    wait_for(port, process, path=path, key=key, body=body)
    return process, time.perf_counter() - began


def stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=60)


def publish_peers_model(space: Path, table: pl.DataFrame) -> None:
    """Fit what the peers serve, compile it as every model of Skiff's is compiled, and make it the release that stands.

    The linear view is what their ColumnTransformer gives: numbers scaled, categories one column a level. The papers and the manifest
    are those of the release before: a server reads from it the question and the columns, which are the same.
    """
    frame, y = table.drop("churned"), (table["churned"] == "yes").to_numpy().astype(np.int64)
    inputs = infer_inputs(frame)
    task = Task(kind="binary", target="churned", classes=("no", "yes"), positive="yes")
    encoders = fit_encoders(frame, inputs, y.astype(np.float64), task)
    features = featurize(inputs, encoders, frame)
    fitted = lgb.LGBMClassifier(n_estimators=100, num_leaves=31, n_jobs=1, random_state=0, verbose=-1)
    fitted.fit(features.linear, y)
    trees = trees_from_lightgbm(fitted.booster_)
    member = Member(name="lightgbm 100 x 31", view="linear", part=trees, link="logistic", weight=1.0)
    pipeline = Pipeline(
        kind="binary",
        inputs=tuple(inputs),
        encoders=tuple(encoders),
        members=(member,),
        calibration=Calibration(kind="none"),
        classes=task.classes,
    )
    model = compile_pipeline(pipeline)
    asked = frame.head(1000)
    told = Predictor(model).predict_columns(asked).probabilities[:, 1]
    known = fitted.predict_proba(featurize(inputs, encoders, asked).linear)[:, 1]
    print(f"peers' model: the graph differs from the library by at most {np.abs(told - known).max():.1e} on 1,000 rows")
    with Workspace.open(space) as workspace:
        [before] = workspace.releases.list()
        manifest = dict(workspace.releases.read_manifest(before.number))
        files = {
            name: workspace.releases.read_file(before.number, name) for name in manifest["files"] if "onnx" not in name
        }
        for name in ("number", "files", "created", "run_id", "signed_by"):
            manifest.pop(name)
        workspace.releases.publish(
            {**files, "model.onnx": model},
            manifest=manifest,
            dataset_sha=str(before.dataset_sha256),
            run_id=None,
            promote=True,
        )


def time_graph(model: Path, folder: Path) -> dict[int, float]:
    """Return the microseconds of processor time a row that the graph alone takes, one row and a thousand at a time; the best of ten."""
    predictor = Predictor(model.read_bytes(), workers=1)
    rows = json.loads((folder / "rows.json").read_text())
    found = {}
    for n_rows, repeats in ((1, 500), (1000, 3)):
        feed = predictor.build_feed(rows[:n_rows])
        spent = []
        for _ in range(10):
            began = time.process_time()
            for _ in range(repeats):
                predictor.answer_tensors(feed)
            spent.append((time.process_time() - began) / repeats / n_rows * 1e6)
        found[n_rows] = min(spent)
    return found


def measure_beside(port: int, folder: Path, key: str) -> None:
    """Print how long single rows take alone, and while bodies of 1,000 rows come on two other connections."""
    rows = json.loads((folder / "rows.json").read_text())
    for name, n_rows in (("one.json", 1), ("many.json", 1000)):
        (folder / name).write_text(write_body(rows[:n_rows], "rows"))

    def load(connections: int, name: str, seconds: float) -> subprocess.Popen[str]:
        arguments = [str(port), str(connections), str(seconds), str(folder / name), "/predict", key]
        return subprocess.Popen([sys.executable, "-c", LOAD, *arguments], stdout=subprocess.PIPE, text=True)

    for words, is_crowded in (("alone", False), ("beside 1,000-row bodies", True)):
        many = load(2, "many.json", SECONDS + 1.0) if is_crowded else None
        time.sleep(0.5)
        one = json.loads(load(1, "one.json", SECONDS).communicate()[0])
        more = f"; of those {json.loads(many.communicate()[0])['rate']:.1f}/s" if many else ""
        print(
            f"         one row at a time {words}: p50 {one['p50_ms']:.3f} ms, p99 {one['p99_ms']:.2f} ms{more}",
            flush=True,
        )


def measure_ours(name: str, space: Path, folder: Path) -> tuple[dict, dict]:
    """Print what floor and server do with the release that stands in a workspace; returns both."""
    skiff = [sys.executable, "-m", "skiff"]
    create = [*skiff, "keys", "create", "--scope", "predict", "-w", str(space), "--json"]
    key = json.loads(subprocess.run(create, check=True, capture_output=True).stdout)["result"]["key"]
    with Workspace.open(space) as workspace:
        model = workspace.releases.get(workspace.releases.champion() or 0).path / "model.onnx"
    graph = time_graph(model, folder)
    print(
        f"-- {name}: {model.stat().st_size / 1e3:.0f} kB; the graph alone takes {graph[1]:.0f} us of processor for one row, "
        f"{graph[1000]:.1f} us a row for 1,000; load average {os.getloadavg()[0]:.1f}"
    )
    port = find_port()
    command = [sys.executable, "-c", FLOOR, str(model), str(port)]
    process, _ = run_server(command, port, folder, path="/", key="", wrap="rows")
    floor = measure("floor", process, port, folder, path="/", key="", wrap="rows")
    stop(process)
    port = find_port()
    command = [*skiff, "serve", "-w", str(space), "--port", str(port)]
    process, cold = run_server(command, port, folder, path="/predict", key=key, wrap="rows")
    ours = measure("skiff", process, port, folder, path="/predict", key=key, wrap="rows")
    measure_beside(port, folder, key)
    stop(process)
    many = ours["1000 rows"]
    print(
        f"skiff: cold start {cold:.2f} s, peak memory {ours['rss_mb']:.0f} MB; 1,000-row bodies: {many['rate'] * 1000:,.0f} rows/s, "
        f"{many['cpu_us'] / 1000:.1f} us of processor a row, of which {many['cpu_us'] / 1000 - graph[1000]:.1f} are not the graph"
    )
    compare("floor", ours, floor)
    return ours, floor


def compare(name: str, ours: dict, other: dict) -> None:
    """Print how we stand to another server at 32 connections."""
    mine, theirs = ours["32 conns"], other["32 conns"]
    print(
        f"32 connections, skiff / {name}: {mine['rate'] / theirs['rate']:.2f} by wall, "
        f"{theirs['cpu_us'] / mine['cpu_us']:.2f} by processor"
    )


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="skiff-bench-"))
    table = build_table()
    table.write_csv(folder / "table.csv")
    (folder / "rows.json").write_text(json.dumps(table.drop("churned").head(1000).to_dicts()))
    space = folder / "space"
    skiff = [sys.executable, "-m", "skiff"]
    run = [*skiff, "run", str(folder / "table.csv"), "--target", "churned", "--budget", "6s", "--workspace", str(space)]
    subprocess.run(run, check=True, capture_output=True)
    peers_space = folder / "peers"
    shutil.copytree(space, peers_space)
    publish_peers_model(peers_space, table)
    measure_ours("what skiff run chose", space, folder)
    ours, _ = measure_ours("100 trees x 31 leaves, as the peers below serve", peers_space, folder)
    python = PEERS / "mlflow" / "bin" / "python"
    if python.exists():
        subprocess.run(
            [str(python), "-c", MLFLOW, str(folder / "table.csv"), str(folder / "mlflow")],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": ""},
        )
        port = find_port()
        serve = [
            str(python),
            "-m",
            "mlflow",
            "models",
            "serve",
            "-m",
            str(folder / "mlflow"),
            "-p",
            str(port),
            "--env-manager",
            "local",
        ]
        environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "PYTHONPATH": ""}
        process, cold = run_server(
            serve, port, folder, path="/invocations", key="", wrap="dataframe_records", environment=environment
        )
        print(f"mlflow: cold start {cold:.2f} s")
        compare(
            "mlflow",
            ours,
            measure("mlflow", process, port, folder, path="/invocations", key="", wrap="dataframe_records"),
        )
        stop(process)
    else:
        print("MLflow is not here: skipped.")
    python = PEERS / "vetiver" / "bin" / "python"
    if python.exists():
        port = find_port()
        serve = [str(python), "-c", VETIVER, str(folder / "table.csv"), str(port)]
        process, cold = run_server(
            serve, port, folder, path="/predict", key="", wrap="", environment={**os.environ, "PYTHONPATH": ""}
        )
        print(f"vetiver: cold start {cold:.2f} s, training included")
        compare("vetiver", ours, measure("vetiver", process, port, folder, path="/predict", key="", wrap=""))
        stop(process)
    else:
        print("vetiver is not here: skipped.")


if __name__ == "__main__":
    main()
