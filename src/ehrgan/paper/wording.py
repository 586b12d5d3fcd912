"""Findings in words; :class:`~ehrgan.scores.estimate.Estimate` has those of one interval."""

__all__ = ["listed", "mixed_as_by_chance", "mixed_more", "ordinal", "places_in_words"]

NOT_MIXED = ("nothing to compare", "not tested")


def ordinal(place, last=None):
    """Write a place from 1 to 9 in words; the place `last`, if there is one, is the last.

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
    >>> import pandas as pd
    >>> places_in_words(pd.Series({"mean": 1, "zero": 3}))
    'first with mean, third with zero imputation'
    """
    each = ", ".join(f"{ordinal(place)} with {name}" for name, place in places.items())
    alike = f"{ordinal(places.iloc[0])} with every"
    return f"{alike if (places == places.iloc[0]).all() else each} imputation"


def listed(words, before="", after=""):
    """Join words by commas, with a text before and after; nothing where there are no words.

    Examples
    --------
    >>> listed(["AUC", "F-score"], " (short: ", ")"), listed([], " (short: ", ")")
    (' (short: AUC, F-score)', '')
    """
    return before + ", ".join(words) + after if words else ""


def mixed_more(mixed, other):
    """Say in which classes records mix more with real ones than others do.

    Parameters
    ----------
    mixed, other : DataFrame
        Indexed by class; column attributes (the mixing). Classes that lack a number in either were
        not tested.

    Returns
    -------
    ours, finding : str

    Examples
    --------
    >>> import pandas as pd
    >>> filled, means = (pd.DataFrame({"attributes": [v]}, index=["benign"]) for v in (0.2, 0.3))
    >>> mixed_more(filled, means)
    ('mixing benign 0.20 (0.30)', 'not so here')
    """
    own = mixed[["attributes"]].join(other["attributes"].rename("other")).dropna()
    if own.empty:
        return NOT_MIXED
    told = own["attributes"].map("{:.2f}".format) + own["other"].map(" ({:.2f})".format)
    more = (own["attributes"] > own["other"]).sum()
    finding = {0: "not so here", len(own): "seen in every class"}
    return _by_class(told), finding.get(more, f"in {more} of {len(own)} classes")


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
    >>> import pandas as pd
    >>> mixed = pd.DataFrame({"attributes": [0.8], "low": [0.9], "high": [1.1]}, index=["benign"])
    >>> mixed_as_by_chance(mixed)
    ('mixing benign 0.80', '0 of 1 classes mix as by chance')
    """
    own = mixed.dropna()
    if own.empty:
        return NOT_MIXED
    inside = own["attributes"].between(own["low"], own["high"])
    told = own["attributes"].map("{:.2f}".format)
    return _by_class(told), f"{inside.sum()} of {len(own)} classes mix as by chance"


def _by_class(told):
    return "mixing " + "; ".join(f"{word} {text}" for word, text in told.items())
