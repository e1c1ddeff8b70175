"""The room of deployment: one ONNX graph from raw typed columns to the calibrated answer, and its proof.

`compiler` turns a `core.pipeline.Pipeline` into ONNX bytes with `onnx.helper`, `runtime` answers rows with onnxruntime,
`parity` proves that both agree. Only bytes and arrays cross this room's border.
"""
