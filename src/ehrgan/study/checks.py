"""Refusals of arguments out of their range, each by name."""

from numbers import Integral, Real


def check_share(name, value):
    """Refuse a share that is no number from 0 to 1."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number from 0 to 1, got {value!r}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")


def check_count(name, value, low, high=None, why=""):
    """Refuse a count that is no whole number or out of range."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < low or (high is not None and value > high):
        top = "" if high is None else f" and at most {high} ({why})"
        raise ValueError(f"{name} must be at least {low}{top}, got {value}")


def check_names(name, values, known):
    """Return the names as a tuple, or refuse an unknown or absent one."""
    values = (values,) if isinstance(values, str) else tuple(values)
    strange = [value for value in values if value not in known]
    if strange or not values:
        raise ValueError(f"{name} must be one or more of {list(known)}, got {list(values)}")
    return values
