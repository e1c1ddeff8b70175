"""The room of training: fit encoders and members, out of fold, within a budget, and describe them as plain arrays.

`fit.train_pipeline` is the door. It fits encoders (`encoders`, `values`, `texts`), has the emitted graph make the features
(`features`), tries a fixed portfolio of LightGBM, linear models, perceptrons and extremely randomised trees out of fold
(`portfolio`, `contest`, `selection`), blends them greedily (`blend`), fits the chosen ones once more on all rows (`refit`) and
calibrates where that helps. A new kind of member is a new file that follows `recipes.Recipe`, and a line in `portfolio`.

What leaves this room is a `core.pipeline.Pipeline`; no scikit-learn or LightGBM object does (`export`). Where time orders the
rows the room is suspicious: columns that only count the days must prove themselves forward in time (`clocks`), the latest
fold counts most, and people are told when recent rows get harder to predict (`notes`).
"""
