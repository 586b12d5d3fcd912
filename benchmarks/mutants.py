"""Do the tests notice small faults? ``python -m benchmarks.mutants FOLDER/NAME ...`` tells.

mutmut changes a module one expression at a time and runs the tests that reach it. Names decide
which: for ``src/ehrgan/FOLDER/NAME.py`` the file ``tests/FOLDER/test_NAME.py``, or all of that
folder where there is none, and the module's examples. Every module gets a fresh folder under
``_build/mutants``, in which ``mutmut browse`` works too. The wording of refusals is left alone, and
so are constants and decorated functions, which mutmut cannot change.
"""

import argparse
import configparser
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTICED = ("killed", "timeout", "segfault")
# loaded once; each mutant runs in a fork. TensorFlow starts its threads on first use, after it.
PRELOADED = ("tensorflow", "seaborn", "sklearn.metrics", "sklearn.neighbors", "unshrunk")
# a fault is noticed by any counterexample: hypothesis need not look for the smallest
UNSHRUNK = """from hypothesis import Phase, settings
settings.register_profile("unshrunk", phases=(Phase.explicit, Phase.generate), deadline=None)
settings.load_profile("unshrunk")
"""


def prepare(source):
    """Make the folder that a module's mutants live in, all links but for mutmut's configuration."""
    folder = ROOT / "_build" / "mutants" / source.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "unshrunk.py").write_text(UNSHRUNK)
    entries = [e for e in ROOT.iterdir() if not e.name.startswith((".", "_build"))]
    for entry in entries:
        (folder / entry.name).symlink_to(entry)
    own = ROOT / "tests" / source.parent.relative_to(ROOT / "src" / "ehrgan")
    tests = [own / f"test_{source.stem}.py"]
    tests = tests if tests[0].exists() else sorted(own.glob("test_*.py"))
    options = {
        "source_paths": ["src"],
        "only_mutate": [source.relative_to(ROOT)],
        "do_not_mutate_patterns": [r"raise \w+"],
        "also_copy": ["unshrunk.py", *(e.name for e in entries if e.name not in ("src", "tests"))],
        "pytest_add_cli_args_test_selection": [p.relative_to(ROOT) for p in (*tests, source)],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--hypothesis-seed=0"],
        "timeout_constant": [10],  # a busy machine's slowness is not a test that notices
        "process_isolation": ["forkserver"],
        "forkserver_warmup": ["import"],
        "preload_modules_file": ["preloaded.txt"],
    }
    config = configparser.ConfigParser(interpolation=None)
    config["mutmut"] = {key: "\n".join(map(str, values)) for key, values in options.items()}
    with (folder / "setup.cfg").open("w") as file:
        config.write(file)
    (folder / "preloaded.txt").write_text("\n".join(PRELOADED) + "\n")
    return folder


def main():
    """Run the mutants of the modules named, print those that nobody noticed and each score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="+", metavar="NAME")
    scores = []
    for name in parser.parse_args().modules:
        sources = sorted((ROOT / "src" / "ehrgan").rglob(f"{name}.py"))
        if len(sources) != 1:
            parser.error(f"{name} names {len(sources)} modules of src/ehrgan; say FOLDER/NAME")
        folder = prepare(sources[0])

        def mutmut(*arguments, folder=folder, **options):
            command = [Path(sys.executable).with_name("mutmut"), *arguments]
            return subprocess.run(command, cwd=folder, check=True, text=True, **options).stdout

        mutmut("run")
        listed = mutmut("results", "--all", "true", stdout=subprocess.PIPE).split("\n")
        status = dict(line.strip().split(": ") for line in listed if ": " in line)
        for mutant, told in status.items():
            if told not in NOTICED:
                print(mutmut("show", mutant, stdout=subprocess.PIPE))
        counts = Counter(status.values())
        noticed = sum(counts[told] for told in NOTICED)
        scores.append(f"{name}: {noticed} of {len(status)} noticed, {noticed / len(status):.0%}")
    print("\n".join(scores))


if __name__ == "__main__":
    main()
