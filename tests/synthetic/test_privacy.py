"""Attacks: the controls come out as they must, copies are named, persons stay on one side."""

import numpy as np
import pandas as pd
import pytest
from mixed_tables import mixed

from ehrgan import load_wdbc
from ehrgan.synthetic.audit import split_persons
from ehrgan.synthetic.generators import make_generator
from ehrgan.synthetic.privacy import copies, privacy

AREAS = ["closest record", "density ratio", "attributes"]


def wdbc(seed):
    records = load_wdbc()
    return split_persons(records.X.assign(malignant=records.y), "malignant", seed=seed)


def attacked(fake, parts, **how):
    return privacy(fake, **dict(zip(("members", "others", "reference"), parts, strict=True)), **how)


def shown(name, members, seed, n=None):
    """What a generator makes after the members, outcome and all."""
    X, outcome = members.drop(columns="malignant"), members["malignant"]
    made, y = make_generator(name, seed).fit(X, outcome).sample(n or len(X), random_state=seed + 1)
    return made.assign(malignant=y)


@pytest.mark.parametrize("seed", range(3))
def test_verbatim_copies_are_caught_by_every_attack(seed):
    parts = wdbc(seed)
    found = attacked(parts[0].sample(frac=1, random_state=seed), parts, seed=seed)
    assert (found.loc[AREAS[:2], "low"] >= 0.95).all()
    assert found.loc["attributes", "mean"] >= 0.95
    assert found.loc[["exact copies", "near copies"], "mean"].tolist() == [1, 1]
    assert found["caught"].all()


def test_a_bootstrap_is_caught_too():
    parts = wdbc(0)
    found = attacked(shown("bootstrap", parts[0], 0), parts)
    assert found["caught"].all() and found.loc["exact copies", "mean"] > 0.5


def test_an_unrelated_half_gives_nobody_away():
    """Over many splits the areas scatter about one half, and intervals hold it as often as told."""
    rng, found = np.random.default_rng(0), []
    for seed in range(12):
        sets = [pd.DataFrame(rng.normal(size=(250, 6))) for _ in range(4)]
        found.append(attacked(sets[0], sets[1:], seed=seed))
    means = np.array([table.loc[AREAS, "mean"] for table in found])
    held = np.array([(t["low"] <= t["chance"]) & (t["chance"] <= t["high"]) for t in found])
    assert np.abs(means.mean(axis=0) - 0.5).max() < 0.02
    assert held.mean() > 0.85


def test_real_records_of_others_are_no_leak():
    members, others, reference = wdbc(0)
    third, reference = reference.iloc[::2], reference.iloc[1::2]
    found = attacked(third, (members, others, reference))
    assert not found["caught"].any()
    assert (found.loc[AREAS, "mean"] - 0.5).abs().max() < 0.08


def test_smote_is_caught_and_class_wise_gaussians_leak_less():
    parts = wdbc(0)
    smote, gaussians = (
        attacked(shown(name, parts[0], 0), parts) for name in ("SMOTE", "class-wise Gaussians")
    )
    assert smote.loc["closest record", "caught"]
    assert (smote.loc[AREAS, "mean"] > gaussians.loc[AREAS, "mean"]).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("jitter", [0, 0.01])
def test_ten_copies_in_a_thousand_are_caught_by_name_though_distances_look_private(seed, jitter):
    members, others, reference = parts = wdbc(seed)
    fake = shown("class-wise Gaussians", members, seed, n=1000)
    clean = attacked(fake, parts)
    chosen = members.sample(10, random_state=seed)
    spread = members.std() * jitter
    noise = np.random.default_rng(seed).normal(size=(10, members.shape[1])) * spread.to_numpy()
    noise[:, -1] = 0  # the outcome stays what it is
    places = np.random.default_rng(seed).choice(1000, 10, replace=False)
    fake.iloc[places] = (chosen + noise).to_numpy()
    found = attacked(fake, parts)
    row = "near copies" if jitter else "exact copies"
    assert not clean.loc[row, "caught"] and found.loc[row, "caught"]
    assert abs(found.loc["closest record", "mean"] - clean.loc["closest record", "mean"]) < 0.03
    named = copies(fake, members=members, others=pd.concat([others, reference]))
    own = named[named["side"] == "members"]
    assert set(own["record"]) >= set(chosen.index) and len(own) <= 12
    told = dict(zip(own["record"], own["fake"], strict=True))
    assert [told[label] for label in chosen.index] == places.tolist()
    assert own["exact"].sum() == (0 if jitter else 10)


def test_copies_in_a_mixed_table_with_holes_are_caught_too():
    table = mixed(1200, 0)
    parts = split_persons(table, "died", seed=0)
    X, y = (
        make_generator("Gaussian copula")
        .fit(parts[0].drop(columns="died"), parts[0]["died"])
        .sample(1000)
    )
    fake = X.assign(died=y)
    assert not attacked(fake, parts).loc["exact copies", "caught"]
    spoiled = pd.concat([fake.iloc[:-10], parts[0].iloc[50:60]], ignore_index=True)
    found = attacked(spoiled, parts)
    assert found.loc["exact copies", "caught"]
    named = copies(spoiled, members=parts[0], others=pd.concat(parts[1:]))
    exact = named[named["exact"] & (named["side"] == "members")]
    assert set(parts[0].index[50:60]) <= set(exact["record"])


def test_equal_records_of_a_coarse_table_are_no_copies():
    rng = np.random.default_rng(0)
    sets = [
        pd.DataFrame({"sex": rng.choice(["f", "m"], 300), "n": rng.integers(4, size=300)})
        for _ in range(4)
    ]
    found = attacked(sets[0], sets[1:])
    assert not found.loc[["exact copies", "near copies"], "caught"].any()
    named = copies(sets[0], members=sets[1], others=sets[2])
    assert (named["side"] == "members").mean() == pytest.approx(0.5, abs=0.05)


def test_persons_widen_the_interval_and_never_stand_on_two_sides():
    table = mixed(900, 0, persons=150)
    parts = split_persons(table, "died", person="patient", seed=0)
    owners = [set(part["patient"]) for part in parts]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    assert sum(map(len, parts)) == 900
    fake = mixed(400, 7)
    whole = attacked(fake, parts, person="patient")
    apart = attacked(fake, [part.drop(columns="patient") for part in parts])
    widths = [(t["high"] - t["low"])["closest record"] for t in (whole, apart)]
    assert widths[0] > 1.2 * widths[1]
    with pytest.raises(ValueError, match="members and others share 1 persons, such as 'p"):
        attacked(
            fake, (parts[0], pd.concat([parts[1], parts[0].iloc[:1]]), parts[2]), person="patient"
        )
    with pytest.raises(ValueError, match="lacks a name in 1"):
        broken = parts[0].copy()
        broken.iloc[0, -1] = None
        attacked(fake, (broken, *parts[1:]), person="patient")


def test_many_records_of_a_person_do_not_hide_a_copy():
    """A record is alone as far as the next other person, not as the person's next record."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(80, 6))
    records = np.repeat(centres, 4, axis=0) + 0.01 * rng.normal(size=(320, 6))
    table = pd.DataFrame(records).assign(who=np.repeat(np.arange(80), 4))
    table.columns = table.columns.astype(str)
    members, others = table.iloc[:160], table.iloc[160:]
    fake = pd.DataFrame(rng.normal(size=(200, 6)), columns=table.columns[:-1])
    fake.iloc[:10] = members.iloc[::16, :-1].to_numpy() + 0.005
    found = privacy(fake, members=members, others=others, person="who")
    assert found.loc["near copies", "caught"]
    assert found.loc["near copies", "mean"] == pytest.approx(10 / 40)


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"fake": pd.DataFrame({"b": [1.0]})}, r"lacks \['a'\], and has besides \['b'\]"),
        ({"fake": pd.DataFrame({"a": []})}, "must hold records"),
        ({"others": pd.DataFrame({"a": [np.inf]})}, "'a' holds infinity"),
        ({"person": "who"}, "'who' is no column"),
        ({"fake": [[1.0]]}, "DataFrame"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, complaint):
    table = pd.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises((TypeError, ValueError), match=complaint):
        privacy(**{"fake": table, "members": table, "others": table} | change)
