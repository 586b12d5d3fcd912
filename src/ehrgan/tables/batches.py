"""A table that is larger than memory, batch by batch."""

from numbers import Integral

import pyarrow as pa
import pyarrow.dataset as ds

__all__ = ["read_batches"]


def read_batches(source, *, target=None, columns=None, size=16_384):
    """Read Parquet files batch by batch, for ``partial_fit``.

    Parameters
    ----------
    source : path-like, list of path-like or pyarrow.dataset.Dataset
        A file, a folder of files, several files, or what ``pyarrow.dataset.dataset`` gives,
        such as a table in another format or on an object store.
    target : str, optional
        Column of the outcome.
    columns : list of str, optional
        Attributes; all others than the target by default.
    size : int, default=16384
        Most records of a batch, at least 1. Ends of row groups and of files end a batch, too.

    Yields
    ------
    X : DataFrame of shape (n, d)
        The next records, in the order of the files; a column without holes is of its own type, and
        NaN stands in holes of numbers.
    y : ndarray of shape (n,)
        Their outcomes; only with ``target``: without it, X alone is yielded.

    Raises
    ------
    ValueError
        ``size`` is below 1, or the table lacks a column.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    One batch is held at a time, and one read ahead: memory grows with ``size`` times columns and
    with the largest row group's pages, never with the number of records.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from ehrgan import ACGANClassifier
    >>> table = pd.DataFrame({"age": np.arange(600.0) % 90, "ill": np.arange(600) % 90 > 50})
    >>> model = ACGANClassifier(random_state=0, partial_epochs=20)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table.to_parquet(f"{folder}/table.parquet")
    ...     for X, y in read_batches(folder, target="ill", size=100):
    ...         model = model.partial_fit(X, y, classes=[False, True])
    >>> model.predict(pd.DataFrame({"age": [20.0, 80.0]})).tolist()
    [False, True]
    """
    if not isinstance(size, Integral) or size < 1:
        raise ValueError(f"size is {size!r}; it must be a whole number of records, at least 1.")
    table = source if isinstance(source, ds.Dataset) else ds.dataset(source)
    names = table.schema.names
    wanted = [name for name in names if name != target] if columns is None else list(columns)
    asked = wanted + ([] if target is None else [target])
    if lacking := [name for name in asked if name not in names]:
        raise ValueError(f"source has the columns {names}; it lacks {lacking}.")
    return _batches(table, wanted, target, asked, size)


def _batches(table, wanted, target, asked, size):
    # what pyarrow reads ahead by default, 16 batches of four files, may be more than fits
    scan = table.to_batches(columns=asked, batch_size=size, batch_readahead=1, fragment_readahead=1)
    for batch in scan:
        if not len(batch):
            continue
        X = pa.Table.from_batches([batch.select(wanted)]).to_pandas()
        if target is None:
            yield X
        else:
            yield X, batch.column(target).to_numpy(zero_copy_only=False)
