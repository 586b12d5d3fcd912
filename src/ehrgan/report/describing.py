"""Table 1: the attributes of the records, by class of the outcome."""

import numpy as np
import pandas as pd

from .convert import is_category, written

__all__ = ["table_one"]


def table_one(prepared):
    """Median and quartiles of numbers, counts of categories, and holes, by class.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        The table as it was read.

    Returns
    -------
    DataFrame of str
        Columns attribute, all, one for each class, missing (share of all records). Shares of
        categories are of the known cells.

    Examples
    --------
    >>> from ehrgan.report.reading import prepare
    >>> table = pd.DataFrame({"age": [30.5, 41, 52, 63] * 10, "died": ["no", "yes"] * 20})
    >>> table_one(prepare(table, "died", keep=("age",))).loc[0].tolist()
    ['age', '46.5 (38.38 to 54.75)', '41.25 (30.5 to 52)', '52 (41 to 63)', '0.0%']
    """
    classes = [f"{name} ({(prepared.y == k).sum()})" for k, name in enumerate(prepared.classes)]
    parts = {"all": np.full(len(prepared.y), True)}
    parts |= {name: prepared.y == k for k, name in enumerate(classes)}
    rows = []
    for name, cells in prepared.X.items():
        gone = f"{cells.isna().mean():.1%}"
        if is_category(cells):
            for value in cells.cat.categories:
                told = {part: _count(cells[own], value) for part, own in parts.items()}
                rows.append({"attribute": f"{name}: {value}", **told, "missing": gone})
        else:
            field = prepared.schema[name]
            told = {part: _quartiles(field, cells[own]) for part, own in parts.items()}
            rows.append({"attribute": name, **told, "missing": gone})
    return pd.DataFrame(rows)


def _quartiles(field, cells):
    if cells.notna().sum() == 0:
        return ""
    quartiles = np.nanquantile(cells, [0.25, 0.5, 0.75])
    low, middle, high = (written(field, value, 4) for value in quartiles)
    return f"{middle} ({low} to {high})"


def _count(cells, value):
    known = cells.notna().sum()
    n = (cells == value).sum()
    return f"{n} ({n / known:.0%})" if known else ""
