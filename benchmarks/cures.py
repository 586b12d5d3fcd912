"""What the cures for rare classes cost to learn: seconds, and megabytes.

``python -m benchmarks.cures CURE N_RECORDS EPOCHS`` measures one, in a process of its own.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pandas as pd
import psutil
from sklearn.base import clone

from ehrgan import ACGANClassifier
from ehrgan.study.by_prevalence import CURES

N_ATTRIBUTES, PREVALENCE, WARM = 30, 0.02, 1000
PAUSE = 0.01  # seconds between two looks at the memory


def costs(n_records=50_000, epochs=1, rounds=2):
    """Processor seconds to learn, and by how many megabytes memory grew at most, round by round.

    One record in fifty is positive. The AC-GANs train for one epoch: their time grows with epochs,
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
    """Processor seconds, megabytes of growth, and the megabytes of the table itself."""
    rng = np.random.default_rng(0)
    y = (rng.permutation(n_records) < PREVALENCE * n_records).astype(int)
    X = rng.normal(size=(n_records, N_ATTRIBUTES)) + y[:, None]
    model, short = clone(CURES[cure].estimator), ACGANClassifier(epochs=epochs)
    values = {"epochs": epochs, "acganoversampler__acgan": short, "random_state": 0}
    model.set_params(**{name: v for name, v in values.items() if name in model.get_params()})
    clone(model).fit(X[:WARM], y[:WARM])  # loads libraries
    ended, before = Event(), _held()
    with ThreadPoolExecutor(1) as beside:
        most = beside.submit(_most_held, ended)
        began = time.process_time()  # others at work on the machine do not count
        model.fit(X, y)
        seconds = time.process_time() - began
        ended.set()
    return {"seconds": seconds, "growth": most.result() - before, "table": X.nbytes / 2**20}


def _most_held(ended):
    """Most memory that this process holds until an event, in megabytes."""
    most = _held()
    while not ended.wait(PAUSE):
        most = max(most, _held())
    return max(most, _held())


def _held():
    return psutil.Process().memory_info().rss / 2**20


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
