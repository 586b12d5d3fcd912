"""What the cures for rare classes cost to learn: seconds, and megabytes.

``python -m benchmarks.cures CURE N_RECORDS EPOCHS`` measures one, in a process of its own.
"""

import json
import resource  # noqa: TID251  Windows lacks it, and psutil knows no peak elsewhere
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from sklearn.base import clone

from ehrgan import ACGANClassifier
from ehrgan.study.by_prevalence import CURES

N_ATTRIBUTES, PREVALENCE, WARM = 30, 0.02, 1000


def costs(n_records=50_000, epochs=10, rounds=3):
    """Seconds to learn, and by how many megabytes the peak of memory grew, round by round.

    One record in fifty is positive. The AC-GANs train for few epochs: their time grows with them,
    their memory does not.
    """
    rows = []
    for i in range(rounds):
        for cure in CURES:
            command = [sys.executable, "-m", "benchmarks.cures", cure, str(n_records), str(epochs)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append({"cure": cure, "round": i, "records": n_records, "epochs": epochs}
                        | json.loads(told.splitlines()[-1]))  # fmt: skip
    return pd.DataFrame(rows)


def measure(cure, n_records, epochs):
    """Seconds, megabytes of growth, and the megabytes of the table itself."""
    rng = np.random.default_rng(0)
    y = (rng.permutation(n_records) < PREVALENCE * n_records).astype(int)
    X = rng.normal(size=(n_records, N_ATTRIBUTES)) + y[:, None]
    model, short = clone(CURES[cure].estimator), ACGANClassifier(epochs=epochs)
    values = {"epochs": epochs, "acganoversampler__acgan": short, "random_state": 0}
    model.set_params(**{name: v for name, v in values.items() if name in model.get_params()})
    clone(model).fit(X[:WARM], y[:WARM])  # loads libraries
    before, began = _peak(), time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "growth": _peak() - before, "table": X.nbytes / 2**20}


def _peak():
    """Most memory that this process has ever held, in megabytes."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
