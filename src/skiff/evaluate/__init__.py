"""The room of judgement: every number with its interval, sample size and baseline.

Arrays of truths and predictions come in, `Measurement`s go out. Nothing here knows how a model was made.
"""
