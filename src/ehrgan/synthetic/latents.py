"""A table of mixed columns as one number a column, which a generator learns; and back again."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..tables.column import learn_column

__all__ = ["Latents"]

KNOTS = 200  # quantiles that stand for the distribution of a number
DECIMALS = 6  # a number with more is not rounded


class Latents(NamedTuple):
    """How each column of a table becomes one number, and a table becomes of such numbers.

    A category takes a stretch of the standard normal distribution that is as probable as the
    category is frequent, and each cell a random place on it. A number stays in its unit, or becomes
    the standard normal score of its rank.

    Parameters
    ----------
    columns : list of ehrgan.tables.column.Column
        Kind, levels and dtype of each column.
    marginals : list of ndarray
        Of a category the cumulative shares of its levels, of a number its quantiles.
    decimals : list of int or None
        To how many places the numbers of a column are rounded; None where they are not.
    numbers : {"units", "scores"}
        What numbers become.
    names : Index
        Names of the columns.

    Notes
    -----
    Cost: linear in cells, apart from a sort of each column of numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [61, 47, 70], "site": ["lung", None, "colon"]})
    >>> latents = Latents.learn(table, np.array([1, 0, 0]), "units")
    >>> numbers = latents.encode(table, np.random.default_rng(0))
    >>> numbers[:, 0].tolist(), np.isnan(numbers[:, 1]).tolist()
    ([61.0, 47.0, 70.0], [False, True, False])
    >>> numbers[0, 0] = 99.7
    >>> latents.decode(numbers).fillna("").to_dict("list")
    {'age': [70, 47, 70], 'site': ['lung', '', 'colon']}
    """

    columns: list
    marginals: list
    decimals: list
    numbers: str
    names: pd.Index

    @classmethod
    def learn(cls, table, c, numbers):
        """Learn from a table.

        Parameters
        ----------
        table : DataFrame of shape (n_records, n_attributes)
            Numbers, booleans, categoricals or text; NaN, None or NA where missing.
        c : int ndarray of shape (n_records,)
            Class of each record: unordered categories stand in the order of their mean class.
        numbers : {"units", "scores"}
            What numbers become.

        Returns
        -------
        Latents

        Raises
        ------
        TypeError
            As :func:`~ehrgan.tables.column.learn_column`.
        ValueError
            A column holds infinity, or words of which more than half differ.
        """
        columns, marginals, decimals = [], [], []
        for name in table.columns:
            column = _learned(name, table[name], c)
            codes = column.encode(table[name])[:, 0]
            codes = codes[~np.isnan(codes)]
            if np.isinf(codes).any():
                raise ValueError(f"column {name!r} holds infinity: finite numbers are needed")
            columns.append(column)
            if column.kind == "number":
                p = np.linspace(0, 1, KNOTS)
                marginals.append(np.quantile(codes, p) if len(codes) else codes)
                decimals.append(_decimals(codes))
            else:
                counts = np.bincount(codes.astype(int), minlength=len(column.levels))
                marginals.append(np.r_[0, np.cumsum(counts) / max(1, counts.sum())])
                decimals.append(None)
        return cls(columns, marginals, decimals, numbers, table.columns)

    def encode(self, table, rng):
        """Give the numbers of a table.

        Parameters
        ----------
        table : DataFrame of shape (n_records, n_attributes)
            The columns of :meth:`learn`.
        rng : numpy.random.Generator
            Draws the places of equal cells.

        Returns
        -------
        ndarray of float64, shape (n_records, n_attributes)
            NaN where missing.
        """
        found = np.empty(table.shape)
        for j, (column, marginal) in enumerate(zip(self.columns, self.marginals, strict=True)):
            codes = column.encode(table[column.name])[:, 0]
            if column.kind == "number":
                scores = self.numbers == "scores" and len(marginal)
                found[:, j] = _score(_ranks(codes, marginal, rng)) if scores else codes
            else:
                k = np.nan_to_num(codes).astype(int)
                width = np.append(np.diff(marginal), 0)
                u = marginal[k] + width[k] * rng.random(len(k))
                found[:, j] = np.where(np.isnan(codes), np.nan, _score(u))
        return found

    def decode(self, numbers):
        """Give the table that such numbers mean.

        Parameters
        ----------
        numbers : ndarray of shape (n_records, n_attributes)
            NaN where a cell is to be missing.

        Returns
        -------
        DataFrame of shape (n_records, n_attributes)
            In the dtypes of the table learned from; numbers lie in its ranges and have as many
            decimals, categories are among its own.
        """
        table = {}
        for j, (column, marginal) in enumerate(zip(self.columns, self.marginals, strict=True)):
            x = numbers[:, j]
            if column.kind != "number":
                codes = np.searchsorted(marginal[1:-1], ndtr(x), side="right")
                codes = np.where(np.isnan(x), np.nan, codes)
            elif not len(marginal):
                codes = np.full(len(x), np.nan)
            else:
                if self.numbers == "scores":
                    x = np.interp(ndtr(x), np.linspace(0, 1, len(marginal)), marginal)
                codes = np.clip(x, marginal[0], marginal[-1])
                if self.decimals[j] is not None:
                    codes = np.round(codes, self.decimals[j])
            table[j] = column.decode(codes[:, None])
        return pd.DataFrame(table).set_axis(self.names, axis=1)


def _learned(name, cells, c):
    """The column; a category codes as its place, unordered ones by their mean class."""
    column = learn_column(name, cells, len(cells) + 1, False)
    if column.kind == "number":
        return column
    if column.kind == "nominal":
        if len(column.levels) > max(20, cells.notna().sum() / 2):
            raise ValueError(
                f"column {name!r} holds {len(column.levels)} different words in "
                f"{cells.notna().sum()} records: a generator would hand them out, so leave it out"
            )
        places, n = column.places(cells) + 1, len(column.levels) + 1  # holes first
        rates = np.bincount(places, c, n) / np.maximum(np.bincount(places, minlength=n), 1)
        levels = tuple(column.levels[k] for k in np.argsort(rates[1:], kind="stable"))
        column = column._replace(kind="ordered", levels=levels)
    return column._replace(kept=len(column.levels), shares=(1,) * len(column.levels))


def _decimals(x):
    """To how many places all of some numbers are rounded, or None."""
    return next((d for d in range(DECIMALS) if np.array_equal(np.round(x, d), x)), None)


def _ranks(x, quantiles, rng):
    """Places of numbers in a distribution, from 0 to 1; of equal numbers at random."""
    p = np.linspace(0, 1, len(quantiles))
    most = np.interp(x, quantiles, p)
    least = 1 - np.interp(-x, -quantiles[::-1], p)
    return least + (most - least) * rng.random(len(x))


def _score(u):
    """Standard normal scores of places from 0 to 1, the ends drawn in."""
    return ndtri(np.clip(u, 1e-4, 1 - 1e-4))
