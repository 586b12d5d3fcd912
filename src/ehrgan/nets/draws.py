"""Proper multiple imputation: each table is filled by a bootstrap of its own and drawn residuals.

Member b of m has a network and a Gaussian fitted to the same bootstrap sample of the records, so
that tables differ as parameters do. Holes of a record are drawn one after the other, each from what
is seen and drawn already, so that drawn cells go together as observed ones do:

    x_j = L_b + a_j (N_b - L_b) + s_b e

L_b and s_b are the Gaussian's conditional mean and standard deviation, N_b the network's estimate.
The share a_j in [0, 1] fits the cells of records that b has not learned from, and e is the residual
of such a cell whose estimate is near: errors of estimation would shrink those of others. A category
is drawn by the probabilities that the network gives.
"""

from typing import NamedTuple

import numpy as np

from .categories import draw_codes

__all__ = ["Drawing"]

DONORS = 2000  # records whose residuals are kept
NEAR = 0.15  # share of the donors that is near an estimate: few would lend all its chance error
FEWEST = 10  # donors that are near at least
PRIOR = 1.0  # records' worth of unit variance that keeps a covariance invertible
CELLS = 2**22  # numbers of a block's covariances: 32 MiB


class Drawing(NamedTuple):
    """What m members have learned that draw.

    Parameters
    ----------
    weights : list of ndarray
        Those of the networks, with a leading axis of members.
    mean, covariance : ndarray of shape (m, d) and (m, d, d)
        Of the standardised records of each bootstrap sample.
    shift, scale : ndarray of shape (d,)
        Mean and standard deviation of the observed cells.
    order : int ndarray of shape (d,)
        Attributes in the order in which they are drawn: those that miss least come first.
    share : ndarray of shape (d,)
        Weight of the network's estimate beside the linear one.
    donors : list of d ndarrays of shape (k, 2)
        Estimates, sorted, and residuals in conditional standard deviations.
    values : list of d ndarrays
        Values seen, sorted, of attributes whose values repeat; none of the others.
    """

    weights: list
    mean: np.ndarray
    covariance: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    order: np.ndarray
    share: np.ndarray
    donors: list
    values: list

    @classmethod
    def learn(cls, model, X, counts, weights, rng):
        """Learn from records, and from the networks that were trained on their bootstraps.

        Parameters
        ----------
        model : StackedAutoencoderImputer
            With its scale learned.
        X : ndarray of shape (n, d)
            Records, NaN where missing; each attribute has a value.
        counts : int ndarray of shape (m, n)
            How often each record is in the bootstrap of each member.
        weights : list of ndarray
            Those of the networks.
        rng : numpy.random.Generator
        """
        X = X.astype(np.float64)
        shift, scale = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        Z = (X - shift) / scale
        start = gaussian(Z, np.ones(len(Z)))
        fitted = [gaussian(Z[own > 0], own[own > 0], start) for own in counts]
        mean, covariance = (np.stack(part) for part in zip(*fitted, strict=True))
        # columns of a category follow each other
        order = np.lexsort((model._network().categories.leading, np.isnan(X).sum(axis=0)))
        values = [_repeated(x[~np.isnan(x)]) for x in X.T]
        drawing = cls(
            weights, mean, covariance, shift, scale, order, np.zeros(X.shape[1]),
            [np.empty((0, 2))] * X.shape[1], values,
        )  # fmt: skip
        drawing._learn_residuals(model, X[:DONORS].copy(), counts[:, :DONORS], rng)
        return drawing

    def _learn_residuals(self, model, X, counts, rng):
        """Hide each observed cell from a member that does not know its record.

        Attribute by attribute, in the order of drawing: residuals first, then draws from them fill
        the holes, so that the next attribute is estimated as it will be in use.
        """
        holes = np.isnan(X)
        stranger = np.where(counts == 0, 1.0, 0.0) + rng.random(counts.shape)
        owner, unknown = stranger.argmax(axis=0), (counts == 0).any(axis=0)
        for place, j in enumerate(self.order):
            seen = _trial(holes, j, self.order[:place], rng)
            if category := _category(model, j):
                for b in range(len(counts)):
                    own = np.flatnonzero((owner == b) & np.isnan(X[:, j]))
                    X[np.ix_(own, category[0])] = self._codes(model, b, X[own], category, rng)
                continue
            linear, net, sd = np.empty((3, len(X)))
            for b in range(len(counts)):
                own = owner == b
                linear[own], net[own], sd[own] = self._estimates(model, b, X[own], seen[own], j)
            told = ~holes[:, j] & unknown
            told = told if told.any() else ~holes[:, j]
            error = (X[:, j] - self.shift[j]) / self.scale[j] - linear
            self.share[j] = _share(error[told], (net - linear)[told])
            step = self.share[j] * (net - linear)
            found = np.column_stack([linear + step, (error - step) / sd])
            self.donors[j] = found[told][np.argsort(found[told, 0], kind="stable")]
            empty = holes[:, j]
            X[empty, j] = self._drawn(j, found[empty, 0], sd[empty], self.donors[j], rng)

    def _estimates(self, model, b, X, seen, j):
        """Linear estimate of member b, the network's, and the conditional standard deviation."""
        linear, net, sd = np.empty((3, len(X)))
        size = max(1, CELLS // X.shape[1] ** 2)
        for start in range(0, len(X), size):
            own = slice(start, start + size)
            shown = np.where(seen[own], X[own], np.nan)
            Z = (shown - self.shift) / self.scale
            linear[own], sd[own] = regression(self.mean[b], self.covariance[b], Z, j)
            net[own] = self._network_estimate(model, b, shown)[:, j]
        return linear, (net - self.shift[j]) / self.scale[j], sd

    def _network_estimate(self, model, b, X):
        Z = model.units_.to_network(X)
        estimate = model._reconstruct([w[b : b + 1] for w in self.weights], Z)[0]
        return model.units_.from_network(estimate)

    def _codes(self, model, b, X, category, rng):
        """Codes of a category, drawn by the probabilities that the network of member b gives."""
        columns, steps = category
        P = np.empty((len(X), len(columns)))
        size = max(1, CELLS // X.shape[1] ** 2)
        for start in range(0, len(X), size):
            own = slice(start, start + size)
            P[own] = self._network_estimate(model, b, X[own])[:, columns]
        return draw_codes(P, steps, rng)

    def _drawn(self, j, estimate, sd, donors, rng):
        """Values of an attribute: estimates, each with the residual of a donor near it."""
        near = min(max(FEWEST, round(NEAR * len(donors))), len(donors))
        first = np.searchsorted(donors[:, 0], estimate) - near // 2
        chosen = np.clip(first, 0, len(donors) - near) + rng.integers(near, size=len(estimate))
        x = (estimate + sd * donors[chosen, 1]) * self.scale[j] + self.shift[j]
        seen = self.values[j]
        return seen[np.searchsorted((seen[1:] + seen[:-1]) / 2, x)] if len(seen) else x

    def fill(self, model, X, b, rng):
        """Fill the holes of records (n, d) as member b draws them.

        Its donors are a bootstrap too, since their spread is an estimate.
        """
        X = X.astype(np.float64)
        for j in self.order:
            if category := _category(model, j):
                rows = np.flatnonzero(np.isnan(X[:, j]))
                X[np.ix_(rows, category[0])] = self._codes(model, b, X[rows], category, rng)
                continue
            donors = self.donors[j]
            donors = donors[np.sort(rng.integers(len(donors), size=len(donors)))]
            rows = np.flatnonzero(np.isnan(X[:, j]))
            if len(rows):
                seen = ~np.isnan(X[rows])
                linear, net, sd = self._estimates(model, b, X[rows], seen, j)
                estimate = linear + self.share[j] * (net - linear)
                X[rows, j] = self._drawn(j, estimate, sd, donors, rng)
        return X


def _trial(holes, j, earlier, rng):
    """Cells that each record shows when attribute j is estimated.

    Earlier attributes are filled. Of a record that has the attribute, later ones are hidden as in
    one that lacks it.
    """
    lacking = np.flatnonzero(holes[:, j])
    donor = rng.choice(lacking if len(lacking) else len(holes), len(holes))
    hidden = holes | (holes[donor] & ~holes[:, [j]])
    hidden[:, earlier], hidden[:, j] = False, True
    return ~hidden


def _share(error, step):
    """How much of each step takes most of the error away, from 0 to 1."""
    square = step @ step
    return np.clip(error @ step / square, 0.0, 1.0) if square > 0 else 0.0


def _category(model, j):
    """Columns of the category that a column codes, and whether they are steps; None of a number."""
    groups = model._network().groups
    return next(((list(own), steps) for own, steps in groups if j in own), None)


def _repeated(x):
    """Values that were seen, where at least half of the cells hold one that others hold too."""
    seen = np.unique(x)
    return seen if len(seen) <= len(x) / 2 else seen[:0]


def gaussian(Z, weight, start=None, *, tolerance=1e-4, most=200):
    """Mean and covariance of records with holes, by expectation and maximisation.

    Parameters
    ----------
    Z : ndarray of shape (n, d)
        Standardised records, NaN where missing.
    weight : ndarray of shape (n,)
        Weight of each record.
    start : tuple of mean and covariance, optional
        Where to begin.
    tolerance : float, default=1e-4
        Largest change of a number at which to stop.
    most : int, default=200
        Most rounds.

    Returns
    -------
    mean : ndarray of shape (d,)
    covariance : ndarray of shape (d, d)

    References
    ----------
    Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", JRSS
    B 1977. On bootstraps for multiple imputation: Honaker and King, "What to do about missing
    values in time-series cross-section data", American Journal of Political Science 2010.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(5000, 1)) + 0.5 * rng.normal(size=(5000, 2))
    >>> Z[Z[:, 0] > 0, 1] = np.nan  # what is missing depends on what is seen
    >>> mean, covariance = gaussian(Z, np.ones(5000))
    >>> bool(np.abs(mean).max() < 0.1), covariance.round(1).tolist()
    (True, [[1.2, 1.0], [1.0, 1.3]])
    """
    n, d = Z.shape
    mean, covariance = (np.zeros(d), np.eye(d)) if start is None else start
    order = np.lexsort(np.isnan(Z).T)
    Z, weight, size = Z[order], weight[order], max(1, CELLS // d**2)
    for _ in range(most):
        total, square = np.zeros(d), PRIOR * np.eye(d)
        for at in range(0, n, size):
            own, w = Z[at : at + size], weight[at : at + size]
            filled, spread = _expected(own, w, mean, covariance)
            total += w @ filled
            square += (w[:, None] * (filled - mean)).T @ (filled - mean) + spread
        moved = total / weight.sum() - mean
        square = square / (weight.sum() + PRIOR) - np.outer(moved, moved)
        change = max(np.abs(moved).max(), np.abs(square - covariance).max())
        mean, covariance = mean + moved, square
        if change < tolerance:
            break
    return mean, covariance


def _expected(Z, weight, mean, covariance):
    """Records with their holes as expected, and the summed covariance of what is not seen.

    By the precision, which is inverted once: of each pattern its holes alone remain to be solved.
    """
    holes, kind = np.unique(np.isnan(Z), axis=0, return_inverse=True)
    kind, most = kind.ravel(), int(holes.sum(axis=1).max())
    place = np.argsort(~holes, axis=1, kind="stable")[:, :most]  # its holes, then what is seen
    real = np.take_along_axis(holes, place, axis=1)
    pairs, both = (place[:, :, None], place[:, None, :]), real[:, :, None] & real[:, None, :]
    precision = np.linalg.inv(covariance)
    spread = np.where(both, np.linalg.inv(np.where(both, precision[pairs], np.eye(most))), 0.0)
    away = np.where(np.isnan(Z), 0.0, Z - mean)
    place, pull = place[kind], away @ precision
    step = np.einsum("nij,nj->ni", spread[kind], np.take_along_axis(pull, place, axis=1))
    filled = mean + away
    np.put_along_axis(filled, place, np.take_along_axis(filled, place, axis=1) - step, axis=1)
    summed = np.zeros_like(covariance)
    total = np.bincount(kind, weight, len(holes))
    np.add.at(summed, pairs, total[:, None, None] * spread)
    return filled, summed


def _coefficients(covariance, seen, targets):
    """Coefficients (P, d, k) of the regressions of k targets on what each of P patterns shows."""
    both = seen[:, :, None] & seen[:, None, :]
    lhs = np.where(both, covariance, 0.0) + np.eye(len(covariance)) * ~seen[:, :, None]
    return np.linalg.solve(lhs, seen[:, :, None] * targets)


def regression(mean, covariance, Z, j):
    """Expect attribute j from what is seen of each record.

    Parameters
    ----------
    mean, covariance : ndarray of shape (d,) and (d, d)
        Of a Gaussian.
    Z : ndarray of shape (n, d)
        Records, NaN where not seen, as attribute j is.
    j : int

    Returns
    -------
    expected, sd : ndarray of shape (n,)
        Conditional mean and standard deviation.

    Examples
    --------
    >>> covariance = np.array([[1.0, 0.6], [0.6, 1.0]])
    >>> regression(np.zeros(2), covariance, np.array([[2.0, np.nan], [np.nan, np.nan]]), 1)
    (array([1.2, 0. ]), array([0.8, 1. ]))
    """
    seen, kind = np.unique(~np.isnan(Z), axis=0, return_inverse=True)
    slopes = _coefficients(covariance, seen, covariance[:, [j]])[..., 0]
    variance = covariance[j, j] - (slopes * seen) @ covariance[j]
    away = np.where(np.isnan(Z), 0.0, Z - mean)
    slopes, variance = slopes[kind.ravel()], variance[kind.ravel()]
    return mean[j] + np.sum(away * slopes, axis=1), np.sqrt(variance)
