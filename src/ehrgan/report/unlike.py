"""What new records hold that those a model has learned from did not, in words."""

from collections import Counter

import numpy as np
import pandas as pd

from .convert import written
from .seen import N_QUANTILES, new_patterns

__all__ = ["Unlike", "patterns_in_words", "unread_in_words"]

#: Where the values of a number end, and where all but one in twenty do at either side.
QUANTILES = (0, 0.05, 0.95, 1)
PLACES = [round(q * (N_QUANTILES - 1)) for q in QUANTILES]
#: Records, or known cells, from which it is told that all are missing, or that most are shifted.
FEWEST = 20
MOST_NAMED = 3


class Unlike:
    """Counts, part by part, what is unlike the records that a model has learned from.

    Parameters
    ----------
    fields : dict of str to dict
        The schema's field of each attribute.
    learned : dict
        :func:`~ehrgan.report.seen.summary` of the records that the model has learned from.

    Examples
    --------
    >>> from ehrgan.report.seen import summary
    >>> learned = summary(pd.DataFrame({"age": [30.0, 40.0, 50.0]}), [], ())
    >>> seen = Unlike({"age": {"type": "number"}}, learned)
    >>> seen.add(pd.DataFrame({"age": [480.0, 31.0]}), {})
    >>> print(*seen.words())
    'age': 1 cells (480) lie far from the 30 to 50 that the model has learned from: is the \
unit the same, or do they mean missing?
    """

    def __init__(self, fields, learned):
        told = {k: own["quantiles"] for k, own in learned["columns"].items() if "quantiles" in own}
        ends = [np.take(own, PLACES) if own else [np.nan] * len(PLACES) for own in told.values()]
        self.fields, self.learned, self.names = fields, learned, list(told)
        self.ends = np.array(ends).reshape(-1, len(PLACES))  # (n_numbers, 4)
        self.n, self.strange, self.unread, self.blank = 0, 0, {}, []
        self.known = pd.Series(0, index=list(fields))
        self.sides = np.zeros((2, len(told)), dtype=np.int64)  # cells below and above most
        self.far = np.zeros(len(told), dtype=np.int64)
        self.least, self.most = np.full((2, len(told)), [[np.inf], [-np.inf]])  # of those far off

    def add(self, values, unread):
        """Count a part.

        Parameters
        ----------
        values : DataFrame
        unread : dict of str to dict
            Both as :meth:`~ehrgan.report.learned.AsLearned.read` gives them.
        """
        for name, counts in unread.items():
            self.unread.setdefault(name, Counter()).update(counts)
        known = values.notna()
        self.blank += (self.n + 1 + np.flatnonzero(~known.any(axis=1))).tolist()
        self.n += len(values)
        self.known += known.sum()
        self.strange += int(new_patterns(self.learned, values).sum())
        cells = values[self.names].to_numpy(np.float64)
        low, few, many, high = self.ends.T
        self.sides += np.array([(cells < few).sum(axis=0), (cells > many).sum(axis=0)])
        away = (cells < low - (high - low) / 2) | (cells > high + (high - low) / 2)
        self.far += away.sum(axis=0)
        self.least = np.vstack([self.least, np.where(away, cells, np.inf)]).min(axis=0)
        self.most = np.vstack([self.most, np.where(away, cells, -np.inf)]).max(axis=0)

    def words(self):
        """Sentences on records without a value, cells not read, other values, new sets of holes."""
        if self.blank:
            shown = ", ".join(map(str, self.blank[:MOST_NAMED]))
            yield (
                f"{len(self.blank)} records hold no attribute at all (number {shown}"
                f"{', ...' * (len(self.blank) > MOST_NAMED)}): nothing is known of them."
            )
        yield from unread_in_words(self.unread)
        for name in self.known.index[(self.known == 0) & (self.n >= FEWEST)]:
            if name not in self.unread:
                yield f"{name!r} has no value in any of these records."
        for k, name in enumerate(self.names):
            yield from self._other_values(k, name)
        yield from patterns_in_words(self.strange)

    def _other_values(self, k, name):
        low, few, many, high, least, most = (
            written(self.fields[name], value)
            for value in (*self.ends[k], self.least[k], self.most[k])
        )
        asks = "is the unit the same, or do they mean missing?"
        if self.far[k]:
            span = least if least == most else f"{least} to {most}"
            yield (
                f"{name!r}: {self.far[k]} cells ({span}) lie far from the {low} to "
                f"{high} that the model has learned from: {asks}"
            )
            return
        for side, n, end in zip(("below", "above"), self.sides[:, k], (few, many), strict=True):
            if self.known[name] >= FEWEST and 2 * n > self.known[name]:
                yield (
                    f"{name!r}: {n / self.known[name]:.0%} of the cells lie {side} {end}, and at "
                    f"most 5% of those that the model has learned from: {asks}"
                )


def patterns_in_words(n):
    """A sentence on so many records whose holes are new, if there are any."""
    if n:
        yield (
            f"{n} records lack a set of attributes that no record lacked from which the model has "
            "learned: rely less on what it tells of them, and ask why these are missing."
        )


def unread_in_words(unread):
    """A sentence for each column that held what its schema cannot read: counts by text."""
    for name, counts in unread.items():
        shown = ", ".join(f"{text!r} ({n})" for text, n in Counter(counts).most_common(MOST_NAMED))
        more = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
        yield (
            f"{name!r}: {sum(counts.values())} cells hold what the model has not learned to read, "
            f"and count as missing: {shown}{more}."
        )
