"""A saved model learns from records that came later, and says what has changed."""

import copy
from datetime import date
from itertools import count
from pathlib import Path

import numpy as np

from ..files import write_whole
from ..scores.estimate import Estimate
from .cells import read_cells
from .drift import drift
from .errors import ReportError
from .files import as_filed
from .fitting import told_by
from .model import Model, read_model, versions
from .outcome import FEWEST, records_of, sizes_in_words
from .performance import performance
from .probabilities import Recalibrated, line_of, moved
from .seen import joined, new_patterns, recalled
from .unlike import patterns_in_words, unread_in_words

__all__ = ["update_file"]

N_PARTS = 10  # in which the new records are predicted first, and learned afterwards


def update_file(model, path, out=None, **options):
    """Update a saved model by records whose outcomes are known; the old model stays.

    Parameters
    ----------
    model : path-like
        A ``model.skops`` that a report, or an update, has saved.
    path : path-like
        New records, with the outcome under its name, in the order in which they came.
    out : path-like, optional
        The new model, by default the old one's name with the next free number, such as
        ``model.2.skops``. Its card lies beside it, as ``.md``.
    **options
        encoding, delimiter, header, sheet: as for :func:`~ehrgan.report.cells.read_cells`.

    Returns
    -------
    words : list of str
        What is different in the new records, what the old model was worth there, and the new one.
    paths : dict of str to Path
        "model" and "card".

    Raises
    ------
    ReportError
        `model` is no such file, `out` is there already, the records lack a column, or a class has
        fewer than ten new records; or the method can neither learn on nor be recalibrated.
    OSError
        A file cannot be written; each is written whole or not at all.

    Notes
    -----
    An AC-GAN learns on from its weights (:meth:`~ehrgan.nets.acgan.ACGANClassifier.partial_fit`).
    All other classifiers would need the old records, which no model holds: of two classes their
    log-odds are moved along a line that the new outcomes teach. Imputation and coding stay as they
    were. What the new model is worth is told by predicting each tenth of the new records before it
    is learned, so that no record tests what it has taught.

    References
    ----------
    Steyerberg, Borsboom, van Houwelingen, Eijkemans and Habbema, "Validation and updating of
    predictive logistic regression models", Statistics in Medicine 23, 2004.
    """
    held = read_model(model)
    paths = _new_paths(Path(model), out)
    types, classes = held.pipeline[0], tuple(held.about.get("classes", held.pipeline.classes_))
    learns, how = _way(held.pipeline)
    X, y, notes = _new_records(types, path, classes, options)
    before = told_by(held.pipeline, X, classes)
    if learns:
        after, pipeline = _learned_on(held.pipeline, X, y, before, classes)
    else:
        after, pipeline = _recalibrated(held.pipeline, y, before, classes)
    words = [
        f"{len(y)} new records: {sizes_in_words(y, classes)}.",
        *notes,
        *_changes(types.seen_, X, y, classes),
        f"The new model: {how}.",
        *_worth(y, before, after, classes),
    ]
    about = dict(held.about) | {"versions": versions()}
    about["card"] = f"{about['card'].rstrip()}\n\n{_chapter(words)}"
    pipeline[0].seen_ = joined(types.seen_, X, y, classes)
    Model(pipeline, about).save(paths["model"])  # first: it holds its card
    write_whole(paths["card"], about["card"])
    return words, paths


def _new_paths(model, out):
    """Where model and card are to be, neither of which may be there yet."""
    if out is None:
        stem = model.name.removesuffix(".skops")
        taken = {path.name for path in model.parent.iterdir()}
        n = next(n for n in count(2) if not {f"{stem}.{n}.skops", f"{stem}.{n}.md"} & taken)
        out = model.with_name(f"{stem}.{n}.skops")
    paths = {"model": Path(out), "card": Path(out).with_suffix(".md")}
    if there := [str(path) for path in paths.values() if path.exists()]:
        raise ReportError(f"out '{there[0]}' is there already: an update writes over nothing")
    return paths


def _way(pipeline):
    """How the classifier of a pipeline can be updated: whether it learns on, and that in words."""
    classifier = pipeline[-1]
    if hasattr(classifier, "partial_fit"):
        return True, "the networks have learned on from where they stood"
    if len(pipeline.classes_) == 2:
        return False, (
            "the old one, whose log-odds are moved along a line that the new outcomes teach; to "
            "learn on it would need the old records, which it does not hold"
        )
    raise ReportError(
        f"the model's method ({type(classifier).__name__}, {len(pipeline.classes_)} classes) can "
        "neither learn on nor be recalibrated: make a report of the old and the new records"
    )


def _new_records(types, path, classes, options):
    """Values and numbers of classes of records whose outcome is known."""
    told = types.schema.dialect | {k: v for k, v in options.items() if v is not None}
    table = as_filed(read_cells(path, **told))
    rows, y, notes = records_of(f"table '{path}'", types.schema, table, classes)
    X, unread = types.read(table.iloc[rows].reset_index(drop=True))
    return X, y, [*notes, *unread_in_words(unread)]


def _parts(y):
    """Places of the new records, part by part, in the order in which they came."""
    return np.array_split(np.arange(len(y)), N_PARTS)


def _learned_on(pipeline, X, y, before, classes):
    """Predict each part, then learn it: the probabilities, and the pipeline that learned all."""
    pipeline, after = copy.deepcopy(pipeline), before.copy()
    Z = pipeline[1:-1].transform(X)
    for rows in _parts(y):
        after[rows] = told_by(pipeline, X.iloc[rows], classes)
        pipeline[-1].partial_fit(Z[rows], np.asarray(classes, dtype=object)[y[rows]])
    return after, pipeline


def _recalibrated(pipeline, y, before, classes):
    """Move the log-odds of each part as those before it teach; all teach those of the pipeline."""
    after = before.copy()
    for rows in _parts(y)[1:]:
        past = np.arange(rows[0])
        if np.bincount(y[past], minlength=2).min() >= FEWEST:
            after[rows] = moved(before[rows], *line_of(y[past], before[past]))
    intercept, slope = line_of(y, before)
    if classes[1] != pipeline.classes_[1]:  # whose log-odds are those of the other class
        intercept = -intercept
    pipeline = copy.deepcopy(pipeline)
    name, classifier = pipeline.steps[-1]
    if not isinstance(classifier, Recalibrated):
        wrapped = Recalibrated(classifier)
        wrapped.classifier_, wrapped.classes_ = classifier, classifier.classes_
        classifier = wrapped
    classifier.intercept = intercept + slope * classifier.intercept
    classifier.slope = slope * classifier.slope
    pipeline.steps[-1] = (name, classifier)
    return after, pipeline


def _changes(seen, X, y, classes):
    """What differs from the records that the model has learned from."""
    old, y_old = recalled(seen, classes)
    new = X.rename(columns=str)
    yield from drift(old, new, y_old, y, classes)
    yield from patterns_in_words(int(new_patterns(seen, X).sum()))


def _worth(y, before, after, classes):
    """AUC and Brier score of the old model and of the new one, on the same records."""
    tenth = np.empty(len(y), int)  # models of two tenths are not on one scale
    for k, rows in enumerate(_parts(y)):
        tenth[rows] = k
    tables = [
        performance(y, told, classes, parts=[(told, tenth)]).set_index("measure")
        for told in (before, after)
    ]
    for measure, among in (("AUC", ", among records of one tenth"), ("Brier score", "")):
        old, new = (Estimate(*table.loc[measure]) for table in tables)
        if np.isnan(old.value):
            yield "AUC cannot be told: no tenth of the new records holds all classes."
            continue
        yield (
            f"{measure} on the new records, each before it was learned{among}: {old} by the old "
            f"model, {new} by the new one."
        )


def _chapter(words):
    lines = "\n".join(f"- {word}\n" for word in words)
    return f"## Update of {date.today().isoformat()}\n\n{lines}"
