"""Tables with real holes: what they hold, and that they are the files that were recorded."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ehrgan.tables import datasets
from ehrgan.tables.datasets import DATASETS, load_dataset

# records, attributes, positive share, missing patterns, complete records
FACTS = {
    "pbc": (415, 17, 0.120, 9, 275),
    "hypothyroid": (3163, 19, 0.048, 23, 2),
    "hepatitis": (155, 19, 0.206, 21, 80),
    "support2": (9105, 28, 0.271, 546, 436),
}


@pytest.fixture(scope="module", params=DATASETS)
def dataset(request):
    return load_dataset(request.param)


def test_a_set_has_the_size_and_the_holes_that_are_told(dataset):
    n, d, share, patterns, complete = FACTS[dataset.about["name"]]
    holes = dataset.X.isna().to_numpy()
    assert dataset.X.shape == (n, d) and dataset.y.shape == (n,)
    assert set(dataset.y) == {0, 1} and dataset.y.mean() == pytest.approx(share, abs=0.0005)
    assert len(np.unique(holes, axis=0)) == patterns
    assert (~holes.any(axis=1)).sum() == complete


def test_columns_are_numbers_or_categories(dataset):
    for name, cells in dataset.X.items():
        numeric = cells.dtype == np.float64
        assert numeric or isinstance(cells.dtype, pd.CategoricalDtype), name
        assert cells.notna().any(), name


def test_nothing_that_tells_the_outcome_is_left(dataset):
    assert not set(dataset.about["dropped"]) & set(dataset.X.columns)
    for name, cells in dataset.X.items():
        codes = cells if cells.dtype == np.float64 else cells.cat.codes.replace(-1, np.nan)
        seen = codes.notna()
        area = roc_auc_score(dataset.y[seen], codes[seen])
        assert max(area, 1 - area) < 0.99 or name == "TSH", (name, area)


def test_sources_and_licences_are_told(dataset):
    for key in (
        "title",
        "source",
        "package",
        "licence",
        "citation",
        "outcome",
        "positive",
        "notes",
    ):
        assert dataset.about[key], key
    assert len(dataset.about["sha256"]) == 64


def test_nine_attributes_of_pbc_are_missing_together():
    names = ["trt", "ascites", "hepato", "spiders", "chol", "copper", "alk.phos", "ast", "trig"]
    assert load_dataset("pbc").X[names].isna().all(axis=1).sum() == 104


def test_what_is_missing_tells_in_hypothyroid():
    hypothyroid = load_dataset("hypothyroid")
    missing = hypothyroid.X["TSH"].isna()
    assert missing[hypothyroid.y == 1].mean() < 0.01 < 0.15 < missing[hypothyroid.y == 0].mean()
    assert hypothyroid.X["TBG"].notna().sum() == 260


def test_support2_has_its_holes_back():
    X = load_dataset("support2").X
    assert X["income"].isna().sum() == 2982
    numbers = X.select_dtypes("number").isna().to_numpy()
    assert len(np.unique(numbers, axis=0)) == 356
    assert (~numbers.any(axis=1)).mean() == pytest.approx(0.058, abs=0.0005)
    assert X["ca"].cat.ordered and list(X["ca"].cat.categories) == ["no", "yes", "metastatic"]


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "inputs"
    folder.mkdir(parents=True)
    source = datasets.files("ehrgan").joinpath("data/inputs")
    about = source.joinpath("datasets.json").read_bytes()
    (folder / "datasets.json").write_bytes(about)
    (folder / "pbc.parquet").write_bytes(source.joinpath("pbc.parquet").read_bytes()[:-1])
    monkeypatch.setattr(datasets, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="pbc.parquet is not the file"):
        load_dataset("pbc")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="name must be one of .*'pbc'.*got 'PBC'"):
        load_dataset("PBC")


def test_a_set_is_its_file_record_by_record(dataset):
    name = dataset.about["name"]
    folder = datasets.files("ehrgan").joinpath("data/inputs")
    source = pd.read_parquet(folder.joinpath(f"{name}.parquet"))
    pd.testing.assert_frame_equal(dataset.X, source.drop(columns="outcome"))
    assert dataset.y.dtype == np.int64 and dataset.y.tolist() == source["outcome"].tolist()
    told = "hypothyroid" if name == "hypothyroid" else "died"
    assert repr(dataset) == (
        f"<Dataset {name!r}: {len(source)} records x {source.shape[1] - 1} attributes, "
        f"{(source['outcome'] == 1).sum()} {told}, {source.isna().sum().sum()} cells missing>"
    )


def test_classes_are_the_right_way_round():
    """What is known of each illness: the sign of one attribute tells the positive class."""
    signs = {"pbc": "bili", "hypothyroid": "TSH", "hepatitis": "bilirubin"}
    for name, attribute in signs.items():
        found = load_dataset(name)
        high = found.X[attribute].groupby(found.y).median()
        assert high[1] > high[0], name  # higher in who died or is ill
    support2 = load_dataset("support2")
    age = support2.X["age"].groupby(support2.y).mean()
    assert age[1] > age[0] + 1
    for name in ("pbc", "hepatitis", "support2"):
        assert load_dataset(name).about["positive"] == "died"


def test_a_file_of_another_checksum_is_refused_even_if_it_is_a_table(tmp_path, monkeypatch):
    source = datasets.files("ehrgan").joinpath("data/inputs")
    folder = tmp_path / "data" / "inputs"
    folder.mkdir(parents=True)
    for name in ("datasets.json", "hepatitis.parquet"):
        (folder / name).write_bytes(source.joinpath(name).read_bytes())
    monkeypatch.setattr(datasets, "files", lambda _: tmp_path)
    assert len(load_dataset("hepatitis").X) == 155
    table = pd.read_parquet(folder / "hepatitis.parquet")
    table.loc[0, "outcome"] = 1 - table.loc[0, "outcome"]
    table.to_parquet(folder / "hepatitis.parquet")
    with pytest.raises(ValueError, match="hepatitis.parquet is not the file"):
        load_dataset("hepatitis")
