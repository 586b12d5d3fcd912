"""Learning from batch after batch."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io

from ehrgan import ACGANClassifier, JointACGANClassifier, StackedAutoencoderImputer
from ehrgan.nets import engine, online
from ehrgan.nets.online import PIECE, reservoir_places
from ehrgan.nets.running import Running, join_units, unknown_units
from ehrgan.nets.units import framed
from ehrgan.report.model import TRUSTED

RNG = np.random.default_rng(3)
X = RNG.normal([5.0, 100.0, 0.0, 1e9], [2.0, 30.0, 1.0, 4.0], (240, 4))
Y = np.where(X[:, 0] + X[:, 2] > 5, "ill", "well")
HOLED = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
CLASSES = ["ill", "well"]
BATCHES = [slice(0, 40), slice(40, 41), slice(41, 100), slice(100, 160), slice(160, 240)]


def classifier(**parameters):
    return ACGANClassifier(**{"partial_epochs": 3, "random_state": 0, **parameters})


def imputer(**parameters):
    return StackedAutoencoderImputer(
        **{"partial_epochs": 2, "n_members": 2, "random_state": 0, **parameters}
    )


def taught(model, batches=BATCHES):
    for rows in batches:
        teach(model, rows)
    return model


def teach(model, rows):
    if isinstance(model, ACGANClassifier):
        return model.partial_fit(X[rows], Y[rows], classes=CLASSES)
    return model.partial_fit(HOLED[rows])


def estimates(model):
    if isinstance(model, ACGANClassifier):
        return np.hstack([model.predict_proba(X), model.sample(240, random_state=0)[0]])
    return model.transform(HOLED)


def through_pickle(model, path):
    return pickle.loads(pickle.dumps(model))


def through_skops(model, path):
    return skops.io.loads(skops.io.dumps(model), trusted=TRUSTED)


def through_own_file(model, path):
    model.save(path / "model")
    return type(model).load(path / "model")


# --- a stop changes nothing -----------------------------------------------------------------------


@pytest.mark.parametrize("carried", [through_pickle, through_skops, through_own_file])
@pytest.mark.parametrize(
    "model",
    [classifier(), classifier(replay="reservoir", replay_size=50, averaging=0.9),
     classifier(replay="generator", replay_size=20, n_members=3), imputer(),
     imputer(neighbours=False, scaling="minmax")],
    ids=["plain", "reservoir", "generator", "imputer", "alone"],
)  # fmt: skip
def test_a_model_that_was_saved_goes_on_as_if_it_had_not_stopped(model, carried, tmp_path):
    whole, parted = (pickle.loads(pickle.dumps(model)) for _ in range(2))
    taught(whole)
    for rows in BATCHES:
        parted = carried(teach(parted, rows), tmp_path)
    np.testing.assert_array_equal(estimates(parted), estimates(whole))


def test_a_long_batch_is_learned_as_the_pieces_that_it_is_cut_into():
    many = np.tile(np.arange(240), 10)
    once = classifier().partial_fit(X[many], Y[many], classes=CLASSES)
    cut = classifier()
    for start in range(0, len(many), PIECE):
        rows = many[start : start + PIECE]
        cut.partial_fit(X[rows], Y[rows], classes=CLASSES)
    np.testing.assert_array_equal(estimates(once), estimates(cut))


@pytest.mark.parametrize("model", [classifier(replay="reservoir"), imputer()])
def test_batches_of_all_sizes_share_a_compilation(model):
    teach(model, slice(0, 30))
    before = engine._compiled_epochs.cache_info().misses
    for n in (1, 2, 65, 200):
        teach(model, slice(0, n))
    assert engine._compiled_epochs.cache_info().misses == before


# --- scales ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaling", ["standard", "minmax", None])
def test_the_scale_is_that_of_all_records_so_far(scaling):
    some = X[:, :3]
    model, whole = classifier(scaling=scaling), classifier(scaling=scaling, epochs=1)
    for rows in BATCHES:
        model.partial_fit(some[rows], Y[rows], classes=CLASSES)
    whole.fit(some, Y)
    np.testing.assert_allclose(model.shift_, whole.shift_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.scale_, whole.scale_, rtol=1e-5)
    np.testing.assert_array_equal(model.low_, whole.low_)
    assert model.n_samples_seen_.tolist() == [240.0] * 3
    assert model.class_count_.tolist() == np.unique(Y, return_counts=True)[1].tolist()


def test_moments_survive_a_frame_that_moves():
    parts = [1e9 + np.array([[2.0], [2.5]]), 1e9 + np.array([[4.0], [9.0], [-6.0]])]
    seen = Running.empty(1)
    for part in parts:
        flat = seen.constant(1e-16)
        low, high = np.fmin(seen.low, part.min(0)), np.fmax(seen.high, part.max(0))
        seen = seen.framed_anew(low, high, 1e-16)
        seen = seen.joined(framed(part, seen.origin, seen.power), np.ones(len(part)), flat)
    every = np.concatenate(parts)
    size = 2.0**-seen.power
    np.testing.assert_allclose(seen.mean, (every - seen.origin).mean() * size)
    np.testing.assert_allclose(seen.deviation, every.std() * size)


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_a_classifier_says_the_same_of_a_record_when_the_scale_moves(scaling):
    model = teach(classifier(scaling=scaling), slice(0, 40))
    before = model.predict_proba(X), model.sample(60, random_state=1)[0]
    scale = model.scale_.copy()
    model._move_scale(X[40:] * [3, 1, 1, 1], np.ones(200))
    assert (model.scale_ != scale).all()
    np.testing.assert_allclose(model.predict_proba(X), before[0], atol=2e-5)
    np.testing.assert_allclose(model.sample(60, random_state=1)[0], before[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "parameters", [{}, {"linear_skip": False}, {"neighbours": False, "n_passes": 1}]
)
def test_an_imputer_fills_the_same_when_the_scale_moves(parameters):
    model = teach(imputer(scaling="standard", **parameters), slice(0, 100))
    shown = X.copy() if not parameters.get("neighbours", True) else HOLED
    old = model.units_
    before = old.from_network(model._members(old.to_network(shown)).mean(axis=0))
    model._move_scale(np.vstack([X[100:] * [1.5, 1, 1, 1], X[:100]]))
    new = model.units_
    assert (new.scale != old.scale).all()
    after = new.from_network(model._members(new.to_network(shown)).mean(axis=0))
    inside = (before > old.low) & (before < old.high)  # estimates are held in the range seen
    np.testing.assert_allclose((after / old.scale)[inside], (before / old.scale)[inside], atol=2e-3)


def test_a_logarithm_stays_the_logarithm_that_was_taken():
    x = np.exp(np.random.default_rng(0).normal(size=(200, 1)))
    units, n, _ = join_units(unknown_units(1), np.zeros(1), x, "auto", np.array([False]))
    assert np.isfinite(units.offset).all()
    more, _, line = join_units(units, n, x[:50] / 4, "auto", np.array([False]))
    before, after = units.to_network(x), more.to_network(x)
    np.testing.assert_allclose(before, line.slope * after + line.offset, atol=1e-5)
    assert more.low[0] < units.low[0] and more.offset[0] >= units.offset[0] / 2


def test_an_attribute_that_was_constant_is_scaled_by_its_own_values():
    late = X[:, :3].copy()
    late[:120, 1] = 0.0
    model = classifier()
    for rows in (slice(0, 120), slice(120, 180), slice(180, 240)):
        model.partial_fit(late[rows], Y[rows], classes=CLASSES)
    assert model.scale_[1] < 1.5 * X[120:, 1].std() and model.n_samples_seen_[1] == 121


def test_an_attribute_that_appears_late_is_dropped_or_0_until_its_day_and_then_filled():
    early = HOLED.copy()
    early[:150, 1] = np.nan
    dropped, kept = imputer(), imputer(keep_empty_features=True)
    for rows in (slice(0, 80), slice(80, 150)):
        dropped.partial_fit(early[rows])
        kept.partial_fit(early[rows])
    assert dropped.transform(HOLED).shape == (240, 3)
    assert dropped.get_feature_names_out().tolist() == ["x0", "x2", "x3"]
    assert (kept.transform(early[:10])[:, 1] == 0).all()
    for rows in (slice(150, 200), slice(200, 240)):
        kept.partial_fit(early[rows])
    filled = kept.transform(early)[:, 1]
    low, high = np.nanmin(early[150:, 1]), np.nanmax(early[150:, 1])
    assert ((filled >= low) & (filled <= high)).all() and filled.std() > 0


# --- batches of every kind ------------------------------------------------------------------------


def test_batches_of_one_record_and_of_one_class_teach():
    model = classifier(replay="reservoir", replay_size=100)
    order = np.argsort(Y[:80], kind="stable")
    for i in order:
        model.partial_fit(X[[i]], Y[[i]], classes=CLASSES)
    assert (model.predict(X) == Y).mean() > 0.75
    assert model.reservoir_["X"].shape == (80, 4)


def test_a_record_without_any_cell_teaches_nothing():
    model, other = teach(imputer(), slice(0, 50)), teach(imputer(), slice(0, 50))
    other.partial_fit(np.full((3, 4), np.nan))
    np.testing.assert_array_equal(estimates(model), estimates(other))


def test_records_of_weight_0_teach_nothing():
    weight = np.where(np.arange(240) < 120, 1.0, 0.0)
    weighted = classifier().partial_fit(X, Y, CLASSES, sample_weight=weight)
    alone = classifier().partial_fit(X[:120], Y[:120], CLASSES)
    np.testing.assert_array_equal(estimates(weighted), estimates(alone))


@pytest.mark.parametrize("made", [classifier, imputer])
def test_partial_fit_goes_on_from_fit_and_fit_begins_anew(made):
    model = made(epochs=3)
    data = (X, Y) if made is classifier else (HOLED,)
    first = estimates(model.fit(*data))
    assert not np.array_equal(estimates(teach(model, slice(0, 40))), first)
    np.testing.assert_array_equal(estimates(model.fit(*data)), first)


@pytest.mark.parametrize(
    ("parameters", "arguments", "wanted"),
    [
        ({}, (X, Y), "classes is None"),
        ({}, (X, Y, ["ill"]), "two classes or more"),
        ({}, (X, Y, ["ill", "dead"]), "y holds well"),
        ({}, (HOLED, Y, CLASSES), "NaN"),
        ({"early_stopping": True}, (X, Y, CLASSES), "early_stopping is True"),
        ({"class_weight": "balanced"}, (X, Y, CLASSES), "class_weight is 'balanced'"),
        ({"scaling": None}, (X * 1e20, Y, CLASSES), "Choose a scaling"),
        ({"learning_rate": 1e30}, (X, Y, CLASSES), "diverged"),
    ],
)
def test_a_classifier_refuses_in_a_sentence_and_may_be_asked_again(parameters, arguments, wanted):
    model = classifier(**parameters)
    with pytest.raises(ValueError, match=wanted):
        model.partial_fit(*arguments)
    model.set_params(early_stopping=False, class_weight=None, scaling="standard")
    model.set_params(learning_rate=1e-3).partial_fit(X, Y, CLASSES)


@pytest.mark.parametrize("model", [classifier(replay="reservoir"), imputer()])
def test_an_interruption_leaves_the_model_as_it_was(model, monkeypatch):
    teach(model, slice(0, 40))
    before, state = estimates(model), pickle.dumps(model)
    calls = []

    def stopped(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return engine.train(*arguments, **options)

    monkeypatch.setattr(online, "train", stopped)
    monkeypatch.setattr(online, "PIECE", 50)
    with pytest.raises(KeyboardInterrupt):
        teach(model, slice(40, 240))
    np.testing.assert_array_equal(estimates(model), before)
    monkeypatch.undo()
    once, again = teach(pickle.loads(state), slice(40, 80)), teach(model, slice(40, 80))
    np.testing.assert_array_equal(estimates(once), estimates(again))


def test_a_later_batch_must_be_as_the_first():
    model = teach(classifier(), slice(0, 40))
    before = estimates(model)
    for arguments, wanted in [
        ((X, Y, ["ill", "dead"]), "partial_fit began with"),
        ((X, np.full(240, "dead")), "y holds dead"),
        ((X[:, :3], Y), "3 features"),
    ]:
        with pytest.raises(ValueError, match=wanted):
            model.partial_fit(*arguments)
    with pytest.raises(ValueError, match="Fit anew"):
        model.set_params(hidden_units=7).partial_fit(X, Y)
    model.set_params(hidden_units=50)
    np.testing.assert_array_equal(estimates(model), before)
    named = classifier().partial_fit(pd.DataFrame(X, columns=list("abcd")), Y, CLASSES)
    with pytest.raises(ValueError, match="feature names"):
        named.partial_fit(pd.DataFrame(X[:, :3], columns=list("abc")), Y)


@pytest.mark.parametrize(
    ("parameters", "batch", "wanted"),
    [
        ({"n_draws": 2}, HOLED, "n_draws is 2"),
        ({"add_indicator": True}, HOLED, "add_indicator is True"),
        ({"early_stopping": True}, HOLED, "early_stopping is True"),
        ({}, np.full((5, 4), np.nan), "no value"),
    ],
)
def test_an_imputer_refuses_in_a_sentence(parameters, batch, wanted):
    with pytest.raises(ValueError, match=wanted):
        imputer(**parameters).partial_fit(batch)


def test_a_joint_model_says_that_it_does_not_learn_in_batches():
    assert not hasattr(JointACGANClassifier(), "partial_fit")


def test_generated_records_keep_the_whole_numbers_and_types_of_a_stream():
    table = pd.DataFrame({"age": np.arange(30, 90), "stage": np.arange(60) % 3})
    y = np.arange(60) % 2
    model = classifier().partial_fit(table, y, [0, 1])
    assert model.sample(5, random_state=0)[0].dtypes.tolist() == [np.dtype(int)] * 2
    table["age"] += 0.5
    made = model.partial_fit(table, y).sample(50, random_state=0)[0]
    assert made["age"].dtype == float and (made["age"] % 1 != 0).any()
    assert made["stage"].dtype == int


# --- what is learned again ------------------------------------------------------------------------


def test_a_reservoir_holds_each_record_with_the_same_chance():
    held = np.zeros(60)
    for seed in range(400):
        rng, sample, seen = np.random.default_rng(seed), np.full(12, -1), 0
        for n in (5, 1, 30, 24):
            for i, place in enumerate(reservoir_places(seen, n, 12, rng)):
                if place >= 0:
                    sample[place] = seen + i
            seen += n
        assert len(set(sample.tolist())) == 12
        held[sample] += 1
    expected = 400 * 12 / 60
    assert ((held - expected) ** 2 / expected).sum() < 95  # chi-squared of 59, p < 0.002


def test_the_reservoir_holds_records_with_their_own_classes_and_the_generator_none():
    model = taught(classifier(replay="reservoir", replay_size=30))
    places = {tuple(x): y for x, y in zip(X, Y, strict=True)}
    assert len(model.reservoir_["X"]) == 30 and model.reservoir_["seen"] == 240
    for x, c in zip(model.reservoir_["X"], model.reservoir_["c"], strict=True):
        assert places[tuple(x)] == CLASSES[c]
    assert not hasattr(taught(classifier(replay="generator")), "reservoir_")


@pytest.mark.parametrize("replay", ["generator", "reservoir"])
def test_what_is_learned_again_keeps_the_class_that_has_stopped_to_come(replay):
    order = np.argsort(Y, kind="stable")
    share = {}
    for how in (None, replay):
        model = classifier(replay=how, partial_epochs=20)
        for start in range(0, 240, 30):
            rows = order[start : start + 30]
            model.partial_fit(X[rows], Y[rows], CLASSES)
        share[how] = (model.predict(X) == Y)[Y == "ill"].mean()
    assert share[replay] > share[None] + 0.1
