"""What the paper leaves open, and what this library does about it."""

import csv
import inspect
from importlib.resources import files
from typing import NamedTuple

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_iterative_imputer  # noqa: F401

from ..study.baselines import BASELINES, make_classifier

__all__ = ["SILENCES", "Silence", "silence_table"]


class Silence(NamedTuple):
    """One thing that the paper leaves open.

    Parameters
    ----------
    stage : str
        The stage of the method it belongs to.
    parameter : str
        What is left open.
    paper : str
        What the paper does say.
    ours : str
        What this library does by default.
    why : str
        The reason.
    key : str
        The argument that changes it, as ``"owner.argument"``, where the owner is one of
        `CLASSIFIERS`, a class or a function; empty where no argument does.
    """

    stage: str
    parameter: str
    paper: str
    ours: str
    why: str
    key: str


def silence_table(*owners):
    """Lay `SILENCES` out as a table, each setting read from the code that uses it.

    Parameters
    ----------
    *owners : estimators, classes or functions
        Whose settings are wanted besides those of the scikit-learn classifiers: an estimator as it
        was set up, such as ``ACGANClassifier(**PAPER)``, or a class or function for its defaults.

    Returns
    -------
    DataFrame
        Columns stage, parameter, paper, ours, setting, why; one row for each silence. The setting
        is empty where no argument of a known owner decides.

    Raises
    ------
    ValueError
        If a key names an argument that its owner does not have.

    Examples
    --------
    >>> table = silence_table().set_index("parameter")
    >>> table.loc["Kernel width gamma", "setting"]
    "'auto'"
    """
    known = dict(_arguments(owner) for owner in owners)
    known |= {name: make_classifier(name).get_params() for name in BASELINES}
    table = pd.DataFrame(SILENCES, columns=Silence._fields)
    table["setting"] = [_setting(key, known) for key in table["key"]]
    return table[["stage", "parameter", "paper", "ours", "setting", "why"]]


def _arguments(owner):
    if isinstance(owner, BaseEstimator):
        return type(owner).__name__, owner.get_params()
    parameters = inspect.signature(owner).parameters.values()
    return owner.__name__, {p.name: p.default for p in parameters}


def _setting(key, known):
    owner, _, argument = key.rpartition(".")
    if owner not in known:
        return ""
    if argument not in known[owner]:
        raise ValueError(f"SILENCES names {key!r}, but {owner} has no argument {argument!r}")
    return repr(known[owner][argument])


_LIST = files("ehrgan").joinpath("data/inputs/silences.csv").read_text(encoding="utf-8")
#: Everything the paper leaves open that we found, in the order of the method's stages.
SILENCES = tuple(Silence(**row) for row in csv.DictReader(_LIST.splitlines()))
