"""The door to paper: results become HTML, Markdown and charts. It never computes a result.

Everything starts from one frozen `content.RunStory`. `words` and `mistakes` turn it into sentences, `charts` into
Vega-Lite specifications and SVG, `html`, `card` and `datasheet` into documents, `run_json` into what programs read.

A number that is not in the story is not printed. The words are for someone who runs a shop: natural frequencies
("8 of 10") before rates, a range beside every number, the bad news first.
"""
