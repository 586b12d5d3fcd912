"""The command ``ehrgan``: sweeps of notebooks, and reports on a reader's own records."""

import argparse
import csv
import os
import signal
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from statistics import median


def command_line():
    """Options of the command."""
    parser = argparse.ArgumentParser(prog="ehrgan", description="Tools of the ehrgan book.")
    parser.add_argument("--version", action="version", version=f"ehrgan {version('ehrgan')}")
    commands = parser.add_subparsers(dest="command", required=True)
    sweep = commands.add_parser("sweep", help="run a notebook over a grid of parameters")
    sweep.add_argument("notebook", help="the notebook; or 'status', to look at a folder")
    sweep.add_argument("grid", help="the grid, a YAML file; or the folder to look at")
    sweep.add_argument("--out", help="folder or s3:// address for the results")
    sweep.add_argument("--jobs", type=int, help="runs at a time on this machine")
    sweep.add_argument("--scheduler", help="address of a running Dask scheduler")
    needs = {"metavar": "NAME=AMOUNT", "help": "what a run takes of the workers' resources"}
    sweep.add_argument("--resource", action="append", default=[], **needs)
    sweep.add_argument("--timeout", type=float, help="seconds that a run may take")
    where = "folder that relative paths start from, by default the notebook's own"
    sweep.add_argument("--workdir", help=where)
    part = "do the I-th of N shares of the runs, such as 2/3: one for each task of a job array"
    sweep.add_argument("--shard", metavar="I/N", default="1/1", help=part)
    sweep.add_argument("--dry-run", action="store_true", help="list what would run, and stop")
    add_report(commands)
    return parser


def add_report(commands):
    """Options of the commands that read a table, from describe to card."""
    several = {"action": "append", "default": []}
    describe = commands.add_parser("describe", help="say what each column of a table is")
    describe.add_argument(
        "table", help="a table with a line of names: CSV, Parquet, a workbook, ..."
    )
    describe.add_argument("--outcome", help="the column to predict")
    describe.add_argument("--out", help="the schema; else the file's name and .schema.json")
    report = commands.add_parser(
        "report", help="compare imputations and classifiers on your own table; nothing leaves it"
    )
    report.add_argument("--out", help="folder for the results; else the file's name and _report")
    synthesize = commands.add_parser(
        "synthesize", help="make records like those of your own table, and measure them"
    )
    synthesize.add_argument("--n", type=int, default=1000, help="records to make, at least 100")
    synthesize.add_argument("--out", required=True, help="the CSV to write; a card lies beside it")
    how = {"metavar": "NAME", "help": "Gaussian copula (default), class-wise Gaussians, AC-GAN"}
    synthesize.add_argument("--generator", default="Gaussian copula", **how)
    synthesize.set_defaults(time=None, by=[])  # what only a report tells apart
    keep = {"metavar": "COLUMN", "help": "a column to keep though it would be left out"}
    orders = {
        "metavar": "COLUMN=LOW,..,HIGH",
        "help": "a column whose values have an order; in quotes where a value holds a comma",
    }
    needed = "the column to predict; needed unless the schema names it"
    for command in (report, synthesize):
        command.add_argument(
            "table", help="a table with a line of names: CSV, Parquet, a workbook, ..."
        )
        command.add_argument("--outcome", help=needed)
        command.add_argument("--positive", help="the value of the outcome that is positive")
        command.add_argument("--keep", **several, **keep)
        command.add_argument("--ordered", **several, **orders)
        command.add_argument("--group", help="column that tells which records belong together")
        command.add_argument("--seed", type=int, default=0, help="makes all of it reproducible")
    when = "column of dates: also train on the past, and test on what came after"
    report.add_argument("--time", metavar="COLUMN", help=when)
    groups = "column for whose groups of records the scores are told, such as sex"
    report.add_argument("--by", metavar="COLUMN", **several, help=groups)
    other = "records of another place, outcome included, to try the recommended method on"
    report.add_argument("--external", metavar="TABLE", **several, help=other)
    codes = {
        "metavar": "[COLUMN=]CODE",
        "help": "a code that means missing: in one column, or wherever it fits. None or NA among "
        "words is a category unless the table's numbers have it too, or you say so here",
    }
    for command in (describe, report, synthesize):
        command.add_argument("--missing", **several, **codes)
        command.add_argument("--schema", help="what is known of the columns: a Table Schema")
    predict = commands.add_parser("predict", help="predict new records by the model of a report")
    predict.add_argument("model", help="the model.skops of a report")
    predict.add_argument("table", help="the new records, columns in any order")
    predict.add_argument("--out", required=True, help="the CSV to write")
    update = commands.add_parser(
        "update", help="let a model learn from new records whose outcomes are known"
    )
    update.add_argument("model", help="the model.skops of a report, which stays as it is")
    update.add_argument("table", help="the new records with their outcomes, as they came")
    update.add_argument("--out", help="the new model; else the old one's name and a number")
    card = commands.add_parser("card", help="print the card of a model")
    card.add_argument("model", help="the model.skops of a report")
    for command in (describe, report, synthesize, predict, update):
        command.add_argument("--encoding", help="of a file of text, if it is not UTF-8")
        command.add_argument("--delimiter", help="the character between cells")
        command.add_argument("--header", type=int, help="the line or row of the names, from 1")
        command.add_argument("--sheet", help="the sheet of a workbook")


def main(arguments=None):
    """Run the command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # of any encoding, the console of a name not in it too
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = command_line()
    options = parser.parse_args(arguments)
    tables = {
        **{"describe": describe_table, "report": report_table},
        **{"synthesize": synthesize_table, "predict": predict_table, "card": print_card},
        **{"update": update_model},
    }
    try:
        if options.command in tables:
            return on_a_table(tables[options.command], options)
        return sweep_command(parser, options)
    except KeyboardInterrupt as stopped:
        rest = "what is done stays, the same command does the rest"
        whole = "no file is left half-written"
        print(f"stopped: {rest if options.command == 'sweep' else whole}", file=sys.stderr)
        return 128 + (stopped.args[0] if stopped.args else signal.SIGINT)


def sweep_command(parser, options):
    """Run, preview or show a sweep; says what to change where it cannot."""
    try:
        from .sweeps.grid import GridError  # each command loads only what it needs
    except ImportError as error:
        print(f"error: a sweep needs pip install 'ehrgan[sweep]': {error}", file=sys.stderr)
        return 2
    try:
        if options.notebook == "status":
            return show_state(options.grid)
        if options.out is None:
            parser.error("the following arguments are required: --out")
        return show_plan(options) if options.dry_run else run(options)
    except GridError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def on_a_table(command, options):
    """Run a command on a reader's table; says what to change where it cannot."""
    # TensorFlow's lines are about the machine, not the records
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from .report.errors import ReportError

    try:
        return command(options)
    except (ReportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def described_table(options):
    """The table as its file has it, and the schema that was given, if one was."""
    from .report.cells import read_cells
    from .report.files import as_filed
    from .report.schema import read_schema

    given = read_schema(options.schema) if options.schema else None
    dialect = given.dialect if given else {}
    return as_filed(read_cells(options.table, **(dialect | file_options(options)))), given


def other_table(path, prepared):
    """Records of another place, read as the table here was."""
    from .report.cells import read_cells
    from .report.files import as_filed

    return as_filed(read_cells(path, **prepared.schema.dialect))


def file_options(options):
    """How a file is to be read, as far as that was said."""
    told = {key: getattr(options, key) for key in ("encoding", "delimiter", "header", "sheet")}
    return {key: value for key, value in told.items() if value is not None}


def describe_table(options):
    """Write what each column of a table is, and print it."""
    from .report.describe import describe
    from .report.errors import ReportError
    from .report.schema import Schema

    out = Path(options.out or f"{Path(options.table).name.split('.')[0]}.schema.json")
    if out.exists():
        raise ReportError(f"out '{out}' is there already: name another with --out, or delete it")
    table, given = described_table(options)
    if options.outcome:
        given = (given or Schema([])).changed({options.outcome: {"role": "outcome"}})
    schema = describe(table, given, missing=options.missing)
    schema.save(out)
    print(*table.attrs["notes"], *schema.notes, schema, "", *schema.sentences(), sep="\n")
    print(f"the schema is in {out}: correct what is wrong, and give it to report by --schema")
    return 0


def prepared_table(options):
    """The table as it can be studied, by all that was said of it."""
    from .report.reading import prepare

    table, given = described_table(options)
    return prepare(
        table,
        options.outcome,
        positive=options.positive,
        keep=options.keep,
        ordered=parsed_orders(options.ordered),
        group=options.group,
        time=options.time,
        by=options.by,
        schema=given,
        missing=options.missing,
    )


def report_table(options):
    """Compare methods on a table, and say where the report is."""
    prepared = prepared_table(options)
    out = Path(options.out or f"{Path(options.table).name.split('.')[0]}_report")
    refuse_unwritable(out)
    others = {Path(path).name: other_table(path, prepared) for path in options.external}
    print(prepared.schema, "", *prepared.notes, sep="\n", flush=True)
    from .report.report import make_report  # loads TensorFlow, so after what may be refused

    found = make_report(prepared, seed=options.seed, external=others)
    paths = found.save(out)
    print("", *found.words, sep="\n")
    print(f"the report is in {paths['report']}; model, model card and schema are beside it")
    return 0


def synthesize_table(options):
    """Make records like those of a table, and say how they measure."""
    from .report.errors import ReportError
    from .synthetic.synthesize import synthesize

    out = Path(options.out)
    if out.exists():  # it may be the real table
        raise ReportError(f"out '{out}' is there already: name another file, or delete it")
    refuse_unwritable(out.parent)
    prepared = prepared_table(options)
    print(prepared.schema, "", *prepared.notes, sep="\n", flush=True)
    found = synthesize(prepared, options.n, generator=options.generator, seed=options.seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    paths = found.save(out)
    print("", *found.notes, *found.words, sep="\n")
    print(f"the records are in {paths['records']}, their card in {paths['card']}")
    return 0


def predict_table(options):
    """Predict new records, and say what the model did not know."""
    from .report.predict import predict_file

    told = predict_file(options.model, options.table, options.out, **file_options(options))
    print(*told, f"the predictions are in {options.out}", sep="\n")
    return 0


def update_model(options):
    """Update a model beside the old one, and say what has changed."""
    from .report.update import update_file

    words, paths = update_file(options.model, options.table, options.out, **file_options(options))
    print(*words, sep="\n")
    print(f"the new model is in {paths['model']}, its card in {paths['card']}; the old one stays")
    return 0


def print_card(options):
    """Print what a model says of itself."""
    from .report.model import read_model

    print(read_model(options.model).about["card"])
    return 0


def refuse_unwritable(out):
    """Refuse a folder for results that cannot be made or written, before minutes of training."""
    from .report.errors import ReportError

    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ReportError(f"out '{out}' is a file, or would lie below one: name a folder")
    if not os.access(nearest, os.W_OK):
        raise ReportError(f"out '{out}' cannot be written: name another folder with --out")


def parsed_orders(texts):
    """Read COLUMN=LOW,..,HIGH; a value that holds a comma stands in quotes, as in CSV."""
    from .report.errors import ReportError

    found = {}
    for text in texts:
        name, mark, values = text.partition("=")
        if not (mark and values):
            raise ReportError(f"--ordered needs COLUMN=LOW,..,HIGH, got {text!r}")
        found[name] = next(csv.reader([values], skipinitialspace=True))
    return found


def show_state(out):
    """Print what is done, running and failed in a folder, and why."""
    from .sweeps.grid import GridError
    from .sweeps.sweep import runs_in

    runs = runs_in(out)
    if not runs:
        raise GridError(f"{out} holds no run of a sweep")
    print(counted(runs))
    notebooks = sorted({run["notebook"] for run in runs})
    for notebook in notebooks if len(notebooks) > 1 else []:
        own = [run for run in runs if run["notebook"] == notebook]
        print(f"  {notebook or 'unknown notebook'}: {counted(own)}")
    for run in with_status(runs, "running"):
        print(f"running {run['key']} for {run['duration']:.0f} s {run['parameters']}")
    for run in with_status(runs, "failed"):
        print(f"failed {run['key']} {run['parameters']}: {run['error']}")
    if with_status(runs, "stale"):
        print("stale: of another source of the library than the installed; it would run anew")
    return 0


def with_status(runs, status):
    """Those of some runs that are, say, done."""
    return [run for run in runs if run["status"] == status]


def counted(runs):
    """How many runs of each status."""
    counts = Counter(run["status"] for run in runs)
    return ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))


def parsed_resources(texts):
    """Read NAME=AMOUNT."""
    from .sweeps.grid import GridError

    found = {}
    for text in texts:
        name, _, amount = text.partition("=")
        try:
            found[name] = float(amount)
        except ValueError:
            raise GridError(f"--resource needs NAME=AMOUNT, got {text!r}") from None
    return found


def parsed_shard(text):
    """Read I/N."""
    from .sweeps.grid import GridError

    i, _, n = text.partition("/")
    try:
        return int(i), int(n)
    except ValueError:
        raise GridError(f"--shard needs I/N, such as 2/3, got {text!r}") from None


def show_plan(options):
    """Print what a sweep would run, and how long that may take."""
    from .sweeps.grid import read_grid
    from .sweeps.plan import plan
    from .sweeps.sweep import check_options, n_places, runs_in, share

    where = {"jobs": options.jobs, "scheduler": options.scheduler}
    resources, shard = parsed_resources(options.resource), parsed_shard(options.shard)
    limits = {"timeout": options.timeout, "workdir": options.workdir, "shard": shard}
    check_options(**where, resources=resources, **limits)
    runs = share(plan(options.notebook, read_grid(options.grid)), shard)
    places = n_places(**where)
    done = {run["key"]: run["duration"] for run in with_status(runs_in(options.out), "done")}
    todo = [run for run in runs if run.key not in done]
    for run in todo:
        print(run.key, run.parameters)
    print(f"{len(todo)} of {len(runs)} runs to do")
    if done:
        seconds = median(done.values()) * -(-len(todo) // places)
        print(f"about {seconds / 60:.1f} min with {places} at a time, as the finished runs went")
    else:
        print("no run has finished there yet, so there is no estimate of time")
    return 0


def run(options):
    """Sweep, and report what failed."""
    from .sweeps.grid import read_grid
    from .sweeps.sweep import sweep

    usual = signal.signal(signal.SIGTERM, interrupt)
    try:
        found = sweep(
            options.notebook,
            read_grid(options.grid),
            options.out,
            jobs=options.jobs,
            scheduler=options.scheduler,
            resources=parsed_resources(options.resource),
            timeout=options.timeout,
            workdir=options.workdir,
            shard=parsed_shard(options.shard),
        )
    finally:
        signal.signal(signal.SIGTERM, usual)
    failed = [about for about in found if about["status"] != "done"]
    for about in failed:
        print(f"failed {about['key']} {about['parameters']}: {about['error']}", file=sys.stderr)
    print(f"{len(found) - len(failed)} of {len(found)} runs done, results in {options.out}")
    return 1 if failed else 0


def interrupt(number, _):
    """Stop as Ctrl-C does."""
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main())
