"""Orders that hold in every real record, such as the lower pressure below the upper."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from .space import same_columns

__all__ = ["broken_orders", "orders"]

FEWEST = 20  # records that must know both columns
SOME = 2000  # records that most pairs of columns fail on


def orders(real):
    """Pairs of columns of which the first never exceeds the second, though their ranges overlap.

    Parameters
    ----------
    real : DataFrame of shape (n_records, n_attributes)
        Columns that hold no numbers are passed over.

    Returns
    -------
    list of (label, label)
        The smaller column first; pairs that 20 records or more know.

    Notes
    -----
    Cost: records times pairs of columns that no early record has ruled out.

    Examples
    --------
    >>> real = pd.DataFrame({"low": range(60, 90), "high": range(80, 110), "other": [85.0] * 30})
    >>> orders(real)
    [('low', 'high')]
    """
    numbers = real.select_dtypes("number")
    X = numbers.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    found = []
    for j, x in enumerate(X.T):
        alive = np.arange(X.shape[1])
        alive = alive[alive != j]
        for part in (slice(0, SOME), slice(None)):
            alive = alive[~(x[part, None] > X[part][:, alive]).any(axis=0)]
        for k in alive:
            both = ~np.isnan(x) & ~np.isnan(X[:, k])
            overlap = both.sum() >= FEWEST and x[both].max() > X[both, k].min()
            if overlap:
                found.append((numbers.columns[j], numbers.columns[k]))
    return found


def broken_orders(real, fake):
    """Orders that hold in every real record and are broken by fake ones.

    Parameters
    ----------
    real, fake : DataFrame of shape (n_records, n_attributes)
        Of the same columns.

    Returns
    -------
    DataFrame
        A row for each broken order, the most broken first: smaller, larger (columns), known (real
        records in which it held), fake (records that break it), mean, low, high: their share among
        those that have both, with Wilson's 95 % interval.

    Raises
    ------
    TypeError, ValueError
        As :func:`~ehrgan.synthetic.space.same_columns`.

    Notes
    -----
    An order that held in n real records may still be broken by three in n of them (95 %).

    Examples
    --------
    >>> real = pd.DataFrame({"low": range(60, 90), "high": range(80, 110)})
    >>> fake = pd.DataFrame({"low": [70, 99], "high": [80, 81]})
    >>> broken_orders(real, fake)[["smaller", "larger", "known", "fake"]].values.tolist()
    [['low', 'high', 30, 1]]
    """
    real, fake = same_columns(real, fake)
    rows = []
    for small, large in orders(real):
        both = fake[small].notna() & fake[large].notna()
        broken = int((fake[small] > fake[large])[both].sum())
        if broken:
            known = int((real[small].notna() & real[large].notna()).sum())
            share = binomtest(broken, int(both.sum())).proportion_ci(method="wilson")
            rows.append((small, large, known, broken, broken / both.sum(), share.low, share.high))
    names = ["smaller", "larger", "known", "fake", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=names).sort_values("mean", ascending=False, ignore_index=True)
