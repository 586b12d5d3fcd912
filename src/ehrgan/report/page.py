"""A report as one HTML page, and the card of its model."""

import io
from base64 import b64encode
from datetime import date

import numpy as np
import pandas as pd

from ..scores.estimate import Estimate, readable
from ..templates import render
from .describing import table_one
from .methods import method_in_words
from .model import versions

NOT_A_DEVICE = (
    "This is research software, not a medical device: no decision about a patient may rest on it."
)

SHOWN = 15  # attributes whose importance is shown


def html_page(report):
    """The report as one HTML page that needs no other file and no network."""
    found, settings = report.prepared, report.settings
    return render(
        "report.html",
        title=f"Report on {in_words(found.classes)}",
        device=NOT_A_DEVICE,
        words=report.words,
        methods=_picture(report.figure()),
        calibration=_picture(report.calibration()),
        benefit=_picture(report.benefit()) if report.thresholds is not None else None,
        tables=tables_in_words(report),
        notes=found.notes,
        downloads=downloads(report),
        protocol=f"{settings['n_trials']} x {settings['n_folds']}-fold cross-validation of "
        f"{settings['n_compared']} of {len(found.y)} records, seed {settings['seed']}; "
        f"fingerprint of the table {found.fingerprint}",
    )


def tables_in_words(report):
    """The tables of the page by name, formatted; those that are not there are left out."""
    found = {
        "comparison": comparison_in_words(report),
        "performance": performance_in_words(report),
        "first": table_one(report.prepared),
        "missing": patterns_in_words(report),
        "columns": columns_in_words(report.prepared),
    }
    if report.thresholds is not None:
        found["thresholds"] = thresholds_in_words(report.thresholds)
    if report.importance is not None:
        found["importance"] = pd.DataFrame(
            {
                "attribute": report.importance["attribute"],
                "AUC lost": readable(report.importance.rename(columns={"value": "mean"}), "+.3f"),
            }
        ).head(SHOWN)
    if report.groups is not None:
        found["groups"] = groups_in_words(report.groups)
    return found


def thresholds_in_words(table):
    """The thresholds, formatted; of nobody acted on no share is positive."""
    ends = table[["net benefit", "low", "high"]].set_axis(["mean", "low", "high"], axis=1)
    table = table.assign(**{"net benefit": readable(ends, "+.3f")}).drop(columns=["low", "high"])
    shares = ("sensitivity", "specificity", "acted on", "of those positive")
    formats = dict.fromkeys(shares, "{:.0%}".format)
    told = table.transform(lambda column: column.map(formats.get(column.name, _shown)))
    return told.where(table.notna(), "")


def performance_in_words(report):
    """Scores of the records here beside those of other places and times, formatted."""
    tables = {"out of fold, here": report.performance}
    tables |= {one.name: one.performance for one in report.outside}
    columns = {
        name: readable(table.rename(columns={"value": "mean"})).set_axis(table["measure"])
        for name, table in tables.items()
    }
    return pd.DataFrame(columns).rename_axis("measure").reset_index()


def groups_in_words(groups):
    """Scores within groups of records, formatted."""
    told = readable(groups.rename(columns={"value": "mean"}), ".2f")
    told = told.where(groups["value"].notna(), "too few records")
    keys = ["column", "group", "records", "rarest"]
    how = {"index": keys, "columns": "measure", "values": "told", "aggfunc": "first"}
    wide = groups.assign(told=told).pivot_table(**how)
    order = [name for name in ("AUC", "expected less seen", "sensitivity") if name in wide]
    named = {"rarest": "of the rarest class"}
    return wide[order].fillna("").reset_index().rename(columns=named)


def downloads(report):
    """Files inside the page: name, what it holds, and its content as a data address."""
    prepared = report.prepared
    told = np.column_stack([1 - report.told, report.told]) if report.told.ndim == 1 else report.told
    predictions = pd.DataFrame(told, columns=[f"probability of {c}" for c in prepared.classes])
    predictions.insert(0, "record", report.rows + 1)
    predictions.insert(1, "class", np.array(prepared.classes, dtype=object)[report.scores.y])
    files = {
        "comparison.csv": ("scores of every method", report.comparison.to_csv(index=False)),
        "predictions.csv": ("out-of-fold probabilities", predictions.to_csv(index=False)),
        "schema.json": ("what each column was taken for", prepared.schema.to_json()),
        "model_card.md": ("the card of the model", report.card()),
    }
    return [
        (name, what, f"data:text/plain;base64,{b64encode(text.encode()).decode()}")
        for name, (what, text) in files.items()
    ]


def model_card(report):
    """The model card of the fitted pipeline, as Markdown."""
    found = report.prepared
    return render(
        "model_card.md",
        **report.settings,
        device=NOT_A_DEVICE,
        method=method_in_words(*report.method),
        day=date.today().isoformat(),
        versions=", ".join(f"{name} {number}" for name, number in versions().items()),
        title=in_words(found.classes),
        positive=found.positive,
        order=sorted(found.classes),
        n_records=len(found.y),
        sizes=[f"{(found.y == k).sum()} {name!r}" for k, name in enumerate(found.classes)][::-1],
        n_rows=found.n_rows,
        fingerprint=found.fingerprint,
        attributes=list(found.X.columns),
        missing=100 * found.X.isna().to_numpy().mean(),
        notes=found.notes,
        words=report.words,
    )


def in_words(classes):
    """What is told from what."""
    if len(classes) == 2:
        return f"{classes[1]!r} against {classes[0]!r}"
    return ", ".join(map(repr, classes))


def patterns_in_words(report):
    """The commonest patterns of holes, formatted."""
    shares = [name for name in ("share", "positive") if name in report.missing]
    formatted = {name: report.missing[name].map("{:.1%}".format) for name in shares}
    return report.missing.assign(**formatted)


def comparison_in_words(report):
    """The comparison of methods, formatted."""
    table = report.comparison
    level = zip(table["auc"], table["low"], table["high"], strict=True)
    behind = zip(table["behind"], table["behind_low"], table["behind_high"], strict=True)
    return pd.DataFrame(
        {
            "imputation": table["imputation"],
            "classifier": table["classifier"],
            "AUC": [f"{Estimate(*numbers)}" for numbers in level],
            "less the best": [f"{Estimate(*numbers):+}" for numbers in behind],
            "p (Holm)": table["p"].map("{:.3f}".format),
            "Brier score": table["brier"].map("{:.3f}".format),
            "recommended": np.where(table.index == report.chosen, "yes", ""),
        }
    )


def columns_in_words(prepared):
    """What the columns of the table were taken for, formatted."""
    columns = prepared.columns.assign(
        missing=prepared.columns["missing"].map("{:.1%}".format),
        used=np.where(prepared.columns["used"], "yes", "no"),
    )
    return columns.rename(columns={"n_values": "values"})


def _shown(value):
    return f"{value:.3f}" if isinstance(value, float) else value


def _picture(figure):
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return b64encode(picture.getvalue()).decode()
