"""Predict the records of a file by a saved pipeline, part by part."""

from collections import Counter
from pathlib import Path

import joblib
import pandas as pd
from tqdm import tqdm

from ..bars import no_bars
from ..files import write_whole
from .errors import ReportError
from .files import iter_cells
from .learned import AsLearned, unread_in_words

__all__ = ["predict_file"]


def predict_file(model, path, out, **options):
    """Predict every record of a file, and write what was predicted.

    Parameters
    ----------
    model : path-like
        A ``pipeline.joblib`` that a report has saved. Loading it runs code: open only one that you
        trust.
    path : path-like
        New records, in any form of file that a report can be made of; columns in any order.
    out : path-like
        The CSV to write: record (from 1), prediction, and the probability of each class.
    **options
        encoding, delimiter, header, sheet: as for :func:`~ehrgan.report.files.read_cells`; by
        default as the table was read that the model has learned from.

    Returns
    -------
    list of str
        Sentences: how many records there are, what the model did not know.

    Raises
    ------
    ReportError
        `model` is no such pipeline, or the records lack a column.
    OSError
        `out` cannot be written; it is written whole or not at all.

    Notes
    -----
    Some 16 MB of the file are in memory at a time, and 100 bytes for each record predicted.
    """
    pipeline = _load(model)
    types, rest = pipeline[0], pipeline[1:]
    options = types.schema.dialect | {k: v for k, v in options.items() if v is not None}
    n, unread, written, strange, notes = 0, {}, [], [], []
    for part in tqdm(iter_cells(path, **options), desc="parts", unit="part", disable=no_bars()):
        values, gone = types.read(part.table)
        for name, counts in gone.items():
            unread.setdefault(name, Counter()).update(counts.to_dict())
        told = rest.predict_proba(values)
        found = pd.DataFrame(told, columns=[f"probability of {c}" for c in rest.classes_])
        found.insert(0, "record", range(n + 1, n + len(found) + 1))
        found.insert(1, "prediction", rest.classes_[told.argmax(axis=1)])
        written.append(found.to_csv(index=False, header=n == 0))
        n += len(found)
        strange, notes = [c for c in part.table if c not in types.schema], part.notes
    write_whole(out, "".join(written))
    said = [*notes, f"{n} records predicted."]
    if strange:
        said.append(f"The model does not know the columns {strange}; they were not used.")
    counts = {name: pd.Series(dict(c.most_common())) for name, c in unread.items()}
    return [*said, *unread_in_words(counts)]


def _load(path):
    if not Path(path).is_file():
        raise ReportError(f"model '{path}' is no file: name the pipeline.joblib of a report")
    try:
        pipeline = joblib.load(path)
    except Exception as error:  # pickle raises many kinds
        raise ReportError(f"model '{path}' cannot be loaded ({error})") from error
    steps = getattr(pipeline, "steps", [("", None)])
    if not isinstance(steps[0][1], AsLearned) or steps[0][1].schema is None:
        raise ReportError(f"model '{path}' is no pipeline that a report of this version has saved")
    return pipeline
