"""What a study found: predictions, errors, curves and choices, fold by fold."""

import json
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from ..files import write_whole
from ..scores.metrics import score_predictions, summarise
from ..source import VERSIONED, source_fingerprint

__all__ = ["StudyResult"]


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    The rows of every table are numbered anew, so that no two share a label: who picks rows by label
    gets as many as were asked for.

    Parameters
    ----------
    predictions : DataFrame
        trial, fold, record, y, imputer, classifier, probability, threshold: each record once per
        trial, imputer and classifier, predicted by a model that has not learned from it.
    imputation : DataFrame
        trial, fold, imputer, rmse: error on the hidden cells of the test fold, on the 0..1 scale of
        the whole complete table.
    curves : DataFrame
        trial, fold, imputer, classifier, epoch, error: share of the test fold called wrongly after
        each epoch, where the protocol looks at it; else empty.
    choices : DataFrame
        trial, fold, imputer, classifier, choice, loss, threshold: what nested selection chose.
    settings : dict
        The study's parameters.
    """

    predictions: pd.DataFrame
    imputation: pd.DataFrame
    curves: pd.DataFrame
    choices: pd.DataFrame
    settings: dict

    def __post_init__(self):
        """Number the rows of every table."""
        for name in ("predictions", "imputation", "curves", "choices"):
            object.__setattr__(self, name, getattr(self, name).reset_index(drop=True))

    @cached_property
    def scores(self):
        """Score of each trial, fold, imputer, classifier and metric (long form)."""
        return score_predictions(self.predictions)

    @cached_property
    def summary(self):
        """Mean and corrected 95 % interval, cut to 0..1, of each imputer, classifier and metric."""
        return summarise(self.scores, bounds=(0, 1))

    def save(self, folder):
        """Write every table as Parquet, and the settings as text, into a folder.

        Parameters
        ----------
        folder : path-like
            Made if it is not there; files of the same names in it are replaced, each whole.

        Returns
        -------
        list of Path
            The files: predictions, imputation, curves, choices and scores as ``.parquet``, and
            ``settings.json``, with the source fingerprint and the versions of the libraries.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tables = ("predictions", "scores", "imputation", "curves", "choices")
        paths = [folder / f"{name}.parquet" for name in tables]
        for name, path in zip(tables, paths, strict=True):
            write_whole(path, getattr(self, name).to_parquet(index=False))
        about = {name: version(name) for name in VERSIONED}
        about |= {"source": source_fingerprint(), "settings": self.settings}
        path = folder / "settings.json"
        write_whole(path, json.dumps(about, indent=1, default=repr) + "\n")
        return [*paths, path]
