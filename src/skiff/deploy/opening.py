"""Open a file that Skiff compiled, and refuse any other."""

from __future__ import annotations

import onnxruntime

from skiff.core.errors import SkiffError
from skiff.deploy.session import open_session

SUPPORTED_FORMAT = 1
"""Newest ``skiff.format`` this runtime understands."""


def open_model(model: bytes) -> onnxruntime.InferenceSession:
    """Return a session for a file of ours.

    Raises
    ------
    SkiffError
        ``not_a_skiff_model``.
    """
    try:
        return open_session(model)
    except Exception as error:
        # onnxruntime has a class of its own for each way to refuse a file, and no common one to name here.
        if type(error).__module__.startswith("onnxruntime"):
            raise _refuse_foreign() from error
        raise


def read_facts(session: onnxruntime.InferenceSession, needed: str) -> dict[str, str]:
    """Return the metadata of a file of ours, which must have the entry `needed`.

    Raises
    ------
    SkiffError
        ``not_a_skiff_model`` or ``model_newer``.
    """
    facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if "skiff.format" not in facts:
        raise _refuse_foreign()
    if int(facts["skiff.format"]) > SUPPORTED_FORMAT:
        raise SkiffError(
            "model_newer",
            what="This model was made by a newer version of Skiff.",
            fix="Update Skiff and try again.",
        )
    if needed not in facts:
        raise _refuse_foreign()
    return facts


def _refuse_foreign() -> SkiffError:
    return SkiffError(
        "not_a_skiff_model",
        what="This is not an ONNX file that Skiff compiled, or it is damaged.",
        fix="Choose the model.onnx of a release; see: skiff releases list",
    )
