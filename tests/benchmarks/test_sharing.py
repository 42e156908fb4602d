"""What a point of the sweeps is fitted on, and what the page says of them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from emotion_mt import paper
from emotion_mt.corpus import labels_from_values
from emotion_mt.evaluation import Job
from emotion_mt.evaluation.records import make_record
from emotion_mt.simulation import SimulationConfig, simulate_state

SEGMENTS = 4


@pytest.fixture(scope="module")
def sweep(load):
    return load("sharing_sweep")


@pytest.fixture(scope="module")
def sharing(load, sweep):
    return load("sharing")


@pytest.fixture(scope="module")
def state():
    return simulate_state(0, SEGMENTS, SimulationConfig())


def ids_of(corpus):
    return pd.Index(corpus.segments["segment_id"])


@pytest.fixture
def material(sweep, state, tiny_training):
    corpus = sweep.text_corpus(state)
    features = np.arange(len(corpus), dtype=np.float32)[:, None]
    config = dataclasses.replace(tiny_training, modalities=("text",))
    return sweep.Material(state, corpus, features, config)


def test_other_viewers_watch_the_same_films(sweep, state):
    found = sweep.with_viewers(state, 0, 0.5)
    whole = simulate_state(0, SEGMENTS, found.config)
    other = sweep.with_viewers(state, 1, None)
    assert {viewer.sharing for viewer in found.config.viewers} == {0.5**0.5}
    for film, expected, seed1, default in zip(
        found.films, whole.films, other.films, state.films, strict=True
    ):
        # As a new corpus would have them.
        np.testing.assert_array_equal(film.traces, expected.traces)
        # What the videos and subtitles are made from does not depend on it.
        np.testing.assert_array_equal(expected.content, default.content)
        assert expected.texts == default.texts
        assert film.content is seed1.content is default.content
        assert (film.traces != default.traces).any()
        assert (seed1.traces != default.traces).any()


def test_a_corpus_without_films_has_texts_and_known_shares(sweep):
    corpus = sweep.text_corpus(simulate_state(3, 20, SimulationConfig()))
    assert len(corpus) == 140
    assert corpus.segments["text"].str.len().min() > 0
    movies = corpus.segments["movie"].to_numpy()
    shares = [corpus.labels[movies == m].mean(axis=0) for m in corpus.movies]
    # Table II's Positive row, which the simulation solves for.
    expected = [0.57, 0.58, 0.77, 0.39, 0.56, 0.79, 0.65, 0.62]
    np.testing.assert_allclose(np.mean(shares, axis=0), expected, atol=0.02)


def test_missing_ratings_are_missing_and_the_average_is_of_the_rest(sweep):
    values = np.random.default_rng(1).uniform(-1, 1, (2000, 4))
    found = sweep.remove_ratings(values, 0.4, seed=3)
    gone = np.isnan(found[:, :-1])
    assert gone.mean(axis=0) == pytest.approx([0.4] * 3, abs=0.04)
    np.testing.assert_array_equal(found[:, :-1][~gone], values[:, :-1][~gone])
    nobody = gone.all(axis=1)
    assert nobody.any()
    assert np.isnan(found[nobody, -1]).all()
    expected = np.nanmean(found[~nobody, :-1], axis=1)
    np.testing.assert_allclose(found[~nobody, -1], expected, atol=1e-9)
    # More missing ones include the fewer; another seed takes others.
    more = np.isnan(sweep.remove_ratings(values, 0.6, seed=3))
    assert (more[:, :-1] >= gone).all()
    other = np.isnan(sweep.remove_ratings(values, 0.4, seed=1))
    assert (other[:, :-1] != gone).any()


@pytest.mark.parametrize(("share", "size"), [(0.01, 1), (0.5, 5), (1.0, 10)])
def test_stretches_of_training_films_only(sweep, small_corpus, share, size):
    split = paper.Split("F", ("A", "C"), ("B",), ("D",))
    rows = sweep.kept_rows(small_corpus, split, share, seed=0)
    assert (np.diff(rows) > 0).all()
    movies = small_corpus.segments["movie"].to_numpy()[rows]
    counts = {m: (movies == m).sum() for m in "ABCD"}
    assert counts == {"A": size, "B": 10, "C": size, "D": 10}
    for movie in "AC":
        kept = rows[movies == movie]
        np.testing.assert_array_equal(np.diff(kept), np.ones(size - 1))


@pytest.mark.parametrize("training", [0.5, 1.0])
def test_models_see_what_is_left_and_scores_see_all(sweep, material, training):
    setting = sweep.Setting(training=training, missing=0.4)
    corpus, truth = sweep.rated(material, setting, 0)
    assert np.isnan(corpus.labels).any()
    np.testing.assert_array_equal(
        truth.unstack("viewer")[list(corpus.viewers)].loc[ids_of(corpus)],
        labels_from_values(sweep.values_of(material.state)),
    )
    served = []
    for shared, splits in sweep.inputs_of(
        material, corpus, paper.FOLDS, setting, 0
    ):
        served += splits
        rows = shared.features["i3d"][:, 0].astype(int)
        np.testing.assert_array_equal(shared.corpus.values, corpus.values[rows])
        ids = corpus.segments["segment_id"].to_numpy()[rows]
        assert shared.corpus.segments["segment_id"].tolist() == list(ids)
        assert (len(rows) == len(corpus)) == (training == 1.0)
        for split in splits:
            np.testing.assert_array_equal(
                np.intersect1d(rows, corpus.rows(split.test)),
                corpus.rows(split.test),
            )
    assert tuple(served) == paper.FOLDS


def test_scores_are_of_all_ratings(sweep, small_corpus, tiny_training, guesses):
    """V2's label of one segment is hidden from the models."""
    split = paper.Split("F1", ("B", "C"), ("D",), ("A",))
    labels = np.where(np.isnan(small_corpus.labels), 0, small_corpus.labels)
    viewers, ids = small_corpus.viewers, ids_of(small_corpus)
    table = pd.DataFrame(labels, ids, pd.Index(viewers, name="viewer"))
    truth = table.unstack()
    digests = dict.fromkeys(("corpus", "features", "weights"), "x")
    records, expected = [], {}
    for model, groups in {
        "MT": [viewers],
        "ST": [(viewer,) for viewer in viewers],
    }.items():
        for group in groups:
            job = Job(model, group, split, 0, tiny_training)
            result = guesses(job, small_corpus)
            records.append(make_record(job, "k", small_corpus, digests, result))
            for column, viewer in enumerate(group):
                answers = result.probabilities[:, column]
                rated = table[viewer].to_numpy()[result.test_rows]
                expected[viewer, model] = (
                    100 * roc_auc_score(rated, answers),
                    100 * np.mean((answers > 0.5) == rated),
                )
    found = sweep.scores(records, truth).set_index("viewer")
    for viewer in viewers:
        row = found.loc[viewer]
        for model in ("ST", "MT"):
            measured = (row[f"{model} AUC"], row[f"{model} accuracy"])
            assert measured == pytest.approx(expected[viewer, model])
        gain = expected[viewer, "MT"][0] - expected[viewer, "ST"][0]
        assert row["gain AUC"] == pytest.approx(gain)
        assert row["film"] == "A"


def test_finished_fits_are_used_again(sweep, material, tmp_path):
    points = [(sweep.Setting(), 0), (sweep.Setting(), 0)]
    known = (material, points, paper.FOLDS[:1], tmp_path, 1)
    frame, _ = sweep.fit(*known)
    assert list(frame["viewer"]) == sorted(paper.ALL_VIEWERS)
    assert set(frame["film"]) == set(paper.FOLDS[0].test)
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "jobs").iterdir()}
    assert len(files) == 9
    again, _ = sweep.fit(*known)
    pd.testing.assert_frame_equal(again, frame)
    assert {
        p: p.stat().st_mtime_ns for p in (tmp_path / "jobs").iterdir()
    } == files


def test_bands_are_those_of_a_plain_bootstrap(sharing):
    differences = np.random.default_rng(2).normal(1.0, 2.0, (3, 7))
    rng = np.random.default_rng(5)
    means = []
    for _ in range(4000):
        rows, columns = rng.choice(3, 3), rng.choice(7, 7)
        means.append(differences[np.ix_(rows, columns)].mean())
    expected = np.percentile(means, [2.5, 97.5])
    np.testing.assert_allclose(
        sharing.fits.band(differences), expected, atol=0.1
    )
    assert np.isnan(sharing.fits.band(differences[:, :1])).all()


@pytest.fixture
def frame(sweep):
    """MT gains 1, 3 and 6 points at 50 %, and twice that for Vavg."""
    rows = []
    points = {sweep.Setting(): 3.0, sweep.Setting(sharing=0.0): 1.0}
    points[sweep.Setting(sharing=0.8)] = 6.0
    for setting, gain in points.items():
        for seed in (0, 1, 2):
            # The third seed was stopped before its last film.
            for film in ("BMI", "CHI", "CRA")[: 3 - seed // 2]:
                for viewer, more in (("V1", 1), ("V2", 1), ("Vavg", 2)):
                    row = {"point": str(setting), "seed": seed, "film": film}
                    row |= {"viewer": viewer, "ceiling": 90.0}
                    for measure in ("balanced accuracy", "AUC", "accuracy"):
                        row[f"ST {measure}"] = 50.0
                        row[f"MT {measure}"] = 50.0 + more * gain
                        row[f"gain {measure}"] = more * gain
                    undefined = {n: np.nan for n in row if "balanced" in n}
                    rows.append(row | undefined if film == "CRA" else row)
    return pd.DataFrame(rows)


def test_points_are_summed_up_over_whole_seeds(sharing, frame):
    summary = sharing.summarize(frame, 60)
    found = summary[summary["sweep"] == "sharing"].set_index(["x", "group"])
    # Points that were not run are not there, the default is in each sweep.
    assert set(found.index[~found["apart"]]) == {
        (x, group) for x in (0.0, 0.8) for group in ("viewers", "average")
    }
    assert (summary["sweep"] == "missing").sum() == 2
    assert (found["seeds"] == 2).all()
    assert (found["films"] == 3).all()
    assert found.loc[(0.8, "viewers"), "gain AUC"] == pytest.approx(6)
    assert found.loc[(0.8, "average"), "gain AUC low"] == pytest.approx(12)
    assert found.loc[(0.8, "viewers"), "MT balanced accuracy"] == pytest.approx(
        56
    )
    training = summary[summary["sweep"] == "training"]
    assert list(training["x"]) == [60.0, 60.0]


def test_the_page_says_the_numbers(sharing, frame, tmp_path):
    text = sharing.write_results(tmp_path, frame, 60, 600.0)
    assert (
        "| share of the feeling that viewers share | 0.8 | 50.0 | 56.0" in text
    )
    assert "| as they are | 50.0 | 53.0 | 90.0 | +3.0 (+3.0 to +3.0)" in text
    # The default profile stands once, a change where its ends are known.
    assert text.count("| 50.0 | 53.0 |") == 1
    assert text.count("+5.0 (+5.0 to +5.0)") == 2
    assert "nan" not in text
    assert "10 minutes of one core" in text
    assert text in (tmp_path / "simulation.md").read_text()
    assert (tmp_path / "sharing.png").read_bytes().startswith(b"\x89PNG")
    assert "gain AUC low" in (tmp_path / "sharing.csv").read_text()
    # A change that cannot be told from none says how many films would do.
    noisy = frame.copy()
    shifts = noisy["film"].map({"BMI": -8.0, "CHI": 9.0, "CRA": 0.5})
    last = noisy["point"].str.contains("0.8")
    noisy["gain AUC"] += shifts.where(last, 0.0)
    said = sharing.change(noisy, "sharing", "AUC")
    # Changes by film: -3, 14 and 5.5 points.
    films = (2.8 * np.std([-3, 14, 5.5], ddof=1) / 5.5) ** 2
    assert said.endswith(f"; {films:.0f} films")
