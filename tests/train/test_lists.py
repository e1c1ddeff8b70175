"""Lists in cells: told from other texts with commas, and encoded by the graph as by the plain reading."""

from __future__ import annotations

import numpy as np
import polars as pl

from skiff.core.pipeline import ListEncoder
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.deploy.featurizer import featurize
from skiff.deploy.reference import encode_reference
from skiff.train.encoders import fit_encoders
from skiff.train.lists import fit_list

CELLS = [
    "",
    None,
    "wifi",
    " wifi , pool",
    "pool,pool",
    "sauna",
    ",",
    "wifi;pool",
    "größe, wifi",
    "WIFI",
    "a|b",
    "heated pool",
]


def test_the_graph_splits_cells_as_the_plain_reading_does() -> None:
    frame = pl.DataFrame({"extras": [*CELLS, "x" * 5_000, "wifi,\tpool\n", ", ".join(["wifi"] * 300)]})
    column = InputColumn(name="extras", kind="category")
    for separator in (",", ";", "|"):
        encoder = ListEncoder(
            column="extras",
            separator=separator,
            items=("wifi", "pool", "größe", "heated pool", "b"),
            mean=1.5,
            scale=0.7,
        )
        made = featurize([column], [encoder], frame)
        tree, linear = encode_reference([encoder], frame)
        assert np.array_equal(made.tree, tree)
        assert np.abs(made.linear - linear).max() <= 1e-14
        assert made.tree_names[-1] == "extras: (number of items)"
        assert featurize([column], [encoder], frame.head(0)).tree.shape == (0, 6)
        assert featurize([column], [encoder], frame.head(2)).tree.sum() == 0  # missing cells alone


def test_prose_names_and_places_are_no_lists() -> None:
    chance = np.random.default_rng(0)
    names = [f"Family{place}, Given{place % 17}" for place in range(300)]
    prose = [
        f"The room was {word}, and the host, number {place}, was kind"
        for place, word in enumerate(["big", "cold"] * 150)
    ]
    places = [f"{city}, Germany" for city in chance.choice(["Bonn", "Kiel", "Ulm"], 300)]
    for cells in (names, prose, places, ["yes", "no"] * 100):
        assert fit_list(pl.Series("x", cells)) is None


def test_a_list_keeps_its_codes_beside_its_items() -> None:
    chance = np.random.default_rng(1)
    cells = [
        "|".join(chance.choice(["wifi", "pool", "bar", "gym"], chance.integers(1, 4), replace=False))
        for _ in range(300)
    ]
    frame = pl.DataFrame({"extras": cells})
    y = np.array(["pool" in cell for cell in cells], dtype=float)
    task = Task(kind="binary", target="busy", classes=("no", "yes"), positive="yes")
    fitted = fit_encoders(frame, [InputColumn(name="extras", kind="category")], y, task)
    kinds = {type(encoder).__name__ for encoder in fitted}
    assert {"ListEncoder", "CategoryEncoder"} <= kinds
    made = featurize([InputColumn(name="extras", kind="category")], fitted, frame)
    assert np.array_equal(made.tree[:, made.tree_names.index("extras: pool")], y)
