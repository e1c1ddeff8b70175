"""The ground: the words every other room speaks.

A `Finding` is what a check says about the data, a `Measurement` a number that carries its interval and
sample size, a `Task` what is to be predicted, a `Signature` what the model takes, a `Pipeline` the whole
fitted model as plain arrays, an `EvidenceRecord` what was done. Nothing here touches disk, network, console,
the clock or chance, and nothing here imports another room.

What is admitted: words that at least two rooms need. Mathematics lives in `evaluate`, checks in `data`.
"""
