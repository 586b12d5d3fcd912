"""Records with real missing values: four public tables that come with the library."""

import hashlib
import io
import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd

__all__ = ["DATASETS", "Dataset", "load_dataset"]

#: Names of the data sets, fewest complete records last.
DATASETS = ("pbc", "hypothyroid", "hepatitis", "support2")
OUTCOME = "outcome"  # the column of a file that holds y


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of numbers and categories with its outcome and where both come from.

    Parameters
    ----------
    X : DataFrame of shape (n_records, n_attributes)
        float64 or categorical columns, ordered where the categories are; NaN marks a missing cell.
    y : ndarray of int, shape (n_records,)
        1 for the positive class, 0 for the negative.
    about : dict
        name, title, source, package, licence, citation, sha256, outcome, positive, dropped (column
        to reason) and notes.
    """

    X: pd.DataFrame
    y: np.ndarray
    about: dict

    def __repr__(self):
        """Tell name, size, positive records and missing cells in one line."""
        return (
            f"<Dataset {self.about['name']!r}: {len(self.X)} records x {self.X.shape[1]} "
            f"attributes, {self.y.sum()} {self.about['positive']}, "
            f"{int(self.X.isna().to_numpy().sum())} cells missing>"
        )


def load_dataset(name):
    """Load a table whose cells are missing because nobody measured or recorded them.

    Parameters
    ----------
    name : {"pbc", "hypothyroid", "hepatitis", "support2"}
        "pbc", trial and cohort of a liver disease, death within two years; "hypothyroid", thyroid
        tests, diagnosis; "hepatitis", death; "support2", critically ill patients, death within
        30 days.

    Returns
    -------
    Dataset
        Attributes in the units of the source, without what encodes the outcome or was recorded
        after the prediction is due; ``about["dropped"]`` says what that was, and why.

    Raises
    ------
    ValueError
        If there is no such data set, or its file is not the one whose checksum was recorded.

    Notes
    -----
    Nothing is fetched: the files come with the library. The data keep their own licences, see
    ``about["licence"]``; ``benchmarks/rebuild_datasets.py`` makes the files anew from packages.

    References
    ----------
    Therneau and Grambsch, *Modeling Survival Data*, 2000 (pbc). Quinlan, *Thyroid Disease*, UCI
    Machine Learning Repository, 1986 (hypothyroid). *Hepatitis*, UCI Machine Learning Repository,
    1983. Knaus et al., *The SUPPORT prognostic model*, Annals of Internal Medicine 122, 1995
    (support2).

    Examples
    --------
    >>> hepatitis = load_dataset("hepatitis")
    >>> hepatitis
    <Dataset 'hepatitis': 155 records x 19 attributes, 32 died, 167 cells missing>
    >>> hepatitis.about["positive"], float(hepatitis.X["protime"].isna().mean().round(2))
    ('died', 0.43)
    """
    if name not in DATASETS:
        raise ValueError(f"name must be one of {list(DATASETS)}, got {name!r}")
    folder = files("ehrgan").joinpath("data/inputs")
    about = json.loads(folder.joinpath("datasets.json").read_text(encoding="utf-8"))[name]
    content = folder.joinpath(f"{name}.parquet").read_bytes()
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise ValueError(f"{name}.parquet is not the file that came with the library: reinstall it")
    table = pd.read_parquet(io.BytesIO(content))
    y = table.pop(OUTCOME).to_numpy(dtype=np.int64)
    return Dataset(table, y, {"name": name, **about})
