"""The Open Inference Protocol as a real client speaks it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from .conftest import ROW, Served

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    http = pytest.importorskip("tritonclient.http")


def build_inputs(*, is_binary: bool, n_rows: int = 3) -> list[object]:
    cells = {
        "lead_days": ("FP64", np.array([[40.0 + row] for row in range(n_rows)])),
        "price": ("FP64", np.array([[120.5]] * n_rows)),
        "channel": ("BYTES", np.array([["web"]] * n_rows, dtype=object)),
    }
    inputs = []
    for name, (datatype, values) in cells.items():
        tensor = http.InferInput(name, list(values.shape), datatype)
        tensor.set_data_from_numpy(values, binary_data=is_binary)
        inputs.append(tensor)
    return inputs


@pytest.mark.parametrize("is_binary", [True, False])
def test_triton_asks_and_understands(shared: Served, is_binary: bool) -> None:
    client = http.InferenceServerClient(f"127.0.0.1:{shared.port}")
    try:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("bookings")
        assert client.is_model_ready("bookings", "2")
        assert client.get_server_metadata()["name"] == "skiff"
        metadata = client.get_model_metadata("bookings")
        assert [column["datatype"] for column in metadata["inputs"]] == ["FP64", "FP64", "BYTES"]
        outputs = [
            http.InferRequestedOutput(name, binary_data=is_binary) for name in ("label", "probabilities", "decision")
        ]
        for version in ("", "1", "2"):
            found = client.infer(
                "bookings", build_inputs(is_binary=is_binary), model_version=version, outputs=outputs, request_id="7"
            )
            assert found.get_response()["id"] == "7"
            assert found.get_response()["model_version"] == (version or "1")
            assert found.as_numpy("probabilities").shape == (3, 2)
            assert found.as_numpy("probabilities").sum(axis=1) == pytest.approx(1.0)
            labels = [label.decode() if isinstance(label, bytes) else label for label in found.as_numpy("label")]
            assert set(labels) <= {"yes", "no"}
        everything = client.infer("bookings", build_inputs(is_binary=is_binary))
        plain = shared.predict([{**ROW, "lead_days": 41.0}])[1]["predictions"][0]["probability"]
        assert everything.as_numpy("probabilities")[1, 1] == pytest.approx(plain, abs=1e-12)
        with pytest.raises(Exception, match="no model of that name"):
            client.infer("other", build_inputs(is_binary=is_binary))
    finally:
        client.close()


def tensor(name: str, data: object, *, datatype: str = "FP64", shape: object = (1,)) -> dict[str, object]:
    return {
        "name": name,
        "datatype": datatype,
        "shape": list(shape) if isinstance(shape, tuple) else shape,
        "data": data,
    }


GOOD = [tensor("lead_days", [40.0]), tensor("price", [None]), tensor("channel", ["web"], datatype="BYTES")]


def test_nulls_keys_and_nested_data_are_taken(shared: Served) -> None:
    nested = [tensor("lead_days", [[40.0]], shape=(1, 1)), *GOOD[1:]]
    for inputs in (GOOD, nested):
        status, body, _ = shared.ask(
            "POST", "/v2/models/bookings/infer", {"inputs": inputs, "parameters": {"key": "B-9", "subject": "ada"}}
        )
        assert status == 200
        assert [output["name"] for output in body["outputs"]] == ["prediction_id", "label", "probabilities", "decision"]


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor("lead_days", [1.0], shape=(10**30,))],
        [tensor("lead_days", [1.0], shape=(-1,))],
        [tensor("lead_days", [1.0], shape=(1, 1, 1))],
        [tensor("lead_days", [1.0], shape=())],
        [tensor("lead_days", [1.0, 2.0])],
        [tensor("lead_days", ["one"])],
        [tensor("lead_days", [1.0], datatype="FP8")],
        [tensor("lead_days", None)],
        [GOOD[0], GOOD[0], *GOOD[1:]],
        [GOOD[0], tensor("price", [1.0, 2.0], shape=(2,)), GOOD[2]],
        GOOD[:2],
        [],
        [{**GOOD[0], "parameters": {"binary_data_size": 10**12}}],
        [{**GOOD[0], "parameters": {"binary_data_size": True}}],
    ],
)
def test_impossible_tensors_are_refused(shared: Served, inputs: list[object]) -> None:
    status, body, _ = shared.ask("POST", "/v2/models/bookings/infer", {"inputs": inputs})
    assert status in {413, 422}
    assert set(body) == {"error", "code", "what", "where", "fix"}
    assert isinstance(body["error"], str)


def test_versions_and_binary_lengths_are_checked(shared: Served) -> None:
    assert shared.ask("POST", "/v2/models/bookings/versions/9/infer", {"inputs": GOOD})[0] == 404
    assert shared.ask("GET", "/v2/models/bookings/versions/9")[0] == 404
    assert shared.ask("GET", "/v2/models/bookings/versions/x")[0] == 404
    assert shared.ask("GET", "/v2/models/..%2f..%2fetc")[0] == 404
    for length in ("-1", "x", "99999", "1e3"):
        headers = {"Inference-Header-Content-Length": length}
        status = shared.ask("POST", "/v2/models/bookings/infer", b'{"inputs":[]}', headers=headers)[0]
        assert status == 422
