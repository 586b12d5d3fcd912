"""A table with holes: attributes, classes and names, and where the paper's table comes from."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from .masking import apply_mask

__all__ = ["Records", "load_wdbc", "zero_counts"]


@dataclass(frozen=True, eq=False)
class Records:
    """A table of records, some cells missing, each record in one of two classes.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_records, n_attributes)
        Finite numbers in any units; NaN marks a missing cell. Stored as a float64 DataFrame, a
        copy; columns of a bare array are called ``x0``, ``x1``, ...
    y : array-like of shape (n_records,)
        1 for the positive class and 0 for the negative; both must occur.
    name : str, default="records"
        What the table is called in titles.
    positive, negative : str, default="positive", "negative"
        Words for the two classes.

    Raises
    ------
    ValueError
        If the table is empty, holds infinity, something that is not a number or two attributes of
        one name, if `y` has another length than `X`, a value other than 0 and 1, or a single
        class.

    Examples
    --------
    >>> records = Records([[1.0, 2.0], [3.0, np.nan]], [0, 1], name="toy")
    >>> records
    <Records 'toy': 2 records x 2 attributes, 1 positive, 1 cell missing>
    >>> records.attributes, records.replace_cells([[True, False], [False, False]]).X["x0"].tolist()
    (['x0', 'x1'], [nan, 3.0])
    """

    X: pd.DataFrame
    y: np.ndarray
    name: str = "records"
    positive: str = "positive"
    negative: str = "negative"

    def __post_init__(self):
        """Check and normalise the fields."""
        X, y = _checked_table(self.X), np.asarray(self.y)
        if y.shape != (len(X),):
            raise ValueError(
                f"y must have one label per record of X, shape ({len(X)},), got shape {y.shape}"
            )
        labels = pd.unique(y).tolist()
        if not set(labels) <= {0, 1}:
            raise ValueError(f"y must hold 1 (positive) and 0 (negative) only, got {labels}")
        if len(labels) < 2:
            raise ValueError(f"y must hold both classes, 0 and 1, got only {labels}")
        # A frozen dataclass forbids plain assignment; these are its own normalised fields.
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y.astype(np.int64))

    def __len__(self):
        """Count the records."""
        return len(self.X)

    def __repr__(self):
        """Tell name, size, positive records and missing cells in one line."""
        n_missing = int(self.X.isna().to_numpy().sum())
        return (
            f"<Records {self.name!r}: {len(self)} records x {self.X.shape[1]} attributes, "
            f"{self.y.sum()} {self.positive}, {n_missing} cell{'s' * (n_missing != 1)} missing>"
        )

    @property
    def attributes(self):
        """Names of the attributes, a list in the order of the columns."""
        return self.X.columns.tolist()

    def replace_cells(self, mask):
        """Return a copy with NaN where the mask is True.

        Parameters
        ----------
        mask : array-like of bool, shape (n_records, n_attributes)
            As for :func:`~ehrgan.tables.masking.apply_mask`, which also says what is refused.

        Returns
        -------
        Records
        """
        return replace(self, X=apply_mask(self.X, mask))


def load_wdbc():
    """Load Breast Cancer Wisconsin (Diagnostic), the paper's table, from scikit-learn.

    scikit-learn codes malignant as 0; here, as in the paper, malignant is 1, the positive class.

    Returns
    -------
    Records
        569 records of 30 attributes (mean, standard error and worst value of ten measurements of
        cell nuclei), 212 malignant and 357 benign, nothing marked as missing.

    References
    ----------
    The paper, Materials and Methods, *Dataset* and *Preprocessing*.

    Examples
    --------
    >>> load_wdbc()
    <Records 'Breast Cancer Wisconsin': 569 records x 30 attributes, 212 malignant, 0 cells missing>
    """
    bunch = load_breast_cancer(as_frame=True)
    is_malignant = (bunch.target == list(bunch.target_names).index("malignant")).to_numpy()
    return Records(bunch.data, is_malignant, "Breast Cancer Wisconsin", "malignant", "benign")


def zero_counts(X):
    """Count the cells that hold exactly zero, for each attribute that has any.

    Parameters
    ----------
    X : DataFrame of shape (n_records, n_attributes)
        Numbers in any units.

    Returns
    -------
    Series of int
        Number of zeros by attribute, attributes without a zero left out.

    Notes
    -----
    The paper says that "about 0.46 % of the data are missing (filled in with zeros)". These are
    those cells: 78 of 569 x 30, 0.457 %, thirteen records that are zero in all six attributes of
    concavity and concave points. All are benign, and a smooth nucleus has no concave portion: a
    measured zero rather than a missing value.

    References
    ----------
    The paper, Materials and Methods, *Dataset*.

    Examples
    --------
    >>> counts = zero_counts(load_wdbc().X)
    >>> int(counts.sum()), sorted(counts.index)[:2]
    (78, ['concave points error', 'concavity error'])
    """
    counts = X.eq(0).sum()
    return counts[counts > 0]


def _checked_table(X):
    """Copy `X` into a float64 DataFrame, or raise."""
    is_frame = isinstance(X, pd.DataFrame)
    frame = X.copy() if is_frame else pd.DataFrame(np.asarray(X))
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(f"X must have at least one record and one attribute, got {frame.shape}")
    frame.columns = [str(c) if is_frame else f"x{c}" for c in frame.columns]
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()].tolist()
        raise ValueError(f"X must have distinct attribute names, got {repeated} more than once")
    try:
        frame = frame.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must hold numbers (NaN where missing): {error}") from error
    if np.isinf(frame.to_numpy()).any():
        bad = frame.columns[np.isinf(frame).any()].tolist()
        raise ValueError(f"X must hold finite numbers or NaN, got infinity in {bad}")
    return frame
