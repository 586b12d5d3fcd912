"""A fitted pipeline in a file that runs no code, with what is known of it."""

import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import skops.io

from ..files import write_whole
from .errors import ReportError
from .learned import AsLearned

__all__ = ["Model", "TRUSTED", "read_model"]

FORMAT = 2
#: A file is refused that unpacks to so many bytes and to so many times its size: ours take a tenth.
MOST_BYTES, MOST_TIMES = 2**27, 100
#: Types that a model may hold beside those that skops trusts: ours, and those of scikit-learn that
#: its estimators are made of.
TRUSTED = (
    "ehrgan.nets.acgan.ACGANClassifier",
    "ehrgan.nets.autoencoder.StackedAutoencoderImputer",
    "ehrgan.nets.joint.JointACGANClassifier",
    "ehrgan.nets.joint.Spread",
    "ehrgan.nets.units.Units",
    "ehrgan.report.learned.AsLearned",
    "ehrgan.report.methods.FromSome",
    "ehrgan.report.probabilities.Recalibrated",
    "ehrgan.report.schema.Schema",
    "ehrgan.tables.coding.TableCoder",
    "ehrgan.tables.template.Template",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "sklearn.tree._tree.Tree",
)


def versions():
    """Versions of the libraries that a model is made of, by name."""
    return {name: version(name) for name in ("ehrgan", "scikit-learn", "tensorflow")}


@dataclass(frozen=True, eq=False)
class Model:
    """A pipeline for records as a file has them, and what is known of it.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted, as :meth:`~ehrgan.report.report.Report.fit` gives it; its first step carries the
        schema by which records are read.
    about : dict
        Plain data: card (Markdown), classes in their order, versions, fingerprint of the table.
    """

    pipeline: object
    about: dict

    def save(self, path):
        """Write the model into a file, whole or not at all.

        Parameters
        ----------
        path : path-like
            The file, usually ``model.skops``; an older one is replaced.

        Raises
        ------
        OSError
            It cannot be written.
        """
        held = {"format": FORMAT, "about": self.about, "pipeline": self.pipeline}
        write_whole(path, skops.io.dumps(held, compression=zipfile.ZIP_DEFLATED))


def read_model(path):
    """Read a model that a report has saved; a file that asks for more than a model is refused.

    Parameters
    ----------
    path : path-like
        A ``model.skops``.

    Returns
    -------
    Model

    Raises
    ------
    ReportError
        There is no such file, it is none that :meth:`Model.save` has written, or it asks for types
        beyond :data:`TRUSTED`, which are named. No code of the file's has run then.

    References
    ----------
    skops, *Secure persistence with skops*: a file names types and their contents, and only types
    that are trusted are made.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from ehrgan.report.describe import describe
    >>> from ehrgan.report.methods import make_method
    >>> X = pd.DataFrame({"age": [30.5, 41.0, 52.5, 63.0, 71.5, 80.0]})
    >>> method = make_method("mean", "logistic regression", schema=describe(X))
    >>> path = Path(tempfile.mkdtemp()) / "model.skops"
    >>> Model(method.fit(X, ["no"] * 3 + ["yes"] * 3), {"card": "# Six records"}).save(path)
    >>> model = read_model(path)
    >>> model.about["card"], model.pipeline.predict(pd.DataFrame({"age": ["33.5"]})).tolist()
    ('# Six records', ['no'])
    """
    if not Path(path).is_file():
        raise ReportError(f"model '{path}' is no file: name the model.skops of a report")
    try:
        _refuse_bomb(path)
        asked = sorted({*skops.io.get_untrusted_types(file=path)} - {*TRUSTED})
        held = None if asked else skops.io.load(path, trusted=TRUSTED)
        is_ours = asked or (held["format"] == FORMAT and _is_sound(**held))
    except Exception as error:  # a damaged file raises many kinds
        raise ReportError(
            f"model '{path}' is no model.skops that a report of this version has saved ({error})"
        ) from error
    if asked:
        raise ReportError(
            f"model '{path}' asks for what no model of a report holds ({', '.join(asked)}): it was "
            "not opened, and none of its code has run"
        )
    if not is_ours:
        raise ReportError(f"model '{path}' is no model.skops that a report of this version saves")
    return Model(held["pipeline"], held["about"])


def _refuse_bomb(path):
    with zipfile.ZipFile(path) as held:
        unpacked = sum(part.file_size for part in held.infolist())
    if unpacked > max(MOST_BYTES, MOST_TIMES * Path(path).stat().st_size):
        raise ValueError(f"{unpacked} bytes once unpacked, which no model takes")


def _is_sound(pipeline, about, **_):
    """Whether a pipeline reads by a schema, and its trees point nowhere but into themselves.

    scikit-learn follows the nodes of a tree blindly, so that others might lead it anywhere.
    """
    if not isinstance(pipeline[0], AsLearned) or pipeline[0].schema is None:
        return False
    if not isinstance(about.get("card"), str):
        return False
    tables, widths = [], set()
    for owner in _parts(pipeline):
        if (tree := vars(owner).get("tree_")) is not None:
            left, right = tree.children_left, tree.children_right
            tables.append((left, right, tree.feature, left == -1))
        for predictor in [p for trees in vars(owner).get("_predictors", ()) for p in trees]:
            n = predictor.nodes
            leaf = n["is_leaf"].astype(bool) & ~n["is_categorical"].astype(bool)
            tables.append((n["left"], n["right"], n["feature_idx"], leaf))
        widths |= {owner.n_features_in_} if {"tree_", "_predictors"} & {*vars(owner)} else set()
    return len(widths) < 2 and all(_leads_on(*table, min(widths)) for table in tables)


def _leads_on(left, right, feature, leaf, n_features):
    """Whether every node but the leaves asks of an attribute, and leads on within its tree."""
    places, inner = np.arange(len(left)), ~leaf
    onward = [(child > places) & (child < len(left)) for child in (left, right)]
    known = (feature >= 0) & (feature < n_features)
    return bool(np.logical_and.reduce([*onward, known])[inner].all())


def _parts(held):
    """Every object with attributes that some object holds."""
    if isinstance(held, dict):
        held = list(held.values())
    if isinstance(held, list | tuple) or (isinstance(held, np.ndarray) and held.dtype == object):
        for one in held:
            yield from _parts(one)
    elif hasattr(held, "__dict__"):
        yield held
        yield from _parts(vars(held))
