"""The error that says what to change in a table or an option."""

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
