"""JointACGANClassifier: conformity, holes, labels, what joint training alone can learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from ehrgan import ACGANClassifier, JointACGANClassifier, StackedAutoencoderImputer
from ehrgan.nets import backend
from ehrgan.nets.labels import codes_of_classes
from ehrgan.nets.losses import joint_losses
from ehrgan.nets.networks import Autoencoder, Discriminator
from ehrgan.nets.objectives import JointObjective
from ehrgan.study.by_stages import planted_hole
from ehrgan.tables.coding import TableCoder
from ehrgan.tables.records import load_wdbc

QUICK = {"epochs": 3, "random_state": 0}


def holed(n=120, d=6, share=0.3, seed=0, n_classes=2):
    """Records of a few classes with cells missing at random."""
    X, y = make_classification(
        n, d, n_informative=3, n_classes=n_classes, class_sep=2.0, random_state=seed
    )
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X, y


@pytest.fixture(scope="module")
def wdbc():
    """The paper's table, its first half missing from half of the records."""
    records = load_wdbc()
    X = records.X.to_numpy(copy=True)
    X[::2, :15] = np.nan
    return X, records.y


@parametrize_with_checks([JointACGANClassifier(random_state=0)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


# --- what joint training alone can learn ----------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_a_planted_hole_is_found_by_joint_training_alone(seed):
    X, y = planted_hole(600, seed)
    X_new, y_new = planted_hole(1000, 1000 + seed)
    joint, stopped = JointACGANClassifier(random_state=seed).fit_many(
        [(X, y)] * 2, params=[{}, {"stop_gradient": True}]
    )
    filled = StackedAutoencoderImputer(random_state=seed).fit(X)
    separate = ACGANClassifier(random_state=seed).fit(filled.transform(X), y)
    area = {
        "joint": roc_auc_score(y_new, joint.predict_proba(X_new)[:, 1]),
        "stopped": roc_auc_score(y_new, stopped.predict_proba(X_new)[:, 1]),
        "two stages": roc_auc_score(y_new, separate.predict_proba(filled.transform(X_new))[:, 1]),
    }
    assert area["joint"] >= 0.9
    assert area["stopped"] <= 0.6 and area["two stages"] <= 0.6
    # what it fills is not what was recorded of others
    hole = np.isnan(X_new[:, 1])
    away = np.abs(joint.impute(X_new) - X_new[:, [0]])[hole, 1].mean()
    assert away > 3 * np.abs(stopped.impute(X_new) - X_new[:, [0]])[hole, 1].mean()


def test_without_the_gradient_and_the_game_what_is_filled_does_not_depend_on_the_class(wdbc):
    X, y = wdbc
    other = np.random.default_rng(0).permutation(y)
    model = JointACGANClassifier(epochs=5, random_state=0)
    for stop in (True, False):
        apart = {"stop_gradient": stop, "adversarial_weight": 0.0}
        one, two = model.fit_many([(X, y), (X, other)], params=[apart] * 2)
        assert np.array_equal(one.impute(X), two.impute(X)) == stop


def test_the_gradient_is_stopped_in_the_loss_of_the_imputer_alone():
    L_S, L_C = {"real": -0.7, "fake": -0.9}, {"real": -0.2, "fake": -0.4}
    weights = {"reconstruction_weight": 2.0, "adversarial_weight": 0.5}
    loss_D, loss_G = joint_losses(1.5, L_S, L_C, **weights)
    assert loss_D == pytest.approx(0.2 + 0.4 + 0.5 * (0.7 + 0.9))
    assert loss_G == pytest.approx(2 * 1.5 + 0.5 * -0.9 + 0.2 + 0.4)
    stopped = joint_losses(1.5, L_S, L_C, **weights, stop_gradient=True)
    assert stopped == pytest.approx((loss_D, 2 * 1.5 + 0.5 * -0.9))
    real = joint_losses(1.5, L_S, L_C, **weights, class_loss="real")
    assert real == pytest.approx((loss_D - 0.4, loss_G - 0.4))


# --- equations 1, 4 and 5 on three records --------------------------------------------------------

ROWS, D_IN, NOISE, K = 3, 2, 1, 3
given_weights = np.random.default_rng(12).normal
NETS = {
    "G": [given_weights(size=s) for s in ((1, 5, 4), (1, 1, 4), (1, 4, 2), (1, 1, 2))],
    "D": [given_weights(size=s) for s in ((1, 2, 4), (1, 1, 4), (1, 4, K), (1, 1, K))],
}
NETS["G"] += [np.array([[[0.9, 0.2], [-0.1, 0.5]]]), np.array([[[0.3, -0.3]]])]
X_ROWS = np.array([[[0.5, np.nan], [1.5, -0.7], [0.2, 0.4]]])
DONORS = np.array([[[0.0, 0.0], [0.0, np.nan], [np.nan, 0.0]]])
Z_ROWS = np.random.default_rng(3).normal(size=(1, 2 * ROWS, NOISE))
CODES, WEIGHTS = np.array([[2, 1, -1]]), np.array([[0.5, 0.3, 0.2]])


class GivenNoise:
    """Noise that a test has chosen: all records take their donor's holes."""

    def normal(self, shape, stream=0):
        """Return it."""
        assert shape == (2 * ROWS, NOISE)
        return backend.tensorflow().constant(Z_ROWS, "float32")

    def uniform(self, shape, stream=0):
        """Return it."""
        return backend.tensorflow().zeros((1, *shape))


def layer_by_layer(x, weights):
    """A network with one hidden layer on one record."""
    W1, b1, W2, b2 = (p[0] for p in weights)
    return np.maximum(x @ W1 + b1[0], 0) @ W2 + b2[0]


def filled_by_hand(x, seen, z):
    """A record as the generator fills it, and what it put out."""
    x = np.where(seen, np.nan_to_num(x), 0.0)
    W, b = NETS["G"][4][0], NETS["G"][5][0, 0]
    out = layer_by_layer(np.array([*x, *seen, *z]), NETS["G"][:4]) + x @ W + b
    return np.where(seen, x, out), out


def told_by_hand(x):
    """P(S = real) and P(C) of one record."""
    s, *others = layer_by_layer(x, NETS["D"])
    return expit(s), softmax([0.0, *others])


@pytest.mark.parametrize("stop_gradient", [False, True])
def test_losses_are_the_papers_sums_over_records_as_they_are_and_with_more_hidden(stop_gradient):
    tf = backend.tensorflow()
    hyper = {"adversarial_weight": 0.4, "reconstruction_weight": 1.7, "l2": 0.3}
    G = Autoencoder(D_IN, (4,), told=True, linear_skip=True, n_passes=1, noise_dim=NOISE)
    problem = JointObjective(G, Discriminator(D_IN, 4, K), 1.0, "both", stop_gradient, "loss")
    params = tf.nest.map_structure(lambda p: tf.constant(p, "float32"), NETS)
    batch = {"X": tf.constant(X_ROWS, "float32"), "c": tf.constant(CODES)}
    batch["donor"] = tf.constant(DONORS, "float32")
    told = {name: tf.constant([value], "float32") for name, value in hyper.items()}
    losses, terms = problem.objectives(
        params, batch, tf.constant(WEIGHTS, "float32"), GivenNoise(), told
    )
    known = ~np.isnan(X_ROWS[0])
    left = known & ~np.isnan(DONORS[0])
    S_real = S_fake = C_real = C_fake = 0.0
    errors = []
    for i in range(ROWS):
        w, c = WEIGHTS[0, i], CODES[0, i]
        as_is, _ = filled_by_hand(X_ROWS[0, i], known[i], Z_ROWS[0, i])
        anew, out = filled_by_hand(X_ROWS[0, i], left[i], Z_ROWS[0, ROWS + i])
        (p_real, P_real), (p_fake, P_fake) = told_by_hand(as_is), told_by_hand(anew)
        S_real, S_fake = S_real + w * np.log(p_real), S_fake + w * np.log(1 - p_fake)
        if c >= 0:
            C_real += w / 0.8 * np.log(P_real[c])  # of the third nobody knows the class
            C_fake += w / 0.8 * np.log(P_fake[c])
        errors += ((out - X_ROWS[0, i]) ** 2)[known[i] & ~left[i]].tolist()
    L_R = np.mean(errors)
    loss_D = -(C_real + C_fake + 0.4 * (S_real + S_fake))
    loss_G = 1.7 * L_R + 0.4 * S_fake - (0 if stop_gradient else C_real + C_fake)
    seen = [L_R, S_real, S_fake, C_real, C_fake, loss_D, loss_G]
    np.testing.assert_allclose(terms[0], seen, rtol=2e-5)
    penalty = 0.15 * sum((W**2).sum() for W in NETS["D"][::2])
    assert float(losses["D"][0]) == pytest.approx(loss_D + penalty, rel=2e-5)
    assert float(losses["G"][0]) == pytest.approx(loss_G, rel=2e-5)
    assert len(problem.terms) == len(seen) and set(losses) == {"D", "G"}


# --- tables of strangers --------------------------------------------------------------------------


def test_no_complete_record_most_cells_missing_and_patterns_that_training_has_not_seen():
    X, y = holed(300, 8, share=0.7, seed=3)
    X[~np.isnan(X).any(axis=1), 0] = np.nan
    model = JointACGANClassifier(random_state=0, epochs=60).fit(X[:200], y[:200])
    assert roc_auc_score(y[200:], model.predict_proba(X[200:])[:, 1]) > 0.7
    new = np.full((4, 8), np.nan)
    new[0, 3], new[1, :7] = 1.0, 0.5  # patterns of their own, and records without any cell
    P = model.predict_proba(new)
    np.testing.assert_allclose(P.sum(axis=1), 1)
    assert np.isfinite(P).all() and (P[2] == P[3]).all()
    filled = model.impute(new)
    assert np.isfinite(filled).all() and filled[0, 3] == 1.0 and (filled[1, :7] == 0.5).all()


def test_a_column_that_all_lack_is_filled_where_training_had_it_and_stays_empty_where_not():
    X, y = holed()
    X[:, 2] = np.nan
    model = JointACGANClassifier(**QUICK).fit(X, y)
    assert model.kept_.tolist() == [0, 1, 3, 4, 5]
    new = X[:10].copy()
    new[:, 4], new[:, 2] = np.nan, 7.0
    filled = model.impute(new)
    assert np.isfinite(filled).all() and (filled[:, 2] == 7.0).all()
    assert np.isnan(model.impute(X)[:, 2]).all() and not np.isnan(model.impute(X)[:, 4]).any()
    low, high = np.nanmin(X[:, 4]), np.nanmax(X[:, 4])
    assert ((low <= filled[:, 4]) & (filled[:, 4] <= high)).all()
    ignored = np.where(np.arange(6) == 2, np.nan, new)  # nothing was learned of that column
    np.testing.assert_array_equal(model.predict_proba(ignored), model.predict_proba(new))
    assert np.isnan(model.sample(3, random_state=0)[0][:, 2]).all()
    with pytest.raises(ValueError, match="no value in any cell"):
        JointACGANClassifier(**QUICK).fit(np.full((4, 3), np.nan), [0, 1, 0, 1])


def mixed_table(n=80, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    stage = pd.Categorical.from_codes(
        np.clip(y + rng.integers(0, 2, n), 0, 2), ["I", "II", "III"], ordered=True
    )
    table = pd.DataFrame({"age": rng.integers(30, 90, n).astype(float), "stage": stage})
    table["site"] = rng.choice(["lung", "colon", "skin"], n)
    return table.mask(rng.random(table.shape) < 0.3), np.where(y, "ill", "well")


def test_mixed_columns_by_way_of_the_coder():
    table, y = mixed_table()
    coder = TableCoder(ordered="cumulative").fit(table)
    Z, groups = coder.transform(table), coder.category_groups()
    model = JointACGANClassifier(categories=groups, epochs=40, random_state=0).fit(Z, y)
    assert model.score(Z, y) > 0.6
    chances = model.impute(Z)
    for columns, _ in groups:
        assert ((chances[:, columns] >= 0) & (chances[:, columns] <= 1)).all()
    for drawn in model.impute(Z, 2, random_state=0):
        back = coder.inverse_transform(drawn)
        seen = table.notna()
        assert back["site"].isin(["lung", "colon", "skin"]).all()
        assert (back[seen].astype(object) == table[seen].astype(object))[seen].all(axis=None)
        codes = drawn[:, [j for columns, _ in groups for j in columns]]
        assert np.isin(codes, (0, 1)).all()
    fake, label = model.sample(20, random_state=0)
    assert np.isin(fake[:, 1:], (0, 1)).all() and set(label) <= {"ill", "well"}
    plain = make_pipeline(TableCoder(), JointACGANClassifier(**QUICK)).fit(table, y)
    assert plain.predict(table).shape == (80,)
    with pytest.raises(ValueError, match="code a category"):
        model.predict(np.where(np.isnan(Z), np.nan, 0.5))


# --- labels, some of them missing -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "classes", "codes"),
    [
        ([0, 1, -1, 1], [0, 1], [0, 1, -1, 1]),
        ([0.0, np.nan, 1.0, -1.0], [0, 1], [0, -1, 1, -1]),
        (["b", None, "a", np.nan], ["a", "b"], [1, -1, 0, -1]),
        (pd.array([1, None, 0, -1], "Int64"), [0, 1], [1, -1, 0, -1]),
        (pd.array([True, None, False, True], "boolean"), [False, True], [1, -1, 0, 1]),
        (pd.Categorical(["x", "y", None, "x"]), ["x", "y"], [0, 1, -1, 0]),
        (["-1", "1", "0", "1"], ["-1", "0", "1"], [0, 2, 1, 2]),
    ],
)
def test_labels_of_any_kind_may_be_missing(y, classes, codes):
    found, c = codes_of_classes(y, np.zeros((4, 1)))
    assert found.tolist() == classes and c.tolist() == codes


def test_minus_one_beside_one_other_label_is_a_class_and_a_warning_says_so():
    with pytest.warns(UserWarning, match="-1 is taken for a class"):
        classes, codes = codes_of_classes([-1, 1, 1, np.nan], np.zeros((4, 1)))
    assert classes.tolist() == [-1, 1] and codes.tolist() == [0, 1, 1, -1]


@pytest.mark.parametrize(
    ("y", "wanted"),
    [
        ([1, 1, None], "one class, 1"),
        ([None, None, None], "no class, only missing"),
        ([np.nan] * 3, "no class, only missing"),
        ([0.5, 1.2, np.nan], "Unknown label type"),
        ([0, 1], "inconsistent"),
        ([[0, 1], [1, 0], [1, 1]], "1d"),
    ],
)
def test_labels_that_are_none_are_refused(y, wanted):
    with pytest.raises(ValueError, match=wanted):
        JointACGANClassifier(**QUICK).fit(np.arange(6.0).reshape(3, 2), y)


def test_records_without_a_label_teach_to_fill_and_not_to_diagnose():
    X, y = holed(200, seed=1)
    some = np.where(np.arange(200) < 120, y.astype(float), np.nan)
    wrong = np.where(np.arange(200) < 120, y.astype(float), 1.0)
    model = JointACGANClassifier(epochs=20, random_state=0)
    by_nan, by_minus, labelled, mislabelled = model.fit_many(
        [(X, some), (X, np.where(np.isnan(some), -1, some)), (X[:120], y[:120]), (X, wrong)]
    )
    P = by_nan.predict_proba(X)
    np.testing.assert_array_equal(P, by_minus.predict_proba(X))
    assert by_nan.class_prior_.tolist() == labelled.class_prior_.tolist()
    assert np.abs(P - labelled.predict_proba(X)).max() > 1e-3
    assert np.abs(P - mislabelled.predict_proba(X)).max() > 0.1
    assert by_nan.score(X[:120], y[:120]) > 0.8


def test_epochs_are_chosen_on_labelled_records_alone():
    X, y = holed(100, seed=2)
    some = np.where(np.arange(100) % 3, y.astype(float), np.nan)
    model = JointACGANClassifier(epochs=12, early_stopping=True, random_state=0).fit(X, some)
    assert 1 <= model.best_epoch_ <= 12 and np.isfinite(model.history_["validation"]).all()
    watched = JointACGANClassifier(epochs=12, early_stopping=True, random_state=0).fit_many(
        [(X[:60], some[:60])], watched=[(X[60:], y[60:])]
    )
    assert watched[0].score(X[60:], y[60:]) > 0.5


# --- weights, company, seeds, order ---------------------------------------------------------------


def test_whole_number_weights_are_repetition_and_weightless_records_teach_nothing():
    X, y = holed(60)
    weight = np.random.default_rng(0).integers(0, 4, 60)
    weighted = JointACGANClassifier(**QUICK).fit(X, y, sample_weight=weight)
    repeated = JointACGANClassifier(**QUICK).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))
    np.testing.assert_array_equal(weighted.impute(X), repeated.impute(X))
    some = np.where(weight > 0, np.nan, y)
    for labels, none in ((y, np.zeros(60)), (some, weight)):
        with pytest.raises(ValueError, match="non-zero|is 0 for every record whose class is known"):
            JointACGANClassifier(**QUICK).fit(X, labels, sample_weight=none)


def test_weights_move_the_operating_point():
    X, y = holed(200)
    model = JointACGANClassifier(epochs=30, random_state=0)
    plain, heavy = model.fit_many([(X, y), (X, y, np.where(y, 8.0, 1.0))])
    gain = heavy.predict_proba(X)[:, 1].mean() - plain.predict_proba(X)[:, 1].mean()
    assert gain > 0.05


@settings(max_examples=3)
@given(st.integers(0, 2**31 - 1))
def test_datasets_trained_together_equal_datasets_trained_alone(seed):
    sets = [holed(n, seed=seed % 1000 + n) for n in (60, 35, 101)]
    model = JointACGANClassifier(epochs=4, random_state=seed)
    for (X, y), together in zip(sets, model.fit_many(sets), strict=True):
        alone = clone(model).fit(X, y)
        close = {"rtol": 1e-3, "atol": 1e-5}
        np.testing.assert_allclose(together.predict_proba(X), alone.predict_proba(X), **close)
        np.testing.assert_allclose(together.impute(X), alone.impute(X), rtol=1e-3, atol=1e-4)


def test_one_seed_one_result_whatever_the_order_of_the_records():
    X, y = holed(70)
    shuffle = np.random.default_rng(1).permutation(70)
    first, again = (JointACGANClassifier(**QUICK).fit(X, y) for _ in range(2))
    turned = JointACGANClassifier(**QUICK).fit(X[shuffle], y[shuffle])
    other = JointACGANClassifier(epochs=3, random_state=1).fit(X, y)
    for model in (again, turned):
        np.testing.assert_array_equal(model.predict_proba(X), first.predict_proba(X))
        np.testing.assert_array_equal(model.impute(X), first.impute(X))
    assert not np.array_equal(other.predict_proba(X), first.predict_proba(X))


# --- draws, samples, files ------------------------------------------------------------------------


def test_draws_differ_in_the_holes_alone_and_by_seed():
    X, y = holed()
    model = JointACGANClassifier(n_members=2, epochs=20, random_state=0).fit(X, y)
    draws, holes = model.impute(X, 3, random_state=0), np.isnan(X)
    assert draws.shape == (3, *X.shape)
    assert (draws[:, ~holes] == X[~holes]).all() and (np.ptp(draws[:, holes], axis=0) > 0).all()
    np.testing.assert_array_equal(draws, model.impute(X, 3, random_state=0))
    assert not np.array_equal(draws, model.impute(X, 3, random_state=1))
    best = model.impute(X)
    assert (best[~holes] == X[~holes]).all()
    assert np.corrcoef(best[holes], model.impute(X, 200, random_state=0).mean(0)[holes])[0, 1] > 0.9
    for n in (0, 1.5, "2"):
        with pytest.raises(ValueError, match="n_draws is"):
            model.impute(X, n)


def test_generated_records_look_like_their_class_in_units_and_types():
    records = load_wdbc()
    X = records.X.iloc[:, :3].mask(np.random.default_rng(0).random((569, 3)) < 0.3)
    X["grade"] = pd.array(np.where(records.y, 3, 1), "Int64")
    X.loc[::7, "grade"] = pd.NA
    y = np.where(records.y, "malignant", "benign")
    model = JointACGANClassifier(random_state=0).fit(X, y)
    fake, label = model.sample(200, "malignant", random_state=0)
    assert set(label) == {"malignant"} and fake.dtypes.equals(X.dtypes)
    assert set(fake["grade"]) <= {1, 2, 3} and not fake.isna().any(axis=None)
    benign, _ = model.sample(200, "benign", random_state=0)
    assert fake.iloc[:, 0].mean() > benign.iloc[:, 0].mean() + 2
    assert (model.predict(fake) == "malignant").mean() > 0.8
    pd.testing.assert_frame_equal(benign, model.sample(200, "benign", random_state=0)[0])
    mixed = model.sample(2000, random_state=1)[1]
    assert abs((mixed == "malignant").mean() - 212 / 569) < 0.05
    for n, of, wanted in ((0, None, "n is 0"), (2, "odd", "y holds odd"), (2, ["benign"], "shape")):
        with pytest.raises(ValueError, match=wanted):
            model.sample(n, of)


def test_a_loaded_model_says_what_the_saved_one_did(tmp_path):
    table, y = mixed_table()
    coder = TableCoder(ordered="cumulative").fit(table)
    Z, groups = coder.transform(table), coder.category_groups()
    model = JointACGANClassifier(categories=groups, n_members=2, **QUICK).fit(Z, y)
    model.save(tmp_path / "m")
    again = JointACGANClassifier.load(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(Z), model.predict_proba(Z))
    draws = (one.impute(Z, 2, random_state=3) for one in (again, model))
    np.testing.assert_array_equal(*draws)
    np.testing.assert_array_equal(
        again.sample(5, random_state=0)[0], model.sample(5, random_state=0)[0]
    )
    assert again.get_params() == model.get_params()
    with pytest.raises(ValueError, match="holds a JointACGANClassifier"):
        ACGANClassifier.load(tmp_path / "m")


@pytest.mark.parametrize(
    "variant",
    [{"class_loss": "real"}, {"n_members": 3}, {"n_passes": 1}, {"adversarial_weight": 0.0},
     {"reconstruction_weight": 5.0}, {"scaling": "standard"}, {"decay": False},
     {"pattern_share": 0.0}, {"hidden_layers": (20, 10)}, {"noise_dim": 3}],
)  # fmt: skip
def test_every_variant_trains_and_differs_from_the_default(wdbc, variant):
    X, y = wdbc
    default = JointACGANClassifier(epochs=10, random_state=0).fit(X, y)
    other = JointACGANClassifier(**variant, epochs=10, random_state=0).fit(X, y)
    assert other.score(X, y) > 0.8
    assert not np.array_equal(default.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [({"hidden_layers": (0,)}, "hidden_layers"), ({"scaling": None}, "scaling"),
     ({"class_loss": "discriminator"}, "class_loss"), ({"reconstruction_weight": -1}, "reconstr"),
     ({"categories": (((9,), False),)}, "categories")],
)  # fmt: skip
def test_parameters_out_of_range_are_refused_by_name(parameters, wanted):
    X, y = holed(20)
    with pytest.raises(ValueError, match=wanted):
        JointACGANClassifier(**parameters).fit(X, y)
    with pytest.raises(ValueError, match="infinity"):
        JointACGANClassifier().fit(np.where(np.isnan(X), np.inf, X), y)
