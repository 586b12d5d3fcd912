"""Fill the holes in a table of records with an autoencoder, then diagnose with an AC-GAN."""

from importlib import import_module

__all__ = ["ACGANClassifier", "StackedAutoencoderImputer"]

_HOMES = {"ACGANClassifier": "acgan", "StackedAutoencoderImputer": "autoencoder"}


def __getattr__(name):
    """Import an estimator when it is first asked for: most tools of the package need none."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
