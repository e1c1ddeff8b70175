"""The room of training: fit encoders and members, out of fold, within a budget, and describe them as plain arrays.

What leaves this room is a `core.pipeline.Pipeline`; no scikit-learn or LightGBM object does.
"""
