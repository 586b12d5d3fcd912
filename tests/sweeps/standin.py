"""A stand-in for runs of a sweep: what it gives, and a sweep of it."""

import pandas as pd

from ehrgan.sweeps import sweep as sweeps

PARAMETERS = "x = 1\nlayers = [5, 2]"
SETS = [{"x": x} for x in (1, 2, 3)]


def outcome(x=1, **changes):
    """How a run of the stand-in comes out: two rows of scores."""
    scores = pd.DataFrame({"fold": [0, 1], "value": [10.0 * x, 10.0 * x + 1]}).to_parquet()
    usual = {"status": "done", "error": "", "duration": 2.0 * x, "peak_memory_mb": 80.0 + x}
    return {**usual, "notebook": b"{}", "scores": scores, **changes}


def failure(words, **changes):
    return outcome(status="failed", error=words, scores=b"", **changes)


def swept(toy, out, sets=SETS, **options):
    return sweeps.sweep(toy, sets, out, **{"progress": False, "jobs": 1, **options})
