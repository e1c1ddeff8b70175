"""The room that judges a window of predictions against what its release was trained on and promised.

`judge_window` holds one window against the reference profile of a release: data quality, drift of single columns and of all
together, drift of the answers, the estimated quality, the delivered quality where outcomes are known, and how the service
ran. Every test is a p-value with an effect size; `budget` decides which of them may count, so that false alarms over all
columns and all windows stay within what was agreed, and `harm` asks of each whether it could move the score at all.

`estimate` and `errors` tell the quality before any outcome is known, with what is uncertain about it; `delivered` compares
promise and outcome; `feedback` says which outcomes the model's own decisions hid; `notices` decides what is worth a message,
and `schedule` when to look. Nothing here reads a disk, a clock or a network.
"""
