"""The command ``ehrgan``: sweeps of notebooks, and reports on a reader's own records."""

import argparse
import os
import sys


def command_line():
    """Options of the command."""
    parser = argparse.ArgumentParser(prog="ehrgan", description="Tools of the ehrgan book.")
    commands = parser.add_subparsers(dest="command", required=True)
    sweep = commands.add_parser("sweep", help="run a notebook over a grid of parameters")
    sweep.add_argument("notebook", help="the notebook; or 'status', to look at a folder")
    sweep.add_argument("grid", help="the grid, a YAML file; or the folder to look at")
    sweep.add_argument("--out", help="folder or s3:// address for the results")
    sweep.add_argument("--jobs", type=int, help="runs at a time on this machine")
    sweep.add_argument("--scheduler", help="address of a running Dask scheduler")
    sweep.add_argument("--timeout", type=float, help="seconds that a run may take")
    sweep.add_argument("--dry-run", action="store_true", help="list what would run, and stop")
    add_report(commands)
    return parser


def add_report(commands):
    """Options of ``ehrgan report``."""
    report = commands.add_parser(
        "report", help="compare imputations and classifiers on your own table; nothing leaves it"
    )
    report.add_argument("table", help="a CSV or Parquet file with a line of names")
    report.add_argument("--outcome", required=True, help="the column to predict")
    report.add_argument("--out", help="folder for the results; else the file's name and _report")
    report.add_argument("--positive", help="the value of the outcome that is the positive class")
    several = {"action": "append", "default": []}
    keep = {"metavar": "COLUMN", "help": "a column to keep though it would be left out"}
    report.add_argument("--keep", **several, **keep)
    codes = {"metavar": "CODE", "help": "a code that means missing, besides the usual ones"}
    report.add_argument("--missing", **several, **codes)
    orders = {"metavar": "COLUMN=LOW,..,HIGH", "help": "a column whose values have an order"}
    report.add_argument("--ordered", **several, **orders)
    report.add_argument("--group", help="column that tells which records belong together")
    report.add_argument("--seed", type=int, default=0, help="makes the comparison reproducible")


def main(arguments=None):
    """Run the command; returns the exit status."""
    parser = command_line()
    options = parser.parse_args(arguments)
    if options.command == "report":
        return report(options)
    from . import sweep as sweeps  # each command loads only what it needs

    try:
        if options.notebook == "status":
            return show_state(options.grid)
        if options.out is None:
            parser.error("the following arguments are required: --out")
        if options.jobs is not None and options.jobs < 1:
            parser.error(f"--jobs must be at least 1, got {options.jobs}")
        if options.dry_run:
            return show_plan(options)
        return run(options)
    except sweeps.GridError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def report(options):
    """Compare methods on a table; says where the report is, or what to change."""
    # TensorFlow's lines are about the machine, not the records
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from .reading import DEFAULT_MISSING, ReportError
    from .report import report_file

    try:
        found, paths = report_file(
            options.table,
            options.outcome,
            options.out,
            missing=(*DEFAULT_MISSING, *options.missing),
            positive=options.positive,
            keep=options.keep,
            ordered=parsed_orders(options.ordered),
            group=options.group,
            seed=options.seed,
        )
    except (ReportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(found.words))
    print(f"the report is in {paths['report']}, the pipeline and its model card beside it")
    return 0


def parsed_orders(texts):
    """Read COLUMN=LOW,..,HIGH."""
    from .reading import ReportError

    found = {}
    for text in texts:
        name, mark, values = text.partition("=")
        if not (mark and values):
            raise ReportError(f"--ordered needs COLUMN=LOW,..,HIGH, got {text!r}")
        found[name] = values.split(",")
    return found


def show_state(out):
    """Print what is done, running and failed in a folder, and why."""
    from . import sweep as sweeps

    table = sweeps.state(out)
    counts = table["status"].value_counts().sort_index()
    print(", ".join(f"{n} {status}" for status, n in counts.items()) or "no run yet")
    for row in table[table["status"] == "failed"].itertuples():
        print(f"failed {row.key} {row.parameters}: {row.error}")
    return 0


def show_plan(options):
    """Print what a sweep would run, and how long that may take."""
    from . import sweep as sweeps

    runs = sweeps.plan(options.notebook, sweeps.read_grid(options.grid))
    known = sweeps.state(options.out).set_index("key")
    done = known[known["status"] == "done"]
    todo = [run for run in runs if run.key not in done.index]
    for run in todo:
        print(run.key, run.parameters)
    print(f"{len(todo)} of {len(runs)} runs to do")
    if len(done):
        jobs = options.jobs or sweeps.most_jobs()
        seconds = done["duration"].median() * len(todo) / jobs
        print(f"about {seconds / 60:.1f} min with {jobs} at a time, as the finished runs went")
    else:
        print("no run has finished there yet, so there is no estimate of time")
    return 0


def run(options):
    """Sweep, and report what failed."""
    from . import sweep as sweeps

    found = sweeps.sweep(
        options.notebook,
        sweeps.read_grid(options.grid),
        options.out,
        jobs=options.jobs,
        scheduler=options.scheduler,
        timeout=options.timeout,
    )
    failed = [about for about in found if about["status"] != "done"]
    for about in failed:
        print(f"failed {about['key']} {about['parameters']}: {about['error']}", file=sys.stderr)
    print(f"{len(found) - len(failed)} of {len(found)} runs done, results in {options.out}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
