"""Learning from batch after batch: what both estimators share."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_random_state

from .engine import train

__all__ = ["PIECE", "Online", "pieces", "reservoir_places"]

PIECE = 1024  # records that are learned at once: longer batches are cut, shorter ones padded
LEAP = 1.5  # factor by which a scale may move at once, or half a deviation, before Adam begins anew
_OWN = ("_stream", "_goes_on", "reservoir_")  # attributes of a stream, which a new fit forgets


def pieces(n):
    """Cut n records into pieces that share a compilation.

    Examples
    --------
    >>> [len(range(n)[rows]) for n in (5, 2500) for rows in pieces(n)]
    [5, 1024, 1024, 452]
    """
    return [slice(start, start + PIECE) for start in range(0, n, PIECE)]


class Online:
    """Give an estimator of networks what ``partial_fit`` needs.

    A subclass says which weights it shows (``_show``) and how they are told again on a scale that
    has moved (``_told_again``).
    """

    _streams = True
    """Whether the class has ``partial_fit``; subclasses that learn otherwise say no."""

    @contextmanager
    def _all_or_nothing(self):
        """Leave the model as it was where a batch is refused, diverges or is interrupted.

        Attributes are replaced in learning, never changed in place: keeping them is enough.
        """
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    @property
    def _in_stream(self):
        """Whether a batch has been learned since the last fit, or any at all."""
        return hasattr(self, "_stream")

    def _open_stream(self, weights=None, reservoir=None):
        """Begin to count batches, from given weights or from first ones."""
        seed = int(check_random_state(self.random_state).randint(2**31))
        self._stream = {"seed": seed, "pieces": 0}
        if weights is None:
            seeds = np.random.SeedSequence(seed).spawn(self._n_replicas)
            weights = self._first_weights([], seeds)
        self._goes_on = {"params": weights}
        if reservoir is not None:
            self.reservoir_ = reservoir
        self._show(weights)

    def _close_stream(self):
        """Forget what a stream has left, for a fit has begun anew."""
        for name in _OWN:
            vars(self).pop(name, None)

    def _chance(self, what):
        """A generator of the piece at hand for one purpose, whenever the model was loaded."""
        stream = self._stream
        return np.random.default_rng([stream["seed"], stream["pieces"], what])

    def _check_online(self):
        """Refuse parameters that need all records at once."""
        self._validate_params()
        if self.early_stopping:
            raise ValueError(
                "early_stopping is True; partial_fit needs early_stopping=False, since no record "
                "of a stream is held back to validate on."
            )

    def _check_as_begun(self):
        """Refuse networks of other sizes than those that the stream began with."""
        seeds = [np.random.SeedSequence(0)] * self._n_replicas
        wanted = self._shapes(self._first_weights([], seeds))
        held = self._shapes(self._goes_on["params"])
        if wanted != held:
            raise ValueError(
                f"parameters ask for weights of shapes {wanted}, but those learned so far have "
                f"{held}; partial_fit needs the sizes with which it began. Fit anew."
            )

    @staticmethod
    def _shapes(weights):
        return {name: [p.shape for p in layers] for name, layers in weights.items()}

    def _move(self, line):
        """Tell the weights again on the scale that moved."""
        if (line.slope == 1).all() and (line.offset == 0).all():
            return
        parts = {"params", "average"} & {*self._goes_on}
        moved = {part: self._told_again(self._goes_on[part], line) for part in parts}
        if max(line.slope.max(), 1 / line.slope.min()) < LEAP > 1 + np.abs(line.offset).max():
            moved = self._goes_on | moved  # else moments of gradients tell of another scale
        self._goes_on = moved
        self._show(moved.get("average", moved["params"]))

    def _store(self, size, **records):
        """Let records take their places in the stored sample."""
        n = len(records["X"])
        held = vars(self).get("reservoir_") or {name: a[:0] for name, a in records.items()}
        seen = held.get("seen", 0)
        places = reservoir_places(seen, n, size, self._chance(2))
        stored = {"seen": seen + n}
        for name, new in records.items():
            stored[name] = np.resize(held[name], (min(size, seen + n), *new.shape[1:]))
            for row in np.flatnonzero(places >= 0):
                stored[name][places[row]] = new[row]
        self.reservoir_ = stored

    def _teach(self, tables, shares, room):
        """Go on training with a piece, in compiled calls for ``room`` records."""
        n = self._n_replicas
        seeds = np.random.SeedSequence([self._stream["seed"], self._stream["pieces"], 0]).spawn(n)
        own = {name: float(getattr(self, name)) for name in self._hyper}
        result = train(
            self._objective(),
            self._goes_on["params"],
            tables,
            np.zeros(n, int),
            np.full(n, round(shares[-1])),
            seeds,
            epochs=self.partial_epochs,
            batch_size=self.batch_size,
            hyper=own | {"decay": 0.0},  # of a stream nobody knows the end
            shares=[shares] * n,
            goes_on=self._goes_on,
            room=room,
            n_jobs=self.n_jobs,
            **self._options(),
        )
        self._refuse_diverged(result.params)
        self._record(result.history, result.best_epoch)
        self._goes_on = dict(result.goes_on)
        self._stream = self._stream | {"pieces": self._stream["pieces"] + 1}
        self._show(result.params)


def reservoir_places(seen, n, size, rng):
    """Where each of n records goes in a uniform sample of all that have come, of fixed size.

    Parameters
    ----------
    seen : int
        Records that came before.
    n, size : int
        Records that come, and places of the sample.
    rng : numpy.random.Generator

    Returns
    -------
    int ndarray of shape (n,)
        The place that a record takes, -1 where it takes none; a later one pushes an earlier out.

    References
    ----------
    Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical Software 1985,
    algorithm R.

    Examples
    --------
    >>> reservoir_places(0, 3, 5, np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """
    order = seen + np.arange(n)
    drawn = np.floor(rng.random(n) * (order + 1)).astype(int)
    return np.where(order < size, order, np.where(drawn < size, drawn, -1))
