"""A report as one HTML page, and the card of its model."""

import io
from base64 import b64encode
from datetime import date
from importlib.metadata import version

import numpy as np
import pandas as pd

from ..scores.estimate import Estimate
from ..templates import render
from .methods import method_in_words

NOT_A_DEVICE = (
    "This is research software, not a medical device: no decision about a patient may rest on it."
)


def html_page(report):
    """The report as one HTML page that needs no other file and no network."""
    found, settings = report.prepared, report.settings
    percent = "{:.1%}".format
    return render(
        "report.html",
        title=f"Report on {found.positive!r}",
        device=NOT_A_DEVICE,
        words=report.words,
        methods=_picture(report.figure()),
        calibration=_picture(report.calibration()),
        comparison=comparison_in_words(report),
        missing=report.missing.assign(
            share=report.missing["share"].map(percent),
            positive=report.missing["positive"].map(percent),
        ),
        notes=found.notes,
        columns=columns_in_words(found),
        protocol=f"{settings['n_trials']} x {settings['n_folds']}-fold cross-validation of "
        f"{settings['n_compared']} of {len(found.y)} records, seed {settings['seed']}; "
        f"fingerprint of the table {found.fingerprint}",
    )


def model_card(report):
    """The model card of the fitted pipeline, as Markdown."""
    found = report.prepared
    return render(
        "model_card.md",
        **report.settings,
        device=NOT_A_DEVICE,
        method=method_in_words(*report.method),
        day=date.today().isoformat(),
        versions=", ".join(f"{n} {version(n)}" for n in ("ehrgan", "scikit-learn", "tensorflow")),
        classes={"positive": repr(found.positive), "negative": repr(found.negative)},
        order=sorted([found.positive, found.negative]),
        n_records=len(found.y),
        n_positive=found.y.sum(),
        n_rows=found.n_rows,
        fingerprint=found.fingerprint,
        attributes=list(found.X.columns),
        missing=100 * found.X.isna().to_numpy().mean(),
        notes=found.notes,
        words=report.words,
    )


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


def _picture(figure):
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return b64encode(picture.getvalue()).decode()
