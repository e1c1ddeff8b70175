"""The witness's trees: LightGBM's C interface called directly.

LightGBM's Python package loads scikit-learn, SciPy's statistics and pandas wherever they are installed: about a second, a
quarter of what checking half a million rows takes. The library underneath needs none of them. The trees are the same, bit
for bit.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

_FLOAT32, _FLOAT64 = 0, 1
"""``C_API_DTYPE_FLOAT32`` and ``C_API_DTYPE_FLOAT64``."""

_ROW_MAJOR = 1
_NORMAL = 0
"""``C_API_PREDICT_NORMAL``: probabilities or values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """A fitted model; it lives as long as this object.

    Parameters
    ----------
    handle : _Handle
    n_outputs : int
        Numbers a row: the classes of a multiclass model, else 1.
    """

    handle: _Handle
    n_outputs: int

    def predict(self, X: Float) -> Float:
        """Return probabilities or values: shape (n_rows,), or (n_rows, n_outputs) for several classes."""
        X = np.ascontiguousarray(X, dtype=np.float64)
        made = np.empty(len(X) * self.n_outputs)
        if len(X):
            n_made = ctypes.c_int64(0)
            _call(
                "LGBM_BoosterPredictForMat", self.handle.value, *_describe(X), _NORMAL, 0, -1, b"num_threads=1",
                ctypes.byref(n_made), made.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
            )  # fmt: skip
        return made.reshape(-1, self.n_outputs) if self.n_outputs > 1 else made


def fit_forest(
    X: Float, y: Float, *, weight: Float, categories: Sequence[int], settings: Mapping[str, object], n_trees: int
) -> Forest:
    """Fit boosted trees.

    Parameters
    ----------
    X : ndarray of float64, shape (n_rows, n_columns)
        NaN where missing.
    y, weight : ndarray of float64, shape (n_rows,)
    categories : sequence of int
        Columns whose numbers have no order.
    settings : mapping
        LightGBM's parameters, with the seed.
    n_trees : int

    References
    ----------
    LightGBM, C API, https://lightgbm.readthedocs.io/en/stable/C-API.html.
    """
    named = {**settings, **({"categorical_feature": list(categories)} if categories else {})}
    words = " ".join(f"{name}={_say(value)}" for name, value in named.items()).encode()
    X = np.ascontiguousarray(X, dtype=np.float64)
    data = _Handle("LGBM_DatasetFree")
    _call("LGBM_DatasetCreateFromMat", *_describe(X), words, None, data.reference)
    for field, values in (("label", y), ("weight", weight)):
        column = np.ascontiguousarray(values, dtype=np.float32)
        _call(
            "LGBM_DatasetSetField", data.value, field.encode(),
            column.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(len(column)), _FLOAT32,
        )  # fmt: skip
    model = _Handle("LGBM_BoosterFree")
    _call("LGBM_BoosterCreate", data.value, words, model.reference)
    is_finished = ctypes.c_int(0)
    for _ in range(n_trees):
        _call("LGBM_BoosterUpdateOneIter", model.value, ctypes.byref(is_finished))
        if is_finished.value:
            break
    n_outputs = settings.get("num_class", 1)
    return Forest(handle=model, n_outputs=n_outputs if isinstance(n_outputs, int) else 1)


class _Handle:
    """Something of the library's, freed with this object."""

    def __init__(self, free: str) -> None:
        self.value = ctypes.c_void_p()
        self._free = getattr(_load(), free)

    @property
    def reference(self) -> object:
        """Where the library writes it."""
        return ctypes.byref(self.value)

    def __del__(self) -> None:
        if self.value:
            self._free(self.value)


@cache
def _load() -> ctypes.CDLL:
    """Return the library, found by the package's own search, without running the rest of the package."""
    package = importlib.util.find_spec("lightgbm")
    folder = next(iter(package.submodule_search_locations or ()), "") if package else ""
    spec = importlib.util.spec_from_file_location("lightgbm_libpath", f"{folder}/libpath.py") if folder else None
    if spec is None or spec.loader is None:
        message = "No module named 'lightgbm'"
        raise ModuleNotFoundError(message, name="lightgbm")
    search = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(search)
    library: ctypes.CDLL = search._LIB  # noqa: SLF001  the name under which the package itself takes it
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library


def _call(name: str, *arguments: object) -> None:
    """Call the library; it says what is wrong in words."""
    library = _load()
    if getattr(library, name)(*arguments) != 0:
        reason = library.LGBM_GetLastError().decode(errors="replace")
        raise RuntimeError(reason)


def _describe(X: Float) -> tuple[object, ...]:
    """Return a matrix as the library takes it."""
    rows, columns = X.shape
    return (
        X.ctypes.data_as(ctypes.c_void_p),
        _FLOAT64,
        ctypes.c_int32(rows),
        ctypes.c_int32(columns),
        _ROW_MAJOR,
    )


def _say(value: object) -> str:
    """Return a setting as the library reads it."""
    return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)
