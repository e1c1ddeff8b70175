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
from skiff.core.optional import import_extra
from skiff.core.signature import Signature
from skiff.data.sentences import say_figure, say_reach
from skiff.deploy.answers import Answers
from skiff.deploy.predictor import Prediction, Predictions
from skiff.deploy.runtime import Runtime
from skiff.deploy.whatif import WhatIf, ask_what_if
from skiff.report.glossary import describe_metric
from skiff.store.files import explained, write_atomic
from skiff.store.unlock import read_released

COMPANION = "reasons.onnx"
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
    companion : bytes, optional
        The file that says what each column adds to an answer.

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
        companion: bytes | None = None,
    ) -> None:
        """Open the compiled file."""
        self._onnx = onnx
        self._companion = companion
        self._runtime = Runtime(onnx, companion)
        self._predictor = self._runtime.predictor
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

    def score(self, X: Table, y: Any) -> float:  # noqa: ANN401  a column of any library
        """Return the share of right answers, or R² of a regression: scikit-learn's habit, for a quick look.

        What was measured on the sealed rows, with intervals, is in ``measurements``.
        """
        found = self.predict(X)
        if self._predictor.kind == "regression":
            wanted = np.asarray(y, dtype=np.float64)
            spread = float(np.sum((wanted - wanted.mean()) ** 2))
            return 1.0 - float(np.sum((wanted - found) ** 2)) / spread if spread else float("nan")
        return float(np.mean(found == label_answers(y)))

    def fit(self, X: Table, y: Any = None) -> Self:  # noqa: ANN401  scikit-learn's signature
        """Refuse: a released model is what was judged, and is never fitted again.

        Raises
        ------
        SkiffError
            ``model_is_fixed``.
        """
        del X, y
        raise SkiffError(
            "model_is_fixed",
            what="A compiled model is what was judged, so it cannot be fitted again.",
            where={"model": repr(self)},
            fix="Train another one with skiff.train(table, target=…).",
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return no parameters: nothing of a compiled model can be set."""
        del deep
        return {}

    def __sklearn_clone__(self) -> Self:
        """Return itself where scikit-learn wants an unfitted copy: it cannot be fitted."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say that it is fitted."""
        return True

    def __sklearn_tags__(self) -> object:
        """Say what it is, where scikit-learn asks (and so is there already)."""
        utils = import_extra("sklearn.utils", extra="core")
        is_amount = self._predictor.kind == "regression"
        return utils.Tags(
            estimator_type="regressor" if is_amount else "classifier",
            target_tags=utils.TargetTags(required=False),
            transformer_tags=None,
            classifier_tags=None
            if is_amount
            else utils.ClassifierTags(multi_class=self._predictor.kind == "multiclass"),
            regressor_tags=utils.RegressorTags() if is_amount else None,
            input_tags=utils.InputTags(two_d_array=True, string=True, allow_nan=True),
        )

    def predict_row(self, row: Mapping[str, Any]) -> Prediction:  # Any: cells of any library
        """Return the answer to one row given as a dict: the fast path for a server or a form."""
        return self._predictor.predict_row(row)

    def answer(self, X: Table, *, reasons: bool = False) -> Answers:
        """Return everything the model says about each row: answer, range or set, decision and, if asked, reasons.

        Parameters
        ----------
        X : as for `predict`
        reasons : bool
            Whether to say what each column adds; base and contributions add up to the answer exactly.

        Raises
        ------
        SkiffError
            ``missing_column``, ``bad_value``; ``no_reasons`` for a model that was saved without them.
        """
        return self._runtime.answer(X, reasons=reasons)

    def what_if(self, row: Mapping[str, Any], **changes: Any) -> WhatIf:  # noqa: ANN401  cells of any library
        """Return the answer to a row as it is and with some of its cells replaced.

        Raises
        ------
        SkiffError
            ``column_not_found`` where a change names a column that the model does not use.
        """
        return ask_what_if(self._runtime, row, changes)

    def save(self, folder: Path | str) -> None:
        """Write ``model.onnx``, ``facts.json`` and, where there are any, ``reasons.onnx`` and ``card.md`` into `folder`.

        Raises
        ------
        SkiffError
            What the disk says.
        """
        root = Path(folder)
        with explained(root):
            root.mkdir(parents=True, exist_ok=True)
        facts = {
            "metrics": {name: _to_json(item) for name, item in self.measurements.items()},
            "findings": [_finding_to_json(item) for item in self.findings],
        }
        write_atomic(root / "model.onnx", self._onnx)
        if self._companion is not None:
            write_atomic(root / COMPANION, self._companion)
        write_atomic(root / "facts.json", json.dumps(facts, indent=2, sort_keys=True).encode())
        if self._card:
            write_atomic(root / "card.md", self._card.encode())

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Open a saved model or a release's folder; nothing but onnxruntime is needed.

        A release of an encrypted workspace is opened by what opens that: ``SKIFF_PASSPHRASE``, ``SKIFF_KEY_FILE`` …

        Raises
        ------
        SkiffError
            ``model_not_found`` where there is no ``model.onnx``; ``passphrase_missing``, ``encrypted_damaged`` ….
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
                facts = json.loads(read_released(path.parent / name))
                break
        metrics = {name: _from_json(item) for name, item in facts.get("metrics", {}).items()}
        findings = [_finding_from_json(item) for item in facts.get("findings", [])]
        beside = path.parent / COMPANION
        companion = read_released(beside) if beside.is_file() else None
        return cls(read_released(path), measurements=metrics, findings=findings, companion=companion)

    def __repr__(self) -> str:
        """Return what the model is, in one line."""
        return f"Model({self._predictor.kind}, {self.n_features_in_} columns, {len(self._onnx):,} bytes)"

    def _repr_html_(self) -> str:
        """Return the measurements as a table for a notebook."""
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(describe_metric(name).label)}</th><td>{say_figure(item.value)}</td>"
            f"<td>{_range(item)}</td><td>{'' if item.baseline is None else say_figure(item.baseline)}</td><td>{item.n:,}</td></tr>"
            for name, item in self.measurements.items()
        )
        head = "<tr><th>metric</th><th>value</th><th>95 % interval</th><th>a guess</th><th>rows</th></tr>"
        return f"<p><strong>{html.escape(repr(self))}</strong></p><table><thead>{head}</thead><tbody>{rows}</tbody></table>"

    def _answer(self, X: Table) -> Predictions:
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == self.n_features_in_:  # noqa: PLR2004  rows and columns
            return self._predictor.predict_columns(dict(zip(self.feature_names_in_, X.T, strict=True)))
        if isinstance(X, Sequence) and not isinstance(X, str):
            return self._predictor.predict_rows(X)
        if isinstance(X, Mapping) or hasattr(X, "columns") or hasattr(X, "column_names"):
            return self._predictor.predict_columns(X)
        raise SkiffError(
            "not_a_table",
            what=f"A {type(X).__name__} is not a table that this model can answer.",
            where={"argument": "X"},
            fix=f"Give a frame, a list of dicts, or an array with the {self.n_features_in_} columns of feature_names_in_.",
        )


def load(folder: Path | str) -> Model:
    """Open a saved model or a release's folder: see `Model.load`."""
    return Model.load(folder)


def label_answers(y: Any) -> NDArray[Any]:  # noqa: ANN401  a column of any library
    """Return known answers as the model writes them: text, whole numbers without decimals, booleans in lower case.

    Examples
    --------
    >>> label_answers([1.0, 0.0]).tolist(), label_answers([True]).tolist(), label_answers([" yes"]).tolist()
    (['1', '0'], ['true'], ['yes'])
    """

    def label(value: object) -> str:
        if isinstance(value, (bool, np.bool_)):
            return str(bool(value)).lower()
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            return str(int(value))
        return str(value).strip()

    return np.array([label(value) for value in np.asarray(y, dtype=object)], dtype=object)


def _range(item: Measurement) -> str:
    return say_reach(item.low, item.high, none="none")


def _to_json(item: Measurement) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Measurement.__dataclass_fields__}


def _from_json(item: Mapping[str, Any]) -> Measurement:
    known = {name: value for name, value in item.items() if name in Measurement.__dataclass_fields__}
    return Measurement(**known)


def _finding_to_json(item: Finding) -> dict[str, Any]:
    made = {name: getattr(item, name) for name in Finding.__dataclass_fields__}
    proof = item.evidence.items()
    made["evidence"] = {name: _to_json(value) if isinstance(value, Measurement) else value for name, value in proof}
    return made


def _finding_from_json(item: Mapping[str, Any]) -> Finding:
    known = {name: value for name, value in item.items() if name in Finding.__dataclass_fields__}
    for name in ("columns", "sample_rows"):
        known[name] = tuple(known.get(name, ()))
    known["evidence"] = {name: _proof_from_json(value) for name, value in known.get("evidence", {}).items()}
    return Finding(**known)


def _proof_from_json(value: object) -> Any:  # noqa: ANN401  whatever the evidence held
    if isinstance(value, dict):
        return _from_json(value)
    return tuple(value) if isinstance(value, list) else value
