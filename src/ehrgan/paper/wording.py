"""Findings in words: what an interval, a place or a list allows to say."""

__all__ = [
    "compared",
    "listed",
    "mixed_as_by_chance",
    "ordinal",
    "places_in_words",
    "tie",
    "within",
]


def tie(low, high):
    """Say whether an interval of differences excludes a tie.

    Parameters
    ----------
    low, high : float

    Returns
    -------
    str

    Examples
    --------
    >>> tie(-0.01, 0.02), tie(0.01, 0.02)
    ('a tie is not excluded', 'a tie is excluded')
    """
    return "a tie is not excluded" if low <= 0 <= high else "a tie is excluded"


def compared(
    low, high, smaller="smaller than", larger="larger than", neither="not clearly different from"
):
    """Say what an interval of differences allows to say.

    Parameters
    ----------
    low, high : float
    smaller, larger, neither : str
        Words for an interval below zero, above zero, and one that reaches zero.

    Returns
    -------
    str

    Examples
    --------
    >>> compared(-0.02, -0.01), compared(-0.01, 0.02)
    ('smaller than', 'not clearly different from')
    """
    return smaller if high < 0 else larger if low > 0 else neither


def within(number, low, high):
    """Say whether a number lies inside or outside an interval, whose ends belong to it.

    Parameters
    ----------
    number, low, high : float

    Returns
    -------
    {"inside", "outside"}

    Examples
    --------
    >>> within(0.97, 0.95, 0.99)
    'inside'
    """
    return "inside" if low <= number <= high else "outside"


def ordinal(place, last=None):
    """Write a place in words.

    Parameters
    ----------
    place : int
        From 1 to 9.
    last : int, optional
        The place that is called the last.

    Returns
    -------
    str

    Examples
    --------
    >>> ordinal(2), ordinal(8), ordinal(8, last=8)
    ('second', 'eighth', 'last')
    """
    words = "first second third fourth fifth sixth seventh eighth ninth".split()
    return "last" if place == last else words[place - 1]


def places_in_words(places):
    """Say in which place a method comes with each imputation, in one phrase where all agree.

    Parameters
    ----------
    places : Series of int
        Place by imputation.

    Returns
    -------
    str

    Examples
    --------
    >>> places_in_words(pd.Series({"mean": 1, "zero": 3}))
    'first with mean, third with zero imputation'
    """
    each = ", ".join(f"{ordinal(place)} with {name}" for name, place in places.items())
    alike = f"{ordinal(places.iloc[0])} with every"
    return f"{alike if (places == places.iloc[0]).all() else each} imputation"


def listed(words, before="", after=""):
    """Join words by commas, with a text before and after; nothing where there are no words.

    Parameters
    ----------
    words : list of str
    before, after : str

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["AUC", "F-score"], " (short: ", ")"), listed([], " (short: ", ")")
    (' (short: AUC, F-score)', '')
    """
    return before + ", ".join(words) + after if words else ""


def mixed_as_by_chance(mixed):
    """Say of how many classes the records mix with real ones as by chance.

    Parameters
    ----------
    mixed : DataFrame
        Indexed by class; columns attributes (the mixing), low and high (what chance gives). Classes
        that lack a number were not tested.

    Returns
    -------
    ours, finding : str

    Examples
    --------
    >>> mixed = pd.DataFrame({"attributes": [0.8], "low": [0.9], "high": [1.1]}, index=["benign"])
    >>> mixed_as_by_chance(mixed)
    ('mixing benign 0.80', '0 of 1 classes mix as by chance')
    """
    own = mixed.dropna()
    if own.empty:
        return "nothing to compare", "not tested"
    inside = own["attributes"].between(own["low"], own["high"])
    text = "; ".join(f"{word} {value:.2f}" for word, value in own["attributes"].items())
    return f"mixing {text}", f"{inside.sum()} of {len(own)} classes mix as by chance"
