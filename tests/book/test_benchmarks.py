"""What was measured comes back as it is, and summaries say what the rounds say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ehrgan.book import benchmarks
from ehrgan.scores.inference import corrected_interval


@pytest.mark.parametrize("name", benchmarks.BENCHMARKS)
def test_each_benchmark_has_its_own_rows_and_machine(name):
    folder = benchmarks.files("ehrgan") / "data" / "results"
    lines = (folder / f"benchmark_{name}.csv").read_text().splitlines()
    table = benchmarks.read(name)
    assert ",".join(table.columns) == lines[0] and len(table) == len(lines) - 1
    about = benchmarks.machine(name)
    assert len(about["source"]) == 40 and about["cores"] >= 1


@pytest.mark.parametrize("ask", [benchmarks.read, benchmarks.machine])
def test_an_unknown_benchmark_is_refused(ask):
    with pytest.raises(ValueError, match="'speed'"):
        ask("speed")


def test_speed_is_told_by_median_range_and_ratio_within_a_round():
    times = {"ours": [1.0, 2.0, 6.0], "sklearn": [7.0, 50.0, 18.0], "keras": [30.0, 10.0, 24.0]}
    rounds = pd.DataFrame(
        [
            (i, way, k + 1, [0.5, 1.5, 1.0][i] + k, time)
            for k, (way, each) in enumerate(times.items())
            for i, time in enumerate(each)
        ],
        columns=["round", "way", "threads", "busy", "milliseconds"],
    )
    table = benchmarks.speed_summary(rounds.sample(frac=1, random_state=0))
    assert table["words"].to_dict() == {
        "keras": "Keras at its best",
        "ours": "our replica axis, all cores",
        "sklearn": "scikit-learn's MLPClassifier, no GAN",
    }
    assert list(table.index) == ["keras", "ours", "sklearn"]
    got = table[["threads", "busy", "median", "low", "high", "ratio"]].to_numpy().tolist()
    wanted = [[3, 3, 24, 10, 30, 5], [1, 1, 2, 1, 6, 1], [2, 2, 18, 7, 50, 7]]
    assert got == wanted  # ratios 30 5 4 and 7 25 3


def test_the_gain_is_taken_apart_within_a_round():
    times = {"keras": [8, 30], "ours_one": [2, 3], "ours_one_thread": [1, 1.5], "ours": [0.5, 0.1]}
    rounds = pd.DataFrame(times).melt(ignore_index=False, var_name="way", value_name="milliseconds")
    gains = benchmarks.gain_by_step(rounds.rename_axis("round").reset_index())
    # 4 and 10; 2 and 2; 2 and 15
    assert gains.to_dict() == {"ours_one": 7, "ours_one_thread": 2, "ours": 8.5}


def test_what_was_measured_is_all_ways_in_every_round_and_all_in_words():
    rounds = benchmarks.read("keras")
    counts = rounds.groupby("way")["round"].nunique()
    assert set(counts.index) == set(benchmarks.WAYS)
    assert counts.min() == counts.max() >= 5 and not rounds.duplicated().any()
    cores = benchmarks.machine("keras")["cores"]
    assert rounds["threads"].between(1, cores).all() and (rounds["busy"] > 0).all()
    assert set(benchmarks.read("floor")["threads"]) == {1, cores}
    device = benchmarks.read("device")
    assert (device["seconds"] > 0).all() and len(set(device["device"])) == 1


def test_errors_are_told_by_mechanism_and_imputer():
    keys = [(m, i) for m in ("random", "block") for i in ("ours", "mean")]
    rows = []
    rng = np.random.default_rng(0)
    for k, (mechanism, imputer) in enumerate(keys):
        for fold in range(3):
            sizes = {"n_train": 80 + k + 3 * fold, "n_test": 20 - k}
            times = {"fit": [1, 2, 9][fold] + k, "transform": [0.1, 0.2, 0.9][fold] + k}
            rows.append({"mechanism": mechanism, "imputer": imputer, "rmse": rng.uniform(),
                         "fold": fold, **sizes, **times})  # fmt: skip
    rows = pd.DataFrame(rows)
    table = benchmarks.imputer_summary(rows)
    assert list(zip(table["mechanism"], table["imputer"], strict=True)) == keys
    for k, row in enumerate(table.itertuples()):
        own = rows.iloc[3 * k : 3 * k + 3]["rmse"]
        wanted = corrected_interval(own, 83 + k, 20 - k)
        np.testing.assert_allclose((row.mean, row.low, row.high), wanted)
        assert (row.fit, row.transform) == (2 + k, 0.2 + k)


@pytest.fixture(scope="module")
def league():
    """Two tables looked at once and one that was developed on, which leads but must not count."""
    errors = {"mean": [2.0, 4.0, 1.0], "peer": [1.0, 3.0, 1.0], "autoencoder": [1.5, 1.0, 0.0]}
    errors["miceforest"] = [0.5, 0.5, 0.5]
    rows = [
        ("block", table, table != "c", seed, name, error[i] + [-0.1, 0.1][seed], 0.5 / (k + 1), k)
        for k, (name, error) in enumerate(errors.items())
        for i, table in enumerate("abc")
        for seed in (0, 1)
    ]
    columns = ["mechanism", "table", "held_out", "seed", "imputer", "rmse", "energy", "fit"]
    return pd.DataFrame(rows, columns=columns).assign(coverage=np.nan, megabytes=1.0)


def test_places_count_tables_looked_at_once_and_imputers_that_guess(league):
    found = benchmarks.league_places(league.sample(frac=1, random_state=0))
    found = found.set_index(["imputer", "table"])
    assert set(found.index.unique("table")) == {"a", "b"}
    np.testing.assert_allclose(found.loc["autoencoder", "error"][["a", "b"]], [0.75, 0.25])
    assert found.loc["autoencoder", "place"][["a", "b"]].tolist() == [2, 1]
    assert found.loc["mean", "place"].tolist() == [3, 3]
    assert found.loc["miceforest", "place"].isna().all()
    np.testing.assert_allclose(found.loc["peer", "distance"], 0.5)
    np.testing.assert_allclose(found.loc["peer", "gap"][["a", "b"]], [0.25, -0.5])


def test_a_league_is_told_by_means_over_tables_with_their_spread(league):
    found = benchmarks.league_summary(benchmarks.league_places(league)).loc["block"]
    assert found.index.tolist() == ["mean", "peer", "autoencoder", "miceforest"]
    t = 12.7062  # of one degree of freedom: two tables
    np.testing.assert_allclose(
        found.loc["autoencoder", "error"], [0.5, 0.5 - t * 0.25, 0.5 + t * 0.25], rtol=1e-5
    )
    assert found.loc["autoencoder", "place"].value == 1.5 and found.loc["autoencoder", "fit"] == 2


def test_coverage_is_told_with_its_own_uncertainty():
    rows = {"inside": [90, 400], "repetitions": [100, 400], "bias": [0.2, -0.1], "sd": [2.0, 0.5]}
    rows |= {"error": [1.0, 1.0], "missing_information": [0.1, 0.2], "way": ["draws", "no holes"]}
    found = benchmarks.coverage_summary(pd.DataFrame(rows))
    assert found["way"].tolist() == ["draws", "no holes"] and found["mean"].tolist() == [0.9, 1.0]
    np.testing.assert_allclose(found["bias"], [0.1, -0.2])
    np.testing.assert_allclose(found["ratio"], [0.5, 2.0])
    z, p, n = 1.959964, 0.9, 100  # Wilson 1927
    middle, half = p + z**2 / 2 / n, z * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)
    wanted = np.array([middle - half, middle + half]) / (1 + z**2 / n)
    np.testing.assert_allclose(found[["low", "high"]].iloc[0], wanted, rtol=1e-6)


def test_promises_are_counted_by_side_and_by_kind():
    """Planted: of ten intervals of a eight hold, one lies below and one above; that of b holds."""
    a = [(0.4, 0.6)] * 8 + [(0.1, 0.4), (0.6, 0.9)]
    rows = [("a", *ends, 0.5) for ends in a] + [("b", 0.5, 0.5, 0.5)]
    table = pd.DataFrame(rows, columns=["kind", "low", "high", "truth"])
    found = benchmarks.kept_promises(table.sample(frac=1, random_state=0), ["kind"])
    assert found["tables"].to_dict() == {"a": 10, "b": 1}
    assert found.loc["a", ["too low", "too high"]].tolist() == pytest.approx([0.1, 0.1])
    assert found.loc["b", ["too low", "too high"]].tolist() == [0, 0]
    assert [held.value for held in found.loc[["a", "b"], "held"]] == [0.8, 1.0]
    z, p, n = 1.959964, 0.8, 10  # Wilson 1927
    middle, half = p + z**2 / 2 / n, z * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)
    wanted = np.array([middle - half, middle + half]) / (1 + z**2 / n)
    np.testing.assert_allclose(found.loc["a", "held"][1:], wanted, rtol=1e-6)


@pytest.fixture(scope="module")
def intervals():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2])
        from benchmarks import intervals

        yield intervals


def test_a_smoothed_copy_is_like_the_table_and_no_record_of_it(intervals):
    from ehrgan.tables.records import load_wdbc

    records, population = load_wdbc(), intervals.Smoothed()
    X, y = population.draw(20_000, np.random.default_rng(0))
    real = records.X.to_numpy()
    assert abs(y.mean() - records.y.mean()) < 0.02
    assert ((real.min(axis=0) - 1e-6 <= X) & (real.max(axis=0) + 1e-6 >= X)).all()
    for c in (0, 1):
        shift = X[y == c].mean(axis=0) - real[records.y == c].mean(axis=0)
        assert (np.abs(shift) < 0.1 * real[records.y == c].std(axis=0)).all()
    assert not (X[:200, None] == real[None]).all(axis=2).any()


def test_the_truth_of_a_report_is_the_area_that_was_asked(intervals):
    from sklearn.metrics import roc_auc_score

    for area in (0.5, 0.7, 0.9):
        X, y = intervals.two_classes(area, 40_000, np.random.default_rng(1))
        assert abs(roc_auc_score(y, X[:, 0]) - area) < 0.01 and abs(y.mean() - 0.3) < 0.01


def test_intervals_are_laid_out_with_their_truth(intervals, monkeypatch):
    monkeypatch.setattr(intervals, "TRAININGS", 2)
    monkeypatch.setattr(intervals, "LARGE", 500)
    found = intervals.of_studies(n_tables=1, n_trials=1)
    assert len(found) == 5 and found.notna().all(axis=None)
    assert (found["low"] < found["value"]).all() and (found["value"] < found["high"]).all()
    single, gap = found.query("not quantity.str.contains('less')"), found.iloc[[1, 3]]
    assert (single["truth"] > 0.9).all() and (gap["truth"].abs() < 0.05).all()
    found = intervals.of_reports((0.7,), (150,), n_tables=2)
    assert found["table"].tolist() == [0, 1] and (found["low"] < found["high"]).all()


@pytest.fixture(scope="module")
def coverage():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2])
        from benchmarks import coverage

        yield coverage


def test_the_simulated_holes_are_of_the_kind_that_they_say(coverage):
    X = coverage.normal(20_000, np.random.default_rng(0))
    for mechanism in ("MCAR", "MAR"):
        holes = coverage.with_holes(X, mechanism, np.random.default_rng(1))
        hidden = np.isnan(holes[:, 0])
        assert abs(hidden.mean() - 0.3) < 0.02 and not np.isnan(holes[:, 1:]).any()
        np.testing.assert_array_equal(holes[~hidden], X[~hidden])
        gap = X[hidden].mean(axis=0) - X[~hidden].mean(axis=0)
        assert (np.abs(gap) < 0.06).all() if mechanism == "MCAR" else (gap[1:] > 0.3).all()


@pytest.mark.parametrize("name", ["normal", "skewed", "binary", "curved"])
def test_analyses_of_large_samples_without_holes_find_the_truth(coverage, name):
    make, analysis, truth = coverage.SCENARIOS[name]
    value, variance = analysis(make(50_000, np.random.default_rng(0)))
    assert (np.abs(value - truth) < 4 * np.sqrt(variance)).all()
    again = [analysis(make(400, np.random.default_rng(s))) for s in range(300)]
    found, claimed = (np.array(part) for part in zip(*again, strict=True))
    np.testing.assert_allclose(np.sqrt(claimed.mean(axis=0)), found.std(axis=0), rtol=0.15)


def test_each_case_is_counted_by_way_and_coefficient(coverage, monkeypatch):
    class Filler:
        """Draws that are the truth but for a shift, as the parameters say."""

        def __init__(self, n_members, n_draws):
            assert (n_members, n_draws) == (1, coverage.N_DRAWS)

        def fit_many(self, tables, params):
            assert [own["random_state"] for own in params] == list(range(len(tables)))
            return [self] * len(tables)

        def draw(self, holes, random_state):
            rng = np.random.default_rng(random_state)
            noise = rng.normal(50, 0.1, (coverage.N_DRAWS, len(holes)))
            drawn = np.repeat(holes[None], coverage.N_DRAWS, axis=0)
            drawn[..., 0] = np.where(np.isnan(drawn[..., 0]), noise, drawn[..., 0])
            return drawn

    monkeypatch.setattr(coverage, "StackedAutoencoderImputer", Filler)
    monkeypatch.setattr(coverage, "TOGETHER", 20)
    table = coverage.coverage(["normal"], ["MCAR"], {"normal": (60,)}, 20)
    assert table[["scenario", "mechanism", "n"]].drop_duplicates().to_numpy().tolist() == [
        ["normal", "MCAR", 60]
    ]
    by_way = table[table["coefficient"] == 0].set_index("way")
    assert by_way["repetitions"].tolist() == [20] * 3
    assert by_way.loc["no holes", "inside"] >= 17 and by_way.loc["complete records", "inside"] >= 17
    assert by_way.loc["draws", "inside"] == 0  # holes filled by 50 flatten the line
    assert abs(by_way.loc["draws", "bias"] + 1) < 0.1
    np.testing.assert_allclose(by_way.loc["no holes", "error"], by_way["sd"].iloc[0], rtol=0.5)


@pytest.fixture(scope="module")
def speed():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2])
        from benchmarks import speed

        yield speed


def test_every_way_to_train_is_timed_in_every_round_and_in_turns(speed, monkeypatch):
    calls = []

    def way(name, cpu):
        return lambda: (calls.append(name), cpu)[1]

    made = {"ours": (way("ours", None), 2, 5, 10), "peer": (way("peer", 3.0), 1, 1, 4)}
    monkeypatch.setattr(speed, "ways_to_train", lambda M, epochs, cores: made)
    clock, cpu = iter(np.arange(100.0)), iter(np.arange(0, 50, 0.5))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(speed.time, "process_time", lambda: next(cpu))
    table = speed.against_keras(replicas=5, rounds=2, epochs=10)
    assert calls == ["ours", "ours", "peer", "peer", "ours", "peer", "peer", "ours"]
    assert table["way"].tolist() == calls[4:] and table["round"].tolist() == [0, 0, 1, 1]
    by_way = table.groupby("way")[["threads", "busy", "replicas", "milliseconds"]].first()
    assert by_way.loc["ours"].tolist() == [2, 0.5, 5, 1000 / 5 / 10]
    assert by_way.loc["peer"].tolist() == [1, 3.5, 1, 1000 / 4]  # a worker's CPU time counts


def test_floor_has_one_thread_and_all_of_them(speed, monkeypatch):
    monkeypatch.setattr(speed.joblib, "cpu_count", lambda: 3)
    table = speed.against_floor(replicas=(2,), rounds=2, epochs=1, floor_steps=2)
    assert table[["round", "replicas", "threads"]].to_numpy().tolist() == [
        [0, 2, 1], [0, 2, 3], [1, 2, 1], [1, 2, 3]
    ]  # fmt: skip
    assert (table[["step", "floor"]] > 0).all(axis=None)


def test_the_device_is_named_with_or_without_a_card(speed, monkeypatch):
    tf = speed.tensorflow()
    table = speed.on_this_device(replicas=2, rounds=2, epochs=1)
    assert table["round"].tolist() == [0, 1] and (table["seconds"] > 0).all()
    if not tf.config.list_physical_devices("GPU"):
        assert set(table["device"]) == {speed.processor()} and speed.processor()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"a {kind}"])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda card: {"device_name": f"{card} card"}
    )
    assert speed.device() == "a GPU card"


def test_without_jax_a_sentence_takes_the_place_of_its_rows(speed, monkeypatch, capsys):
    monkeypatch.setattr(speed.importlib.util, "find_spec", lambda name: None)
    ways = speed.ways_to_train(2, 4, 1)
    assert set(ways) == {way for way in benchmarks.WAYS if not way.startswith("jax")}
    assert "pip install jax" in capsys.readouterr().out
    work, threads, networks, epochs = ways["sklearn"]
    assert work().n_iter_ == epochs and (threads, networks) == (1, 1)


def test_keras_learns_in_the_fastest_way_too(speed):
    """Both losses move: neither tape nor feed leaves a network without gradients."""
    from benchmarks import peers

    X, y = speed.training_folds(1)[0]
    model = peers.KerasACGAN(jit_compile=True, steps_per_execution=8)
    before = [w.copy() for net in (model.generator, model.discriminator) for w in net.get_weights()]
    told = peers.fed_by_data(model, X, y)(2)
    after = [w for net in (model.generator, model.discriminator) for w in net.get_weights()]
    assert all(np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True))
    assert len(told.history["loss_D"]) == 2 and np.isfinite(told.history["loss_G"]).all()
    x, c = next(iter(peers.endless_batches(X, y)))
    assert x.shape == (64, 30) and set(np.unique(c)) == {0, 1}


def test_gans_in_jax_take_the_step_of_ours(speed):
    """The gradients of one minibatch are those of equations 4 and 5, as in our engine."""
    jax = pytest.importorskip("jax")
    from benchmarks import in_jax

    rng = np.random.default_rng(0)
    x, c, z = rng.random((8, 30)), np.array([0, 1] * 4), rng.normal(size=(8, 10))
    params = in_jax.first_weights(jax.random.key(0))
    weight = np.full(8, 1 / 8)
    L_S, L_C = in_jax.objectives(params, x, c, weight, z)
    fake = 1 / (1 + np.exp(-in_jax.network(params["G"], np.c_[z, np.eye(2)[c]])))
    (s, k), (s_fake, k_fake) = (in_jax.network(params["D"], a).T for a in (x, fake))
    right = [-np.log1p(np.exp(-a)).mean() for a in (s, -s_fake)]
    np.testing.assert_allclose(L_S, sum(right), rtol=1e-5)
    right = [-np.log1p(np.exp(-(2 * c - 1) * a)).mean() for a in (k, k_fake)]
    np.testing.assert_allclose(L_C, sum(right), rtol=1e-5)
    zeros = jax.tree.map(np.zeros_like, params)
    (moved, *_), _ = jax.jit(in_jax.step)((params, zeros, zeros, 0), (x, c, weight, z))
    slopes = jax.jit(jax.jacrev(lambda p: in_jax.objectives(p, x, c, weight, z)))(params)
    for group, sign in {"D": -1, "G": 1}.items():
        trees = (params, moved, *slopes)
        for old, new, of_S, of_C in zip(*(jax.tree.leaves(t[group]) for t in trees), strict=True):
            g = sign * of_S - of_C  # of what the network makes small
            step = -1e-3 * g / (np.abs(g) + 1e-7 / np.sqrt(0.001))  # Adam's first
            np.testing.assert_allclose(new - old, step, atol=2e-6)


def test_gans_in_jax_end_alike_in_one_call_and_in_blocks(speed):
    jax = pytest.importorskip("jax")
    from benchmarks.in_jax import JaxACGANs

    gans = JaxACGANs(speed.training_folds(4), epochs=1)
    (whole,), blocks = gans.fit(), gans.fit(width=2, threads=2)
    both = jax.tree.map(lambda *parts: np.concatenate(parts), *blocks)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(both), strict=True):
        assert len(one) == 4
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_generators_are_told_by_their_mean_over_splits():
    rows = [
        (table, generator, axis, seed, 0.1 * i + 0.01 * seed)
        for i, (table, generator, axis) in enumerate(
            (t, g, a) for t in ("b", "a") for g in ("y", "x") for a in ("utility", "fidelity")
        )
        for seed in range(3)
    ]
    table = pd.DataFrame(rows, columns=["table", "generator", "axis", "seed", "mean"])
    found = benchmarks.synthetic_summary(table)
    assert found[["set", "generator", "axis"]].values[2].tolist() == ["b", "x", "utility"]
    assert len(found) == 8
    wanted = corrected_interval([0.2, 0.21, 0.22], 1, 1)  # half of the records teach
    np.testing.assert_allclose(found.loc[2, ["mean", "low", "high"]].astype(float), wanted)
