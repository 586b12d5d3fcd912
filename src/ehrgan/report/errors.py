"""The error that says what to change in a table or an option."""

import pandas as pd

__all__ = ["ReportError"]


class ReportError(ValueError):
    """A table or an argument that cannot be studied; says which, what it holds and the cure.

    Examples
    --------
    >>> from ehrgan.report.files import read_table
    >>> try:
    ...     read_table("nowhere.csv")
    ... except ReportError as error:
    ...     print(error)
    path 'nowhere.csv' does not exist: check the folder and the spelling
    """


def refuse_repeated(names):
    """Refuse two columns of one name."""
    repeated = pd.Index(names)[pd.Index(names).duplicated()].unique().tolist()
    if repeated:
        raise ReportError(f"columns {repeated} occur more than once: give each its own name")
