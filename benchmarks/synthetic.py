"""Generators of records on three tables, split anew by every seed: how far from ideal each is."""

import pandas as pd
from tqdm import tqdm

from ehrgan.synthetic.compare import TABLES, compare
from ehrgan.synthetic.generators import GENERATORS


def generators(seeds=range(4)):
    """Rows of :func:`ehrgan.synthetic.compare.compare`, with table, generator and seed."""
    asked = [(table, name, seed) for table in TABLES for seed in seeds for name in GENERATORS]
    rows = [
        compare(table, name, seed).assign(table=table, generator=name, seed=seed)
        for table, name, seed in tqdm(asked, desc="generators")
    ]
    return pd.concat(rows, ignore_index=True)
