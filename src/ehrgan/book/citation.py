"""How the book is cited: an entry for BibTeX from ``CITATION.cff``, so that both say the same."""

import yaml

__all__ = ["bibtex"]


def bibtex(citation, config):
    """Write the entry of the book.

    Parameters
    ----------
    citation : str
        The text of ``CITATION.cff``; authors with one name, such as groups, have it in `name`.
    config : dict
        ``_config.yml`` as read: its copyright is the year, its repository the address.

    Returns
    -------
    str
        The entry, ending with a line break.

    Raises
    ------
    KeyError
        One of them lacks what the entry needs.

    Examples
    --------
    >>> about = {"copyright": "2026", "repository": {"url": "https://example.org/a"}}
    >>> authors = "[{given-names: Ada, family-names: Lovelace}]"
    >>> entry = bibtex(f"{{title: A book, authors: {authors}}}", about)
    >>> print(entry.splitlines()[1])
      author = {Lovelace, Ada},
    """
    told = yaml.safe_load(citation)
    lines = {
        "author": " and ".join(map(_name, told["authors"])),
        "title": told["title"],
        "year": config["copyright"],
        "url": config["repository"]["url"],
    }
    width = max(map(len, lines))
    body = ",\n".join(f"  {key:{width}} = {{{value}}}" for key, value in lines.items())
    return f"@misc{{ehrgan,\n{body}\n}}\n"


def _name(author):
    """An author as BibTeX takes one apart; the name of a group stays whole in braces."""
    if "name" in author:
        return f"{{{author['name']}}}"
    return f"{author['family-names']}, {author['given-names']}"
