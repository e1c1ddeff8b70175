"""A trained model in Python: scikit-learn's habits, onnxruntime's answers, no training library needed to use it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.signature import Signature
from skiff.deploy.runtime import Prediction, Predictions, Predictor
from skiff.store.files import read_bytes, write_atomic

Table = Any  # a Polars or pandas frame, a PyArrow table, a mapping of columns, or a list of rows


class Model:
    """A compiled model that answers tables and single rows.

    Parameters
    ----------
    onnx : bytes
        The compiled file.
    measurements : mapping of str to Measurement
        What was measured on the sealed test set.
    findings : sequence of Finding
        What the checks said of the training data.
    card : str
        The model card, if one was written.

    Attributes
    ----------
    classes_ : ndarray of str
        Column order of `predict_proba`; the positive class is the last of a pair.
    feature_names_in_ : ndarray of str
        Columns the model needs.
    """

    def __init__(
        self,
        onnx: bytes,
        *,
        measurements: Mapping[str, Measurement] | None = None,
        findings: Sequence[Finding] = (),
        card: str = "",
    ) -> None:
        """Open the compiled file."""
        self._onnx = onnx
        self._predictor = Predictor(onnx)
        self._card = card
        self.measurements = dict(measurements or {})
        self.findings = list(findings)
        self.classes_ = np.array(self._predictor.classes, dtype=object)
        self.feature_names_in_ = np.array([column.name for column in self.signature.inputs], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)

    @property
    def signature(self) -> Signature:
        """Return what the model takes and gives."""
        return self._predictor.signature

    @property
    def threshold(self) -> float:
        """Return the probability from which a binary model says yes."""
        return self._predictor.threshold

    def predict(self, X: Table) -> NDArray[Any]:
        """Return labels (classification) or values (regression), one a row.

        Parameters
        ----------
        X : Polars or pandas frame, PyArrow table, mapping of columns, or list of dicts
            Other columns are ignored.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        found = self._answer(X)
        return found.values if self._predictor.kind == "regression" else found.labels

    def predict_proba(self, X: Table) -> NDArray[np.float64]:
        """Return probabilities of shape (n_rows, n_classes), in the order of ``classes_``.

        Raises
        ------
        SkiffError
            ``no_probabilities`` for a regression model.
        """
        if self._predictor.kind == "regression":
            raise SkiffError(
                "no_probabilities",
                what="This model predicts amounts, which have no probabilities.",
                fix="Call predict instead.",
            )
        return self._answer(X).probabilities

    def predict_row(self, row: Mapping[str, Any]) -> Prediction:  # Any: cells of any library
        """Return the answer to one row given as a dict: the fast path for a server or a form."""
        return self._predictor.predict_row(row)

    def save(self, folder: Path | str) -> None:
        """Write ``model.onnx``, ``facts.json`` and, where there is one, ``card.md`` into `folder`.

        Raises
        ------
        SkiffError
            What the disk says.
        """
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        metrics = {name: _to_json(item) for name, item in self.measurements.items()}
        write_atomic(root / "model.onnx", self._onnx)
        write_atomic(root / "facts.json", json.dumps({"metrics": metrics}, indent=2, sort_keys=True).encode())
        if self._card:
            write_atomic(root / "card.md", self._card.encode())

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Open a saved model or a release's folder; nothing but onnxruntime is needed.

        Raises
        ------
        SkiffError
            ``model_not_found`` where there is no ``model.onnx``.
        """
        root = Path(folder)
        path = root if root.suffix == ".onnx" else root / "model.onnx"
        if not path.is_file():
            raise SkiffError(
                "model_not_found",
                what=f"There is no model at {path}.",
                where={"file": str(path)},
                fix="Give the folder of a saved model, or of a release: see `skiff releases list`.",
            )
        facts: dict[str, Any] = {}
        for name in ("facts.json", "manifest.json"):
            if (path.parent / name).is_file():
                facts = json.loads(read_bytes(path.parent / name))
                break
        metrics = {name: _from_json(item) for name, item in facts.get("metrics", {}).items()}
        return cls(read_bytes(path), measurements=metrics)

    def __repr__(self) -> str:
        """Return what the model is, in one line."""
        return f"Model({self._predictor.kind}, {self.n_features_in_} columns, {len(self._onnx):,} bytes)"

    def _repr_html_(self) -> str:
        """Return the measurements as a table for a notebook."""
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(name)}</th><td>{item.value:.4g}</td><td>{_range(item)}</td><td>{item.n:,}</td></tr>"
            for name, item in self.measurements.items()
        )
        head = "<tr><th>metric</th><th>value</th><th>95 % interval</th><th>rows</th></tr>"
        return f"<p><strong>{html.escape(repr(self))}</strong></p><table><thead>{head}</thead><tbody>{rows}</tbody></table>"

    def _answer(self, X: Table) -> Predictions:
        if isinstance(X, Sequence):
            return self._predictor.predict_rows(X)
        return self._predictor.predict_columns(X)


def load(folder: Path | str) -> Model:
    """Open a saved model or a release's folder: see `Model.load`."""
    return Model.load(folder)


def _range(item: Measurement) -> str:
    return "none" if item.low is None or item.high is None else f"{item.low:.4g} to {item.high:.4g}"


def _to_json(item: Measurement) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Measurement.__dataclass_fields__}


def _from_json(item: Mapping[str, Any]) -> Measurement:
    known = {name: value for name, value in item.items() if name in Measurement.__dataclass_fields__}
    return Measurement(**known)
