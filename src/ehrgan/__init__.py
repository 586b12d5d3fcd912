"""Fill the holes in a table of records with an autoencoder, then diagnose with an AC-GAN."""

from importlib import import_module

_HOMES = {
    "ACGANClassifier": "nets.acgan",
    "ACGANOverSampler": "nets.oversampler",
    "JointACGANClassifier": "nets.joint",
    "MixedImputer": "nets.mixed",
    "StackedAutoencoderImputer": "nets.autoencoder",
    "Study": "study.protocol",
    "TableCoder": "tables.coding",
    "load_wdbc": "tables.records",
    "make_report": "report.report",
    "prepare": "report.reading",
    "read_table": "report.files",
    "run_study": "study.cache",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    """Import a name when it is first asked for: most tools of the package need few of them."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
