"""The operators a graph of ours may hold: a tight list, so that a stranger's graph stands out."""

from __future__ import annotations

ALLOWED: dict[str, frozenset[str]] = {
    "": frozenset(
        {
            "Abs", "Add", "And", "ArgMax", "Cast", "Clip", "Concat", "Div", "Equal", "Exp", "Gather", "GreaterOrEqual", "Identity",
            "IsInf", "IsNaN", "Less", "Log", "MatMul", "Max", "Min", "Mod", "Mul", "Not", "Or", "ReduceSum",
            "ReduceSumSquare", "Relu", "Sigmoid", "Sign", "Softmax", "Sqrt", "Squeeze", "StringNormalizer", "Sub", "Sum",
            "TfIdfVectorizer", "Where",
        }
    ),
    "ai.onnx.ml": frozenset({"LabelEncoder", "TreeEnsemble"}),
    "com.microsoft": frozenset({"Tokenizer"}),
}  # fmt: skip
"""Operator types by domain; a test holds every compiled graph against it."""
