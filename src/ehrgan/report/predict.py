"""Predict the records of a file by a saved pipeline, part by part."""

import pandas as pd
from tqdm import tqdm

from ..bars import no_bars
from ..files import write_whole
from .cells import iter_cells
from .model import read_model
from .unlike import Unlike

__all__ = ["predict_file"]


def predict_file(model, path, out, **options):
    """Predict every record of a file, and write what was predicted.

    Parameters
    ----------
    model : path-like
        A ``model.skops`` that a report has saved.
    path : path-like
        New records, in any form of file that a report can be made of; columns in any order.
    out : path-like
        The CSV to write: record (from 1), prediction, and the probability of each class.
    **options
        encoding, delimiter, header, sheet: as for :func:`~ehrgan.report.cells.read_cells`; by
        default as the table was read that the model has learned from.

    Returns
    -------
    list of str
        Sentences: how many records there are, what the model did not know, and which columns hold
        other values than it has learned from.

    Raises
    ------
    ReportError
        `model` is no such file, or the records lack a column.
    OSError
        `out` cannot be written; it is written whole or not at all.

    Notes
    -----
    Some 16 MB of the file are in memory at a time, and 100 bytes for each record predicted.
    """
    held = read_model(model)
    types, rest = held.pipeline[0], held.pipeline[1:]
    options = types.schema.dialect | {k: v for k, v in options.items() if v is not None}
    seen, written, strange, notes = Unlike(types.fields_, types.seen_), [], [], []
    for part in tqdm(iter_cells(path, **options), desc="parts", unit="part", disable=no_bars()):
        n = seen.n
        values, unread = types.read(part.table)
        seen.add(values, unread)
        told = rest.predict_proba(values)
        found = pd.DataFrame(told, columns=[f"probability of {c}" for c in rest.classes_])
        found.insert(0, "record", range(n + 1, n + len(found) + 1))
        found.insert(1, "prediction", rest.classes_[told.argmax(axis=1)])
        written.append(found.to_csv(index=False, header=n == 0))
        strange, notes = [c for c in part.table if c not in types.schema], part.notes
    write_whole(out, "".join(written))
    said = [*notes, f"{seen.n} records predicted."]
    if strange:
        said.append(f"The model does not know the columns {strange}; they were not used.")
    return [*said, *seen.words()]
