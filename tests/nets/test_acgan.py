"""ACGANClassifier: conformity, weights, variants, generated records and refusals."""

import ast
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conformity import class_checks
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax, softmax
from scipy.stats import kstest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.nets import backend, base, engine
from ehrgan.nets.acgan import PAPER_ACGAN
from ehrgan.nets.networks import Discriminator, Generator
from ehrgan.nets.objectives import AdversarialObjective
from ehrgan.tables.records import load_wdbc

QUICK = {"epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def wdbc():
    records = load_wdbc()
    return records.X.to_numpy(), records.y


@pytest.fixture(scope="module")
def default(wdbc):
    return ACGANClassifier(epochs=20, random_state=0).fit(*wdbc)


@parametrize_with_checks([ACGANClassifier(random_state=0)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


ADC = ACGANClassifier(class_loss="adc", random_state=0)


@pytest.mark.parametrize(("estimator", "check"), class_checks(ADC))
def test_scikit_learn_conformity_where_real_and_fake_classes_are_told_apart(estimator, check):
    check(estimator)


def test_it_learns_and_its_losses_are_recorded(wdbc):
    model = ACGANClassifier(random_state=0).fit(*wdbc)
    assert model.score(*wdbc) > 0.97
    assert set(model.history_) == {
        "L_S_real", "L_S_fake", "L_C_real", "L_C_fake", "loss_D", "loss_G",
    }  # fmt: skip
    assert model.history_["L_C_real"][-1] > model.history_["L_C_real"][0]
    assert len(model.loss_curve_) == model.n_iter_ == model.epochs


def test_labels_of_any_kind_and_more_than_two_classes():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = ACGANClassifier(epochs=150, batch_size=16, random_state=0).fit(X, names)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(X, names) > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.decision_function(X).shape == (150, 3)


def test_swapping_the_labels_swaps_the_probabilities_of_the_sorted_classes(wdbc):
    X, y = wdbc
    words = np.where(y == 1, "a malignant", "b benign")
    model = ACGANClassifier(epochs=40, random_state=0).fit(X, words)
    malignant = model.predict_proba(X)[:, 0]
    assert malignant[y == 1].mean() > 0.8 > 0.2 > malignant[y == 0].mean()


def test_whole_number_weights_are_repetition(wdbc):
    X, y = wdbc[0][:60], wdbc[1][:60]
    weight = np.random.default_rng(0).integers(0, 4, 60)
    weighted = ACGANClassifier(**QUICK).fit(X, y, sample_weight=weight)
    repeated = ACGANClassifier(**QUICK).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_class_weight_moves_the_operating_point(wdbc):
    X, y = wdbc
    plain = ACGANClassifier(epochs=30, random_state=0).fit(X, y)
    heavy = ACGANClassifier(epochs=30, random_state=0, class_weight={0: 1, 1: 30}).fit(X, y)
    assert heavy.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.02


@pytest.mark.parametrize(
    "variant",
    [{"class_loss": "real"}, {"class_loss": "discriminator"}, {"class_loss": "adc"},
     {"generator_loss": "non_saturating"}, {"averaging": 0.99}, {"n_members": 3},
     {"early_stopping": True}, {"class_weight": "balanced"},
     PAPER_ACGAN],
)  # fmt: skip
def test_every_variant_trains_and_differs_from_the_default(wdbc, default, variant):
    other = ACGANClassifier(**{**variant, "epochs": 20, "random_state": 0}).fit(*wdbc)
    assert other.score(*wdbc) > 0.7
    assert not np.array_equal(default.predict_proba(wdbc[0]), other.predict_proba(wdbc[0]))


def test_warm_start_goes_on_from_the_last_weights(wdbc):
    model = ACGANClassifier(epochs=15, random_state=0, warm_start=True).fit(*wdbc)
    first = model.history_["L_C_real"][-1]
    assert model.fit(*wdbc).history_["L_C_real"][0] > first - 0.05
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(wdbc[0], np.where(wdbc[1], "x", "y"))


@settings(max_examples=5)
@given(st.integers(0, 2**31 - 1))
def test_datasets_trained_together_equal_datasets_trained_alone(seed):
    sets = [make_classification(n, 6, random_state=seed % 1000 + n) for n in (60, 35, 101)]
    model = ACGANClassifier(epochs=4, random_state=seed)
    for (X, y), together in zip(sets, model.fit_many(sets), strict=True):
        alone = clone(model).fit(X, y)
        np.testing.assert_allclose(
            together.predict_proba(X), alone.predict_proba(X), rtol=1e-3, atol=1e-5
        )


def test_fit_many_with_parameters_of_its_own_and_refusals(wdbc):
    X, y = wdbc
    strong, weak = ACGANClassifier(**QUICK).fit_many(
        [(X, y)] * 2, params=[{"l2": 1.0}, {"l2": 0.0}]
    )
    assert np.abs(strong.discriminator_[0]).sum() < np.abs(weak.discriminator_[0]).sum()
    assert strong.l2 == 1.0
    with pytest.raises(ValueError, match=r"datasets\[1\] has another number of attributes"):
        ACGANClassifier(**QUICK).fit_many([(X, y), (X[:, :3], y)])
    with pytest.raises(ValueError, match=r"datasets\[1\] has another number of classes"):
        ACGANClassifier(**QUICK).fit_many([(X, y), (X, np.arange(len(y)) % 3)])
    with pytest.raises(ValueError, match="datasets is empty"):
        ACGANClassifier(**QUICK).fit_many([])
    with pytest.raises(ValueError, match="params has 1"):
        ACGANClassifier(**QUICK).fit_many([(X, y), (X, y)], params=[{}])


def test_generated_records_look_like_their_class_in_units_and_types(wdbc):
    X = pd.DataFrame(wdbc[0][:, :3], columns=["radius", "texture", "perimeter"])
    X["grade"] = np.where(wdbc[1], 3, 1)
    X["flag"] = wdbc[1].astype(bool)
    y = np.where(wdbc[1], "malignant", "benign")
    model = ACGANClassifier(epochs=100, adversarial_weight=1.0, random_state=0).fit(X, y)
    fake, label = model.sample(300, "malignant", random_state=0)
    assert set(label) == {"malignant"} and fake.dtypes.equals(X.dtypes)
    assert set(fake["grade"]) <= {1, 2, 3}
    benign, _ = model.sample(300, "benign", random_state=0)
    assert fake["radius"].mean() > benign["radius"].mean()
    again, _ = model.sample(300, "benign", random_state=0)
    pd.testing.assert_frame_equal(benign, again)
    mixed = model.sample(2000, random_state=1)[1]
    assert abs((mixed == "malignant").mean() - 212 / 569) < 0.05


def test_sampling_refuses_what_it_does_not_know(wdbc):
    model = ACGANClassifier(**QUICK).fit(*wdbc)
    for n, y, wanted in ((0, None, "n is 0"), (2, 7, "y holds 7"), (2, [1], "y has shape")):
        with pytest.raises(ValueError, match=wanted):
            model.sample(n, y)


def test_grid_search_and_pipeline_with_weights(wdbc):
    X, y = wdbc
    pipe = make_pipeline(FunctionTransformer(), ACGANClassifier(**QUICK))
    grid = GridSearchCV(pipe, {"acganclassifier__l2": [0.0, 0.1]}, cv=2)
    grid.fit(X, y, acganclassifier__sample_weight=np.ones(len(y)))
    assert 0.5 < grid.best_score_ <= 1


@pytest.mark.parametrize(
    ("X", "y", "wanted"),
    [
        ([[1.0], [np.nan]], [0, 1], "NaN"),
        ([[1.0], [np.inf]], [0, 1], "infinity"),
        ([["a"], ["b"]], [0, 1], "convert"),
        ([[1.0], [2.0]], [1, 1], "one class"),
        ([[1.0], [2.0]], [0.5, 1.2], "Unknown label type"),
    ],
)
def test_bad_input_is_refused(X, y, wanted):
    with pytest.raises(ValueError, match=wanted):
        ACGANClassifier(**QUICK).fit(X, y)


@pytest.mark.parametrize("n_jobs", [0, 2.0, "2"])
def test_numbers_of_threads_that_are_none_are_refused_by_name(n_jobs):
    with pytest.raises(ValueError, match="n_jobs"):
        ACGANClassifier(n_jobs=n_jobs).fit([[1.0], [2.0]], [0, 1])


def test_importing_the_package_loads_no_network_library():
    code = "import sys, ehrgan; print('tensorflow' in sys.modules, 'matplotlib' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_sample_weight_is_routed_through_searches(wdbc):
    X, y = wdbc
    weight = np.where(y == 1, 1.0, 0.0)
    weight[:40] = 1.0
    with config_context(enable_metadata_routing=True):
        model = ACGANClassifier(epochs=2, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        search = GridSearchCV(model, {"l2": [0.0, 0.1]}, cv=3).fit(X, y, sample_weight=weight)
    again = ACGANClassifier(epochs=2, random_state=0, **search.best_params_)
    again.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(search.predict_proba(X), again.predict_proba(X))


# --- equations 4 and 5 on three rows --------------------------------------------------------------

ROWS, NOISE_DIM, K, HIDDEN, WIDTH = 3, 2, 3, 4, 2
draws = np.random.default_rng(12)
NETS = {
    "G": [draws.normal(size=s) for s in ((2, NOISE_DIM + K, 4), (2, 1, 4), (2, 4, 2), (2, 1, 2))],
    "D": [draws.normal(size=s) for s in ((2, 2, 4), (2, 1, 4), (2, 4, K), (2, 1, K))],
}
X_ROWS, Z_ROWS = draws.normal(size=(2, ROWS, 2)), draws.normal(size=(2, ROWS, NOISE_DIM))
CODES = np.array([[0, 2, 1], [1, 1, 2]])
WEIGHTS = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])  # the third row of replica 0 is padding


def objective(output="linear", class_loss="both", generator_loss="saturating", criterion="loss"):
    G = Generator(NOISE_DIM, K, HIDDEN, WIDTH, output)
    D = Discriminator(WIDTH, HIDDEN, K, fake_classes=class_loss == "adc")
    return AdversarialObjective(G, D, class_loss, generator_loss, criterion)


class GivenNoise:
    """Noise that a test has chosen."""

    def normal(self, shape, stream=0):
        """Return it."""
        assert shape == (ROWS, NOISE_DIM)
        return backend.tensorflow().constant(Z_ROWS, "float32")


def layer_by_layer(x, weights):
    """A network on one record."""
    W1, b1, W2, b2 = weights
    return np.maximum(x @ W1 + b1[0], 0) @ W2 + b2[0]


def told_of(x, m):
    """P(S = real) and P(C) of one record, as discriminator m tells them."""
    s, *others = layer_by_layer(x, [p[m] for p in NETS["D"]])
    return expit(s), softmax([0.0, *others])


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
@pytest.mark.parametrize("class_loss", ["both", "real", "discriminator"])
@pytest.mark.parametrize("generator_loss", ["saturating", "non_saturating"])
def test_both_losses_are_the_papers_sums_over_the_records(output, class_loss, generator_loss):
    tf = backend.tensorflow()
    hyper = {"adversarial_weight": np.float32([0.1, 2.0]), "l2": np.float32([0.0, 0.3])}
    problem = objective(output, class_loss, generator_loss)
    params = tf.nest.map_structure(lambda p: tf.constant(p, "float32"), NETS)
    batch = {"X": tf.constant(X_ROWS, "float32"), "c": tf.constant(CODES)}
    weight = tf.constant(WEIGHTS, "float32")
    losses, terms = problem.objectives(params, batch, weight, GivenNoise(), hyper)
    for m in range(2):
        S_real = S_fake = fooled = C_real = C_fake = 0.0
        for x, z, c, w in zip(X_ROWS[m], Z_ROWS[m], CODES[m], WEIGHTS[m], strict=True):
            fake = layer_by_layer([*z, *np.eye(K)[c]], [p[m] for p in NETS["G"]])
            fake = expit(fake) if output == "sigmoid" else fake
            (p_real, P_real), (p_fake, P_fake) = told_of(x, m), told_of(fake, m)
            S_real, S_fake = S_real + w * np.log(p_real), S_fake + w * np.log(1 - p_fake)
            C_real, C_fake = C_real + w * np.log(P_real[c]), C_fake + w * np.log(P_fake[c])
            fooled += w * np.log(p_fake)
        a = hyper["adversarial_weight"][m]
        loss_D = -(C_real + C_fake * (class_loss != "real") + a * (S_real + S_fake))
        gain = -S_fake if generator_loss == "saturating" else fooled
        loss_G = -(C_fake * (class_loss != "discriminator") + a * gain)
        seen = [S_real, S_fake, C_real, C_fake, loss_D, loss_G]
        np.testing.assert_allclose(terms[m], seen, rtol=2e-5)
        penalty = hyper["l2"][m] / 2 * sum((W[m] ** 2).sum() for W in NETS["D"][::2])
        assert float(losses["D"][m]) == pytest.approx(loss_D + penalty, rel=2e-5)
        assert float(losses["G"][m]) == pytest.approx(loss_G, rel=2e-5)
    assert set(losses) == {"D", "G"}
    assert problem.terms == ("L_S_real", "L_S_fake", "L_C_real", "L_C_fake", "loss_D", "loss_G")


def test_classes_of_real_and_fake_records_are_told_apart():
    """Of 2 K classes the fake ones come last, and G moves its records to the real one of theirs."""
    tf, rng = backend.tensorflow(), np.random.default_rng(0)
    D = [rng.normal(size=s) for s in ((2, 2, 4), (2, 1, 4), (2, 4, 2 * K), (2, 1, 2 * K))]
    params = tf.nest.map_structure(lambda p: tf.constant(p, "float32"), NETS | {"D": D})
    batch = {"X": tf.constant(X_ROWS, "float32"), "c": tf.constant(CODES)}
    hyper = {"adversarial_weight": np.float32([0.1, 2.0]), "l2": np.float32([0.0, 0.0])}
    problem = objective(class_loss="adc")
    weight = tf.constant(WEIGHTS, "float32")
    _, terms = problem.objectives(params, batch, weight, GivenNoise(), hyper)
    for m in range(2):
        S_real = S_fake = C_real = C_fake = fooled = 0.0
        for x, z, c, w in zip(X_ROWS[m], Z_ROWS[m], CODES[m], WEIGHTS[m], strict=True):
            fake = layer_by_layer([*z, *np.eye(K)[c]], [p[m] for p in NETS["G"]])
            (s, *told), (s_of_fake, *told_of_fake) = (
                layer_by_layer(record, [p[m] for p in D]) for record in (x, fake)
            )
            log_p, log_q = (log_softmax([0.0, *own]) for own in (told, told_of_fake))
            S_real, S_fake = S_real + w * np.log(expit(s)), S_fake + w * np.log(expit(-s_of_fake))
            C_real, C_fake = C_real + w * log_p[c], C_fake + w * log_q[K + c]
            fooled += w * log_q[c]
        a = hyper["adversarial_weight"][m]
        loss_D = -(C_real + C_fake + a * (S_real + S_fake))
        loss_G = -(fooled - C_fake - a * S_fake)
        seen = [S_real, S_fake, C_real, C_fake, loss_D, loss_G]
        np.testing.assert_allclose(terms[m], seen, rtol=2e-5)


def test_a_record_is_called_among_the_classes_of_real_ones(wdbc):
    """What D says of the classes of fake records has no part in a prediction, nor in validation."""
    X, y = wdbc
    model = ACGANClassifier(class_loss="adc", epochs=5, random_state=0).fit(X, y)
    W2, b2 = model.discriminator_[2:]
    assert W2.shape[2] == b2.shape[2] == 4  # S, one log-odds of real classes, two fake classes
    told, data = model.predict_proba(X), {"X": model._scaled(X)[None], "c": y[None]}
    weights = {"D": model.discriminator_}
    loss = model._objective().validation(weights, data | {"weight": np.float32([y * 0 + 1 / 569])})
    picked = np.log(told[np.arange(len(y)), y])
    np.testing.assert_allclose(loss[0], -picked.mean(), rtol=1e-4)
    b2[..., 2:] += 9.0
    np.testing.assert_array_equal(model.predict_proba(X), told)


def test_the_generator_of_adc_keeps_the_spread_that_the_acgan_loses():
    """Classes overlap: the AC-GAN moves its records to where the classes are told apart."""
    rng = np.random.default_rng(0)
    y = np.arange(800) % 2
    X = rng.normal(size=(800, 1)) + y[:, None]
    spread = {}
    for class_loss in ("both", "adc"):
        model = ACGANClassifier(class_loss=class_loss, epochs=100, random_state=0).fit(X, y)
        spread[class_loss] = model.sample(2000, y=1, random_state=0)[0].std()
    assert spread["both"] < 0.6 and 0.75 < spread["adc"] < 1.25


def test_an_epoch_is_chosen_by_class_loss_or_by_records_called_wrongly():
    tf = backend.tensorflow()
    params = tf.nest.map_structure(lambda p: tf.constant(p, "float32"), NETS)
    data = {
        "X": tf.constant(X_ROWS, "float32"),
        "c": tf.constant(CODES, "int32"),
        "weight": tf.constant(WEIGHTS, "float32"),
    }
    told = np.array([[told_of(x, m)[1] for x in X_ROWS[m]] for m in range(2)])
    log_p = np.log(np.take_along_axis(told, CODES[..., None], 2)[..., 0])
    by_loss, by_error = (
        objective(criterion=criterion).validation(params, data) for criterion in ("loss", "error")
    )
    np.testing.assert_allclose(by_loss, -(WEIGHTS * log_p).sum(axis=1), rtol=1e-5)
    wrong = WEIGHTS * (told.argmax(axis=2) != CODES)
    assert 0 < wrong.sum() < 2
    np.testing.assert_allclose(by_error, wrong.sum(axis=1), rtol=1e-6)


# --- what fit hands to the training loop ----------------------------------------------------------


@pytest.fixture
def handed(monkeypatch):
    """Calls of the training loop, which learns nothing: weight m of replica m holds m."""
    calls = []

    def train(problem, params, data, starts, lengths, seeds, **options):
        calls.append(
            {"problem": problem, "params": params, "data": data, "starts": starts,
             "lengths": lengths, "seeds": seeds, **options}
        )  # fmt: skip
        M = len(lengths)
        marked = {
            group: [np.zeros_like(p) + np.arange(M).reshape(-1, 1, 1) for p in layers]
            for group, layers in params.items()
        }
        terms = len(problem.terms) + (options["validation"] is not None)
        history = np.arange(M)[None, :, None] + 100.0 * np.arange(terms) + np.zeros((3, 1, 1))
        return engine.Trained(marked, history, 10 * np.arange(M) + 2)

    monkeypatch.setattr(base, "train", train)
    return calls


def toy(n=20, seed=0, labels=("ill", "well")):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(5, 2, n), rng.integers(0, 4, n), np.full(n, 7.0)])
    return X, np.array(labels)[np.arange(n) % len(labels)]


def learned_from(call, replica):
    """Records and codes of one replica's table."""
    start = call["starts"][replica]
    rows = slice(start, start + len(call["shares"][replica]))
    return call["data"]["X"][rows], call["data"]["c"][rows]


def in_order(X):
    return X[np.lexsort(np.round(X, 4).T)]


def test_each_member_of_each_model_learns_from_its_own_table_in_its_own_units(handed):
    sets = [toy(20, 1), (*toy(13, 2), np.arange(13) % 3.0), (*toy(13, 2), np.arange(13) / 8)]
    params = [{"l2": 0.5, "epochs": 4}, {"learning_rate": 0.3, "beta_1": 0.1}, {"epochs": 9}]
    models = ACGANClassifier(n_members=2, random_state=5).fit_many(sets, params=params)
    (call,) = handed
    assert call["epochs"].tolist() == [4, 4, 160, 160, 9, 9]
    assert call["hyper"]["l2"].tolist() == [0.5, 0.5, 0.01, 0.01, 0.01, 0.01]
    assert call["hyper"]["learning_rate"].tolist() == [1e-3, 1e-3, 0.3, 0.3, 1e-3, 1e-3]
    assert call["hyper"]["beta_1"].tolist() == [0.5, 0.5, 0.1, 0.1, 0.5, 0.5]
    assert call["hyper"]["adversarial_weight"].tolist() == [0.1] * 6
    assert call["batch_size"] == 64 and call["validation"] is None and not call["averaging"]
    # whole-number weights fill as many places as they add up to, others as there are records
    assert call["lengths"].tolist() == [20, 20, 12, 12, 12, 12]
    for m, (X, y, *weight) in enumerate(sets):
        weight = weight[0] if weight else np.ones(len(y))
        known = weight > 0
        mean = np.average(X, axis=0, weights=weight)
        deviation = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
        deviation[2] = 1.0  # a constant attribute is left as it is
        records = np.column_stack([(X - mean) / deviation, y == "well", weight])[known]
        total = len(records) if m == 2 else weight.sum()
        for replica in (2 * m, 2 * m + 1):
            Z, c = learned_from(call, replica)
            share = np.diff(call["shares"][replica], prepend=0.0)
            told = np.column_stack([Z, c, share * weight.sum() / total])
            found, wanted = in_order(told), in_order(records)
            np.testing.assert_allclose(found, wanted, atol=1e-5)
            assert call["shares"][replica][-1] == pytest.approx(total)
    for m, model in enumerate(models):
        for weights in (*model.generator_, *model.discriminator_):
            assert weights[:, 0, 0].tolist() == [2 * m, 2 * m + 1]
        assert model.history_["L_S_real"].tolist() == [2 * m + 0.5] * 3
        assert model.loss_curve_.tolist() == model.history_["loss_D"].tolist()
        assert model.loss_curve_[0] == 400 + 2 * m + 0.5 and model.n_iter_ == 3
        assert model.best_epoch_ is None and "validation" not in model.history_


def test_every_member_has_weights_and_noise_of_its_own(handed):
    X, y = toy()
    ACGANClassifier(n_members=3, random_state=5).fit(X, y)
    ACGANClassifier(random_state=6).fit_many(
        [(X, y)] * 3, params=[{}, {"random_state": 6}, {"random_state": 7}]
    )
    many, models = handed
    for call, equal in ((many, []), (models, [(0, 1)])):
        streams = [tuple(seed.generate_state(4)) for seed in call["seeds"]]
        first = [tuple(call["params"][g][0][m].ravel()[:5]) for g in "GD" for m in range(3)]
        assert len(set(streams)) == 3 - len(equal) and len(set(first)) == 6 - 2 * len(equal)
        for a, b in equal:
            assert streams[a] == streams[b] and first[a] == first[b]
    G, D = (many["params"][g][0] / np.sqrt(6 / n) for g, n in (("G", 62), ("D", 53)))
    assert len(np.intersect1d(np.round(G, 6), np.round(D, 6))) < 5  # no stream is used twice
    shapes = {g: [p.shape[1:] for p in many["params"][g]] for g in "GD"}
    assert shapes == {
        "G": [(12, 50), (1, 50), (50, 3), (1, 3)], "D": [(3, 50), (1, 50), (50, 2), (1, 2)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "values"),
    [("batch_size", (8, 16)), ("hidden_units", (3, 4)), ("noise_dim", (2, 3)),
     ("class_loss", ("both", "real")), ("generator_loss", ("saturating", "non_saturating")),
     ("generator_output", ("linear", "sigmoid")), ("averaging", (0.0, 0.5)),
     ("early_stopping", (False, True)), ("n_iter_no_change", (3, 4)), ("n_members", (1, 2)),
     ("validation_fraction", (0.2, 0.4)), ("stopping_criterion", ("loss", "error")),
     ("n_jobs", (1, -2))],
)  # fmt: skip
def test_models_trained_together_keep_their_own_settings(handed, name, values):
    model = ACGANClassifier(early_stopping=True, random_state=0)
    sets = [toy(20, 1), toy(30, 2)]
    model.fit_many(sets, params=[{name: value} for value in values])
    assert len(handed) == 2
    for call, value, n in zip(handed, values, (20, 30), strict=True):
        G = call["params"]["G"]
        found = {
            "batch_size": call["batch_size"],
            "hidden_units": G[0].shape[2],
            "noise_dim": G[0].shape[1] - 2,
            "class_loss": call["problem"].class_loss,
            "generator_loss": call["problem"].generator_loss,
            "generator_output": call["problem"].G.output,
            "averaging": 0.5 if call["averaging"] else 0.0,
            "early_stopping": call["validation"] is not None,
            "n_iter_no_change": call["patience"],
            "n_members": len(call["starts"]),
            "n_jobs": call["n_jobs"],
            "validation_fraction": 1 - call["lengths"][0] / n,
            "stopping_criterion": call["problem"].criterion,
        }
        assert found[name] == pytest.approx(value)
        networks = call["problem"].G, call["problem"].D
        assert [net.n_classes for net in networks] == [2, 2]
        assert [net.n_attributes for net in networks] == [3, 3]
        assert [net.hidden_units for net in networks] == [found["hidden_units"]] * 2
        assert networks[0].noise_dim == found["noise_dim"]


def test_a_fit_forgets_the_order_of_the_records(handed):
    X, y = toy(12, 1)
    X, y, weight = np.repeat(X, 3, axis=0), np.tile(y, 3), np.arange(36.0) % 5
    shuffle = np.random.default_rng(0).permutation(36)
    model = ACGANClassifier(random_state=0)
    model.fit(X, y, sample_weight=weight)
    model.fit(X[shuffle], y[shuffle], sample_weight=weight[shuffle])
    for k in "Xc":
        np.testing.assert_array_equal(handed[0]["data"][k], handed[1]["data"][k])


def test_runs_keep_to_the_memory_that_their_records_take(handed, monkeypatch):
    monkeypatch.setattr(base, "MEMORY_BUDGET", 1300)
    ACGANClassifier(random_state=0).fit_many([toy(20, i) for i in range(5)])
    # 20 records are padded to 32; 3 attributes, the class and the weight take 4 bytes each
    assert [len(call["starts"]) for call in handed] == [2, 2, 1]


def test_records_kept_for_validation_teach_nothing_and_carry_their_weights(handed):
    n = 40
    X, y = toy(n, 3)
    weight = np.arange(1.0, n + 1)
    model = ACGANClassifier(
        early_stopping=True, validation_fraction=0.25, n_members=2, random_state=1
    ).fit(X, y, sample_weight=weight)
    (call,) = handed
    told, codes = learned_from(call, 0)
    held = {k: a[0] for k, a in call["validation"].items()}
    for k, a in call["validation"].items():
        np.testing.assert_array_equal(a[0], a[1], err_msg=k)
    assert len(told) == 30 and (held["weight"] > 0).sum() == 10
    assert (codes == 1).sum() == 15 and (held["c"][:10] == 1).sum() == 5  # in equal parts
    records = model._scaled(X)
    place = {row.tobytes(): i for i, row in enumerate(records)}
    learned = [place[row.tobytes()] for row in told]
    kept = [place[row.tobytes()] for row in held["X"][:10]]
    assert sorted(learned + kept) == list(range(n))
    np.testing.assert_array_equal(codes, y[learned] == "well")
    np.testing.assert_array_equal(held["c"][:10], y[kept] == "well")
    np.testing.assert_allclose(held["weight"][:10], weight[kept] / weight[kept].sum(), rtol=1e-6)
    assert not held["weight"][10:].any()
    for seed in range(8):
        task = model.set_params(random_state=seed)._task(X, y)
        assert np.bincount(task.c[task.parts[1]]).tolist() == [5, 5]
    share = np.diff(call["shares"][0], prepend=0)
    np.testing.assert_allclose(share, weight[learned])
    assert model.best_epoch_ == (2 + 12) / 2 + 1
    assert model.history_["validation"].tolist() == [600.5] * 3


def test_watched_records_choose_the_epoch_and_teach_nothing(handed):
    sets, watched = [toy(20, 1), toy(24, 2)], [toy(5, 3), toy(7, 4)]
    model = ACGANClassifier(early_stopping=True, n_members=2, random_state=0)
    models = model.fit_many(sets, watched=watched)
    (call,) = handed
    assert call["lengths"].tolist() == [20, 20, 24, 24]
    for i, (fitted, (X, y)) in enumerate(zip(models, watched, strict=True)):
        for replica in (2 * i, 2 * i + 1):
            held = {k: a[replica] for k, a in call["validation"].items()}
            np.testing.assert_array_equal(held["X"][: len(y)], fitted._scaled(X))
            np.testing.assert_array_equal(held["c"][: len(y)], y == "well")
            np.testing.assert_allclose(held["weight"][: len(y)], 1 / len(y), rtol=1e-6)
            assert not held["weight"][len(y) :].any()
    for wrong in (
        {"watched": watched[:1]},
        {"watched": watched, "params": [{}, {"early_stopping": False}]},
    ):
        with pytest.raises(ValueError, match="watched lists"):
            model.fit_many(sets, **wrong)
    with pytest.raises(ValueError, match="y holds new"):
        model.fit_many(sets, watched=[watched[0], (watched[1][0], np.full(7, "new"))])


def test_a_warm_start_hands_on_the_weights_and_units_of_the_last_fit(handed):
    X, y = toy()
    model = ACGANClassifier(warm_start=True, n_members=2, random_state=0).fit(X, y)
    shift = model.shift_.copy()
    model.fit(X * 3, y)
    for group, weights in (("G", model.generator_), ("D", model.discriminator_)):
        for first, last in zip(handed[1]["params"][group], weights, strict=True):
            np.testing.assert_array_equal(first, last)
        assert [p.shape for p in handed[1]["params"][group]] == [
            p.shape for p in handed[0]["params"][group]
        ]
    np.testing.assert_array_equal(model.shift_, shift)
    model.set_params(warm_start=False).fit(X * 3, y)
    assert not np.array_equal(model.shift_, shift)
    assert handed[2]["params"]["G"][0].any() and handed[2]["params"]["G"][0].max() < 1


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [(None, [1, 2, 3, 4]), ({"well": 10.0, "ill": 1.0}, [10, 2, 30, 40]),
     ("balanced", [4 / 6, 2 * 2.0, 3 * 4 / 6, 4 * 4 / 6])],
)  # fmt: skip
def test_class_weights_multiply_those_of_the_records(handed, class_weight, expected):
    X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array(["well", "ill", "well", "well"])
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    model = ACGANClassifier(class_weight=class_weight, random_state=0)
    model.fit(X, y, sample_weight=weight)
    Z, _ = learned_from(handed[0], 0)
    share = np.diff(handed[0]["shares"][0], prepend=0)[np.argsort(Z[:, 0])]
    np.testing.assert_allclose(share / share.sum(), np.array(expected) / np.sum(expected))
    prior = np.array([expected[1], expected[0] + expected[2] + expected[3]])
    np.testing.assert_allclose(model.class_prior_, prior / prior.sum())
    assert weight.tolist() == [1, 2, 3, 4]  # the caller's own array is left alone
    with pytest.raises(ValueError, match="at least one must be above 0"):
        model.set_params(class_weight={"ill": 0.0, "well": 0.0}).fit(X, y)


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [("standard", [-1.2247, 0.0, 1.2247]), ("minmax", [0.0, 0.5, 1.0]), (None, [2.0, 4.0, 6.0])],
)
def test_units_are_learned_from_the_records_that_count(handed, scaling, expected):
    X = np.array([[2.0, 1.0, 3], [4.0, 1.0, 0.5], [6.0, 1.0, 3], [99.0, 5.0, 3]])
    model = ACGANClassifier(scaling=scaling, random_state=0)
    model.fit(X, [0, 1, 1, 0], sample_weight=[1, 1, 1, 0])
    np.testing.assert_allclose(np.sort(learned_from(handed[0], 0)[0][:, 0]), expected, atol=1e-4)
    assert model.scale_[1] == 1.0 and model.shift_[1] == {None: 0.0}.get(scaling, 1.0)
    assert (model.low_.tolist(), model.high_.tolist()) == ([2, 1, 0.5], [6, 1, 3])
    assert model.whole_.tolist() == [True, True, False]


# --- predictions and records of known weights -----------------------------------------------------


def known(n_classes, n_members=2, d=2):
    """A classifier whose attributes stay as they are, with weights of the test's choosing."""
    X = np.vstack([np.zeros((n_classes, d)), np.full((1, d), 0.5)])
    labels = np.array(["c", "a", "d", "b"])[:n_classes]
    model = ACGANClassifier(scaling=None, noise_dim=1, n_members=n_members, random_state=0)
    model.fit(X, [*labels, labels[0]])
    assert model.classes_.tolist() == sorted(labels)
    return model


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_the_mean_over_members_of_output_c(handed, n_classes):
    model = known(n_classes)
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(7, 2))
    D = model.discriminator_ = [
        rng.normal(size=s) for s in ((2, 2, 4), (2, 1, 4), (2, 4, n_classes), (2, 1, n_classes))
    ]
    P = np.zeros((7, n_classes))
    for i, x in enumerate(np.float32(X)):
        for m in range(2):
            _, *logits = layer_by_layer(x, [p[m] for p in D])
            P[i] += softmax([0.0, *logits]) / 2
    np.testing.assert_allclose(model.predict_proba(X), P, rtol=1e-6)
    assert model.predict(X).tolist() == [sorted("cad"[:n_classes])[k] for k in P.argmax(axis=1)]
    decision = np.log(P[:, 1] / P[:, 0]) if n_classes == 2 else np.log(P)
    np.testing.assert_allclose(model.decision_function(X), decision, rtol=1e-5, atol=1e-6)


def test_long_tables_are_scaled_and_predicted_block_by_block(handed, monkeypatch):
    model = known(3)
    rng = np.random.default_rng(0)
    model.discriminator_ = [
        rng.normal(size=s) for s in ((2, 2, 4), (2, 1, 4), (2, 4, 3), (2, 1, 3))
    ]
    X, (table, y) = rng.normal(size=(7, 2)), toy(11)
    whole = model.predict_proba(X)
    ACGANClassifier(random_state=0).fit(table, y)
    for user in ("acgan", "base"):
        monkeypatch.setattr(f"ehrgan.nets.{user}.BLOCK", 3)
    np.testing.assert_allclose(model.predict_proba(X), whole, rtol=1e-12)
    ACGANClassifier(random_state=0).fit(table, y)
    np.testing.assert_array_equal(handed[-1]["data"]["X"], handed[-2]["data"]["X"])


def marked_generator(model, d=2):
    """Let records be 10 times the code of their class plus the member, and their noise."""
    k = len(model.classes_)
    W1 = np.zeros((2, 1 + k, k + 2))
    W1[:, 1:, :k], W1[:, 0, k], W1[:, 0, k + 1] = np.eye(k), 1.0, -1.0
    W2 = np.zeros((2, k + 2, d))
    W2[:, :k, 0], W2[:, k, 1], W2[:, k + 1, 1] = 10.0 * np.arange(k), 1.0, -1.0
    b2 = np.zeros((2, 1, d))
    b2[1, 0, 0] = 1.0
    model.generator_ = [W1, np.zeros((2, 1, k + 2)), W2, b2]
    return model


def test_records_are_of_the_classes_asked_for_by_members_and_noise_of_their_own(handed):
    model = marked_generator(known(4))
    y = np.random.default_rng(1).choice(["a", "b", "c", "d"], 4000)
    X, labels = model.sample(4000, y, random_state=3)
    assert labels.tolist() == y.tolist()
    np.testing.assert_array_equal(X[:, 0] // 10, np.searchsorted(["a", "b", "c", "d"], y))
    member = X[:, 0] % 10
    assert set(member) == {0, 1} and abs(member.mean() - 0.5) < 0.04
    assert kstest(X[:, 1], "norm").pvalue > 1e-3 and len(np.unique(X[:, 1])) == 4000
    one, label = model.sample(3, "c", random_state=3)
    assert label.tolist() == ["c"] * 3 and (one[:, 0] // 10 == 2).all()
    other = model.sample(4000, y, random_state=4)[0]
    assert not np.array_equal(X[:, 0], other[:, 0]) and not np.array_equal(X[:, 1], other[:, 1])
    np.testing.assert_array_equal(model.sample(4000, y, random_state=3)[0], X)


def test_classes_are_drawn_as_often_as_in_training(handed):
    model = marked_generator(known(3))
    assert model.class_prior_.tolist() == [0.25, 0.5, 0.25]
    model.class_prior_ = np.array([0.6, 0.3, 0.1])
    X, labels = model.sample(3000, random_state=0)
    found = [(labels == label).mean() for label in "acd"]
    np.testing.assert_allclose(found, [0.6, 0.3, 0.1], atol=0.03)
    np.testing.assert_array_equal(X[:, 0] // 10, np.searchsorted(["a", "c", "d"], labels))


def test_records_come_in_the_units_and_range_of_the_table(handed):
    model = marked_generator(known(4))
    model.shift_, model.scale_ = np.array([100.0, -5.0]), np.array([0.26, 2.0])
    y = np.repeat(["a", "b", "c", "d"], 50)
    X, _ = model.sample(200, y, random_state=0)
    code = np.repeat(np.arange(4), 50)
    member = np.rint((X[:, 0] - 100 - 2.6 * code) / 0.26)
    np.testing.assert_allclose(X[:, 0], 100 + 0.26 * (10 * code + member))
    assert -5.6 < X[:, 1].mean() < -4.4 and 1.7 < X[:, 1].std() < 2.3
    model.whole_ = np.array([True, False])
    model.low_, model.high_ = np.array([101.0, 0.0]), np.array([105.0, 0.0])
    whole, _ = model.sample(200, y, random_state=0)
    np.testing.assert_array_equal(whole[:, 0], np.clip(np.rint(X[:, 0]), 101, 105))
    np.testing.assert_array_equal(whole[:, 1], X[:, 1])
    assert {101, 105} <= set(whole[:, 0]) and X[:, 0].min() < 100.5


def test_the_papers_settings_are_those_that_it_states():
    model = ACGANClassifier(**PAPER_ACGAN)
    assert (model.hidden_units, model.beta_1, model.learning_rate) == (50, 0.9, 1e-3)
    assert (model.scaling, model.generator_output) == ("minmax", "sigmoid")
    assert (model.adversarial_weight, model.l2, model.averaging, model.n_members) == (1, 0, 0, 1)
    assert (model.class_loss, model.generator_loss) == ("both", "saturating")
    assert not model.early_stopping and model.class_weight is None


@pytest.mark.parametrize("kind", [ACGANClassifier, StackedAutoencoderImputer])
def test_the_defaults_are_those_that_the_docstring_names(kind):
    text = kind.__doc__.split("Attributes\n")[0]
    named = dict(re.findall(r"^    (\w+) : .*default=(.+)$", text, re.MULTILINE))
    assert {k: ast.literal_eval(v) for k, v in named.items()} == kind().get_params()
