"""The scale on which the autoencoder works, learned from observed cells."""

from typing import NamedTuple

import numpy as np

LOG_OFFSET = 0.3  # share of (mean - least) added before a logarithm, so that it stays finite


class Units(NamedTuple):
    """The scale of each attribute that the network sees.

    Parameters
    ----------
    low, high : ndarray of shape (d,)
        Least and greatest value seen.
    offset : ndarray of shape (d,)
        Added before the logarithm; NaN where none is taken.
    shift, scale : ndarray of shape (d,)
        Subtracted, then divided by.
    """

    low: np.ndarray
    high: np.ndarray
    offset: np.ndarray
    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, X, columns, scaling, coded=()):
        """Learn from the observed cells of some columns, one at a time; codes stay 0 and 1."""
        code = (0.0, 1.0, np.nan, 0.0, 1.0)
        units = [code if j in coded else cls._of_column(X[:, j], scaling) for j in columns]
        return cls(*np.array(units).reshape(-1, 5).T)

    @staticmethod
    def _of_column(x, scaling):
        x = np.sort(x[~np.isnan(x)]).astype(np.float64)  # sorted: the sum forgets the order given
        low, high = x[0], x[-1]
        if high - low <= 10 * np.finfo(np.float32).eps * max(abs(low), abs(high)):
            return low, high, np.nan, low, 1.0
        if scaling == "minmax":
            return low, high, np.nan, low, high - low
        offset = np.nan
        if scaling == "log":
            offset = LOG_OFFSET * (x.mean() - low)
            x = np.log(x - low + offset)
        return low, high, offset, x.mean(), x.std()

    def to_network(self, X):
        """Scale records; cells below the range seen go no lower than half the offset."""
        Z = np.where(np.isnan(self.offset), X, 0.0)
        logged = ~np.isnan(self.offset)
        raised = X[:, logged] - self.low[logged] + self.offset[logged]
        Z[:, logged] = np.log(np.maximum(raised, 0.5 * self.offset[logged]))
        return np.float32((Z - self.shift) / self.scale)

    def from_network(self, Z):
        """Return to original units, kept within the range seen."""
        X = Z.astype(np.float64) * self.scale + self.shift
        logged = ~np.isnan(self.offset)
        top = np.log(self.high - self.low + self.offset)[logged]
        raised = np.exp(np.minimum(X[:, logged], top))
        X[:, logged] = raised - self.offset[logged] + self.low[logged]
        return np.clip(X, self.low, self.high)
