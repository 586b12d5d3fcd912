"""What the text of a chapter commits to, held to by the run that makes its page."""

__all__ = ["BOOK", "Findings"]

#: The settings at which most chapters are written; they are the defaults of these.
BOOK = {"n_trials": 10, "n_folds": 5, "missing_fraction": 0.5, "n_masked": 15, "seed": 0}


class Findings:
    """Sentences of a chapter that this run must bear out, if it has the book's settings.

    Parameters
    ----------
    settings : dict
        The run's settings, by the names of `book`.
    book : dict, default=BOOK
        The settings at which the text was written, which are the chapter's defaults.

    Notes
    -----
    With other settings nothing is held to: in a notebook the object then displays as a note that
    says so, and as nothing at all with the book's.

    Examples
    --------
    >>> quick = Findings(BOOK | {"n_trials": 1})
    >>> quick.hold("two and two are five", 2 + 2 == 5)
    >>> quick.changed
    {'n_trials': (1, 10)}
    """

    def __init__(self, settings, book=BOOK):
        self.changed = {key: (settings[key], of) for key, of in book.items() if settings[key] != of}

    def hold(self, words, holds):
        """Stop the build where the run contradicts the text.

        Parameters
        ----------
        words : str
            What the text says.
        holds : bool
            Whether this run bears it out.

        Raises
        ------
        AssertionError
            If it does not, with the book's settings: rewrite the text, or find the fault.
        """
        if not self.changed and not holds:
            raise AssertionError(f"this run contradicts what the text says: {words}")

    def __repr__(self):
        """Return the note; nothing with the book's settings."""
        if not self.changed:
            return ""
        changes = [f"{name} = {now} in place of {of}" for name, (now, of) in self.changed.items()]
        return (
            f"Quick look: {', '.join(changes)}. The words of this page are those of the book's "
            "settings; its numbers, tables and figures are this run's."
        )

    def _ipython_display_(self):
        if self.changed:  # printed: a displayed note would take the name of the cell's figure, too
            print(self)
