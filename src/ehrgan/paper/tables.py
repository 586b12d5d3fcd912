"""The paper's two tables of numbers, alone and beside ours."""

from importlib.resources import files

import pandas as pd

from ..scores.metrics import METRICS, check_columns

__all__ = ["N_NEGATIVE", "N_POSITIVE", "beside_paper", "paper_tables"]

#: Malignant and benign records, section "Dataset" of the paper.
N_POSITIVE, N_NEGATIVE = 212, 357


def paper_tables():
    """Read the paper's Tables 1 and 2.

    Returns
    -------
    DataFrame
        Columns table (1 or 2), imputer ("mean" or "autoencoder"), classifier and the five of
        `METRICS`; eight rows each.

    Examples
    --------
    >>> paper_tables().query("classifier == 'AC-GAN'")[["imputer", "accuracy"]]
            imputer  accuracy
    7          mean    0.9752
    15  autoencoder    0.9777
    """
    with files("ehrgan").joinpath("data/inputs/paper_tables.csv").open(encoding="utf-8") as source:
        return pd.read_csv(source).rename(columns={"imputation": "imputer"})


def beside_paper(summary):
    """Put results beside the paper's Tables 1 and 2, cell by cell.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.scores.metrics.summarise`.

    Returns
    -------
    DataFrame
        Rows (imputer, classifier) in the paper's order, so that ``.loc["mean"]`` is Table 1 and
        ``.loc["autoencoder"]`` is Table 2; imputers and classifiers that the paper or the summary
        lacks are left out. Columns (metric, figure) with the figures ours, low, high, paper and
        difference (ours less the paper's).

    Examples
    --------
    >>> summary = pd.DataFrame({"imputer": ["mean"], "classifier": ["MLP"],
    ...     "metric": ["accuracy"], "mean": [0.96], "low": [0.94], "high": [0.98]})
    >>> beside_paper(summary).loc["mean"]["accuracy"].round(4)
                ours   low  high   paper  difference
    classifier
    MLP         0.96  0.94  0.98  0.9525      0.0075
    """
    keys = ["imputer", "classifier", "metric"]
    check_columns("summary", summary, [*keys, "mean", "low", "high"])
    paper = paper_tables().melt(["imputer", "classifier"], METRICS, "metric", "paper")
    both = paper.merge(summary.rename(columns={"mean": "ours"}), on=keys)
    both["difference"] = both["ours"] - both["paper"]
    figures = ["ours", "low", "high", "paper", "difference"]
    by_metric = {m: rows.set_index(keys[:2])[figures] for m, rows in both.groupby("metric")}
    return pd.concat({m: by_metric[m] for m in METRICS if m in by_metric}, axis="columns")
