"""The server as it stands in front of others: over TLS, and with its records in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import json
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.workspace import Workspace

from .conftest import ROW, Served, build_model


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Return a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookings")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    places = tmp_path / "server.crt", tmp_path / "server.key"
    places[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    places[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return places


def test_answers_over_tls_and_only_to_those_who_speak_it(
    launch: Callable[..., Served], certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    served = launch("--tls-cert", str(cert), "--tls-key", str(key))
    assert "https://127.0.0.1" in served.log.read_text()
    context = ssl.create_default_context(cafile=str(cert))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=20, context=context)
    for _ in range(3):
        connection.request("POST", "/predict", json.dumps({"rows": [ROW] * 500}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(json.loads(answer.read())["predictions"]) == 500
    connection.close()
    with pytest.raises((http.client.HTTPException, OSError)):
        served.predict()  # plain HTTP
    assert served.stop() == 0


def test_a_key_that_does_not_belong_is_said_before_anything_starts(
    folder: Path, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    other = tmp_path / "other.key"
    made = ec.generate_private_key(ec.SECP256R1())
    other.write_bytes(
        made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    command = [sys.executable, "-m", "skiff", "serve", "-w", str(folder), "--port", "0"]
    command += ["--tls-cert", str(certificate[0]), "--tls-key", str(other)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "do not belong together" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_workers_keep_catalog_and_log_in_postgresql(launch: Callable[..., Served], folder: Path, database: str) -> None:
    (folder / "skiff.toml").write_text(f'[store]\ndatabase = "{database}"\n')
    with Workspace.open(folder, create=True) as workspace:
        number = workspace.releases.publish(
            {"model.onnx": build_model()},
            manifest={
                "task": {"kind": "binary", "target": "cancelled", "classes": ["no", "yes"], "positive": "yes"},
                "classes": ["no", "yes"],
                "metrics": {},
            },
            dataset_sha="0" * 64,
            run_id=None,
            promote=True,
        ).number
    served = launch("--workers", "2")
    ids = []
    for place in range(20):
        status, body = served.predict([ROW, ROW], key=[f"B-{place}", None])
        assert status == 200
        assert body["release"] == number
        ids += [item["id"] for item in body["predictions"]]
    told = served.ask("POST", "/outcomes", {"outcomes": [{"key": "B-7", "value": "yes"}]})
    assert told[1]["new"] == 1
    assert served.stop() == 0
    with PredictionReader(open_store(folder / ".skiff", database=database)) as reader:
        frame = reader.read_window()
    assert sorted(frame["id"].to_list()) == sorted(ids)
    assert frame["outcome"].to_list().count("yes") == 1
    assert not list((folder / ".skiff").glob("predictions/*.db"))
