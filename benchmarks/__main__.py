"""Run the benchmarks: ``python -m benchmarks [NAME ...]``; results go to ``benchmarks/results``."""

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import imputers, speed
from ehrgan.protocol import source_fingerprint
from ehrgan.saving import write_whole

BENCHMARKS = {
    "keras": speed.against_keras,
    "floor": speed.against_floor,
    "growth": speed.growth,
    "imputers": imputers.errors_and_times,
}
RESULTS = Path(__file__).parent / "results"


def machine():
    """Say where and with what the benchmarks ran."""
    libraries = ("tensorflow", "keras", "numpy", "scikit-learn")
    return {
        "processor": platform.machine(),
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
    RESULTS.mkdir(exist_ok=True)
    for name in names:
        table = BENCHMARKS[name]()
        write_whole(RESULTS / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
        write_whole(RESULTS / f"{name}.json", json.dumps(machine(), indent=1) + "\n")
        print(f"{name}: {len(table)} rows in {RESULTS / name}.csv")


if __name__ == "__main__":
    main()
