"""The prediction log: what was answered, to whom, from what, and what really happened.

`PredictionLog` appends answers and takes outcomes; it loads neither NumPy nor Polars, so that a server starts quickly.
`PredictionReader` gives windows of the log back as frames. Both stand on one of two doors with the same promises:
`SqliteStore` (one file a month under ``.skiff/predictions``) or `PostgresStore` (``[store] database``).

What `PredictionLog.append` acknowledged survives the end of the process, however it ends. Nothing is dropped in silence:
where rows come faster than they can be written the caller is told (`log_busy`).
"""
