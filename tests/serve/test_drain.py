"""SIGTERM under load: what was accepted is answered.

``SKIFF_RESTARTS`` and ``SKIFF_CLIENTS`` make it larger: `make soak` restarts 20 times under 50 clients.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from pathlib import Path

from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader

from .conftest import ROW, Served, start

RESTARTS = int(os.environ.get("SKIFF_RESTARTS", "3"))
CLIENTS = int(os.environ.get("SKIFF_CLIENTS", "12"))
BODY = json.dumps({"rows": [ROW]}).encode()
LONG = json.dumps({"rows": [{**ROW, "note": "x" * 500}] * 150}).encode()
"""It is read beside the event loop."""


class Client(threading.Thread):
    """Asks without end, keeping its connection or not; counts what it was told and what was lost."""

    def __init__(self, port: int, *, keeps: bool, stop: threading.Event, body: bytes = BODY) -> None:
        super().__init__()
        self.body = body
        self.port, self.keeps, self.halt = port, keeps, stop
        self.ids: list[str] = []
        self.lost: list[str] = []

    def run(self) -> None:
        while not self.halt.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.connect()
            except OSError:  # refused, not accepted: nothing is lost
                time.sleep(0.05)
                continue
            try:
                self.ask_on(connection)
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
            finally:
                connection.close()

    def ask_on(self, connection: http.client.HTTPConnection) -> None:
        while not self.halt.is_set():
            connection.request("POST", "/predict", body=self.body, headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status == 200:
                self.ids += [item["id"] for item in body["predictions"]]
            else:
                self.lost.append(str(body))
            if not self.keeps or answer.getheader("connection") == "close":
                return


def test_no_accepted_request_is_lost_over_restarts(folder: Path) -> None:
    served: Served = start(folder)
    port = str(served.port)
    stop = threading.Event()
    clients = [
        Client(served.port, keeps=bool(number % 2), stop=stop, body=BODY if number % 6 else LONG)
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        for _ in range(RESTARTS):
            time.sleep(0.4)
            began = time.monotonic()
            assert served.stop() == 0
            assert time.monotonic() - began < 20
            served = start(folder, "--port", port)
    finally:
        time.sleep(0.3)
        stop.set()
        for client in clients:
            client.join()
        code = served.stop()
    assert code == 0
    lost = [problem for client in clients for problem in client.lost]
    assert lost == []
    told = [id_ for client in clients for id_ in client.ids]
    with PredictionReader(open_store(folder / ".skiff")) as reader:
        kept = reader.read_window()["id"].to_list()
    assert len(told) > RESTARTS * CLIENTS
    assert sorted(told) == sorted(kept)
