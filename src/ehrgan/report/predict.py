"""Predict the records of a file by a saved pipeline, part by part."""

from collections import Counter

import pandas as pd
from tqdm import tqdm

from ..bars import no_bars
from ..files import write_whole
from .cells import iter_cells
from .learned import unread_in_words
from .model import read_model
from .seen import new_patterns

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
        Sentences: how many records there are, what the model did not know.

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
    pipeline, seen, n_strange = held.pipeline, held.about.get("seen"), 0
    types, rest = pipeline[0], pipeline[1:]
    options = types.schema.dialect | {k: v for k, v in options.items() if v is not None}
    n, unread, written, strange, notes = 0, {}, [], [], []
    for part in tqdm(iter_cells(path, **options), desc="parts", unit="part", disable=no_bars()):
        values, gone = types.read(part.table)
        for name, counts in gone.items():
            unread.setdefault(name, Counter()).update(counts.to_dict())
        n_strange += int(new_patterns(seen, values).sum())
        told = rest.predict_proba(values)
        found = pd.DataFrame(told, columns=[f"probability of {c}" for c in rest.classes_])
        found.insert(0, "record", range(n + 1, n + len(found) + 1))
        found.insert(1, "prediction", rest.classes_[told.argmax(axis=1)])
        written.append(found.to_csv(index=False, header=n == 0))
        n += len(found)
        strange, notes = [c for c in part.table if c not in types.schema], part.notes
    write_whole(out, "".join(written))
    said = [*notes, f"{n} records predicted."]
    if n_strange:
        said.append(
            f"{n_strange} records lack a set of attributes that no record lacked from which the "
            "model has learned: rely less on their predictions, and ask why these are missing."
        )
    if strange:
        said.append(f"The model does not know the columns {strange}; they were not used.")
    counts = {name: pd.Series(dict(c.most_common())) for name, c in unread.items()}
    return [*said, *unread_in_words(counts)]
