"""Whether progress bars are wanted."""

import os


def no_bars():
    """Whether the environment asks for no progress bars: it sets ``CI`` or ``TQDM_DISABLE``.

    Examples
    --------
    >>> no_bars() in (True, False)
    True
    """
    return bool(os.environ.get("CI") or os.environ.get("TQDM_DISABLE"))
