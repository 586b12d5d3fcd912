"""The command ``ehrgan``, of which ``ehrgan sweep`` is the first part."""

import argparse
import sys

from . import sweep as sweeps


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
    return parser


def main(arguments=None):
    """Run the command; returns the exit status."""
    parser = command_line()
    options = parser.parse_args(arguments)
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


def show_state(out):
    """Print what is done, running and failed in a folder, and why."""
    table = sweeps.state(out)
    counts = table["status"].value_counts().sort_index()
    print(", ".join(f"{n} {status}" for status, n in counts.items()) or "no run yet")
    for row in table[table["status"] == "failed"].itertuples():
        print(f"failed {row.key} {row.parameters}: {row.error}")
    return 0


def show_plan(options):
    """Print what a sweep would run, and how long that may take."""
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
