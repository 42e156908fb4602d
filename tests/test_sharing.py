import dataclasses
import importlib
import json
import pathlib

import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper
from emotion_mt.corpus import Corpus, labels_from_values
from emotion_mt.corpus.simulation import SimulationConfig, simulate_state
from emotion_mt.training import TrainingConfig

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1] / "benchmarks"
SEGMENTS = 4


@pytest.fixture(scope="module")
def load():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module


@pytest.fixture(scope="module")
def sweep(load):
    return load("sharing_sweep")


@pytest.fixture(scope="module")
def page(load):
    return load("sharing_page")


@pytest.fixture(scope="module")
def resumable(load):
    return load("resumable")


@pytest.fixture(scope="module")
def films():
    return simulate_state(0, SEGMENTS, SimulationConfig())


# The films stay, the viewers change


def test_the_same_viewers_give_the_same_state(sweep, films):
    again = sweep.with_viewers(films, 0, SimulationConfig())
    for film, expected in zip(again.films, films.films, strict=True):
        np.testing.assert_array_equal(film.traces, expected.traces)


def test_sharing_changes_traces_as_a_new_corpus_would(sweep, films):
    config = SimulationConfig().with_shared_share(0.5)
    found = sweep.with_viewers(films, 0, config)
    whole = simulate_state(0, SEGMENTS, config)
    for film, expected, default in zip(
        found.films, whole.films, films.films, strict=True
    ):
        np.testing.assert_array_equal(film.traces, expected.traces)
        # What the videos and subtitles are made from does not depend on it.
        np.testing.assert_array_equal(expected.content, default.content)
        assert expected.texts == default.texts
        assert (film.traces != default.traces).any()


def test_another_seed_changes_the_viewers_only(sweep, films):
    config = SimulationConfig()
    found = sweep.with_viewers(films, 1, config)
    for film, default in zip(found.films, films.films, strict=True):
        assert film.content is default.content
        assert (film.traces != default.traces).any()


def test_rated_averages_as_the_state_does(sweep, films):
    values, ceiling = sweep.rated(0, SEGMENTS, None, 0)
    expected = np.concatenate([f.means("valence").T for f in films.films])
    np.testing.assert_array_equal(values, expected)
    assert set(ceiling) == set(paper.MOVIES)


# Missing ratings


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


def test_more_missing_ratings_include_the_fewer(sweep):
    values = np.random.default_rng(1).uniform(-1, 1, (200, 4))
    some = np.isnan(sweep.remove_ratings(values, 0.2, seed=0))
    more = np.isnan(sweep.remove_ratings(values, 0.6, seed=0))
    assert (more[:, :-1] >= some[:, :-1]).all()
    other = np.isnan(sweep.remove_ratings(values, 0.2, seed=1))
    assert (other != some).any()


def test_no_missing_ratings_change_no_viewer(sweep):
    values = np.random.default_rng(1).uniform(-1, 1, (20, 3))
    found = sweep.remove_ratings(values, 0.0, seed=0)
    np.testing.assert_array_equal(found[:, :-1], values[:, :-1])


def test_an_impossible_share_is_refused(sweep, small_corpus):
    with pytest.raises(ValueError, match=r"in \[0, 1\). Received: 1"):
        sweep.remove_ratings(np.zeros((2, 3)), 1.0, seed=0)
    split = paper.Split("F", ("A",), ("B",), ("C",))
    with pytest.raises(ValueError, match=r"in \(0, 1\]. Received: 0"):
        sweep.kept_rows(small_corpus, split, 0.0, seed=0)


# Fewer segments


@pytest.mark.parametrize(("share", "size"), [(0.01, 1), (0.5, 5), (1.0, 10)])
def test_stretches_of_training_films_only(sweep, small_corpus, share, size):
    split = paper.Split("F", ("A", "C"), ("B",), ("D",))
    rows = sweep.kept_rows(small_corpus, split, share, seed=0)
    assert (np.diff(rows) > 0).all()
    movies = small_corpus.segments["movie"].to_numpy()[rows]
    assert {m: (movies == m).sum() for m in "ABCD"} == {
        "A": size,
        "B": 10,
        "C": size,
        "D": 10,
    }
    for movie in "AC":
        kept = rows[movies == movie]
        np.testing.assert_array_equal(np.diff(kept), np.ones(size - 1))


def test_the_place_of_a_stretch_depends_on_the_seed(sweep, small_corpus):
    split = paper.Split("F", ("A", "C"), ("B",), ("D",))
    found = {
        tuple(sweep.kept_rows(small_corpus, split, 0.3, seed=seed))
        for seed in range(5)
    }
    assert len(found) > 1


# Tasks and their keys


@pytest.fixture
def material(sweep, small_corpus):
    config = TrainingConfig(modalities=("visual",), batch_size=4)
    features = np.zeros((40, 1024), np.float32)
    return sweep.Material(small_corpus, features, 0, 10, config)


def test_points_that_are_in_all_sweeps_are_fitted_once(sweep, material):
    settings = [s for points in sweep.SWEEPS.values() for s in points]
    tasks = sweep.list_tasks(material, (0, 1), settings)
    # Four films, hence four folds; the default is in each of three sweeps.
    assert len(tasks) == 2 * 4 * (len(settings) - 2)
    assert [task.seed for task in tasks.values()] == sorted(
        task.seed for task in tasks.values()
    )


def test_keys_depend_on_what_decides_the_results(sweep, material):
    def key(material):
        return set(sweep.list_tasks(material, (0,), [sweep.Setting()]))

    config = dataclasses.replace(material.config, patience=3)
    others = [
        dataclasses.replace(material, config=config),
        dataclasses.replace(material, features=material.features + 1),
        dataclasses.replace(material, film_seed=1),
    ]
    assert key(material) == key(dataclasses.replace(material))
    assert not any(key(material) & key(other) for other in others)


def test_the_estimate_grows_with_the_work(sweep, material):
    def seconds(*settings):
        tasks = sweep.list_tasks(material, (0,), settings)
        return sweep.estimate_s(material, list(tasks.values()))

    whole = seconds(sweep.Setting())
    assert seconds() == 0 < seconds(sweep.Setting(training=0.5)) < whole
    assert seconds(sweep.Setting(missing=0.5)) < whole


# Bands


def test_bands_are_those_of_a_plain_bootstrap(page):
    differences = np.random.default_rng(2).normal(1.0, 2.0, (3, 7))
    rng = np.random.default_rng(5)
    means = []
    for _ in range(4000):
        rows = rng.choice(3, 3)
        columns = rng.choice(7, 7)
        means.append(differences[np.ix_(rows, columns)].mean())
    expected = np.percentile(means, [2.5, 97.5])
    np.testing.assert_allclose(page.band(differences), expected, atol=0.1)


def test_bands_of_one_seed_and_of_one_film(page):
    low, high = page.band(np.array([[1.0, 3.0, 5.0]]))
    assert low == 1.0
    assert high == 5.0
    assert np.isnan(page.band(np.array([[1.0], [2.0]]))).all()
    assert page.band(np.full((2, 3), 0.25)) == (0.25, 0.25)


# From results to the page


def make_result(sweep, setting, seed, film, gain):
    """ST is right half of the time, MT by `gain` more; Vavg by twice that."""
    scores = {
        name: {
            viewer: {"accuracy": 0.5 + more, "balanced_accuracy": None}
            for viewer, more in {
                "V1": part,
                "V2": part,
                "Vavg": 2 * part,
            }.items()
        }
        for name, part in {"ST": 0.0, "MT": gain}.items()
    }
    return {
        "key": f"{setting}{seed}{film}",
        **dataclasses.asdict(sweep.Task(setting, seed, 0)),
        "film": film,
        "ceiling": dict.fromkeys(("V1", "V2", "Vavg"), 0.9),
        "scores": scores,
        "cpu_s": 1.0,
    }


@pytest.fixture
def frame(sweep):
    results = [
        make_result(sweep, setting, seed, film, gain)
        for setting, gain in (
            (sweep.Setting(), 0.03),
            (sweep.Setting(sharing=0.0), 0.01),
            (sweep.Setting(sharing=0.8), 0.06),
        )
        for seed in (0, 1)
        for film in ("BMI", "CHI", "CRA")
    ]
    # The third seed was stopped before its last film.
    results += [
        make_result(sweep, sweep.Setting(), 2, film, 0.4)
        for film in ("BMI", "CHI")
    ]
    return sweep.as_frame(json.loads(json.dumps(results)))


def test_points_are_summed_up_over_whole_seeds(page, frame):
    summary = page.summarize(frame)
    found = summary[summary["sweep"] == "sharing"].set_index(
        ["sharing", "group"]
    )
    assert found["seeds"].unique() == 2
    assert found["films"].unique() == 3
    assert found.loc[(0.8, "viewers"), "gain"] == pytest.approx(6)
    assert found.loc[(0.8, "average"), "gain_low"] == pytest.approx(12)
    assert found.loc[(0.0, "viewers"), "ST"] == pytest.approx(50)
    assert found.loc[(0.0, "viewers"), "ceiling"] == pytest.approx(90)
    assert np.isnan(found.loc[(0.0, "viewers"), "gain_balanced"])
    # Points that were not run are not there, the default is in each sweep.
    assert set(found.index.get_level_values("sharing")[:4]) == {0.0, 0.8}
    assert (summary["sweep"] == "missing").sum() == 2


def test_changes_are_between_the_same_seeds_and_films(page, sweep, frame):
    first, last = sweep.Setting(sharing=0.0), sweep.Setting(sharing=0.8)
    found = page.change(frame, first, last, "viewers")
    assert found == pytest.approx((5, 5, 5))
    absent = sweep.Setting(missing=0.25)
    assert page.change(frame, first, absent, "viewers") is None


def test_the_page_says_the_numbers(page, frame):
    text = page.to_markdown(frame, page.summarize(frame), 60)
    line = "| 0.8 | mean of the viewers | 50.0 | 56.0 | 90.0 | +6.0 (+6.0 to"
    assert line in text
    assert "From 0 to 0.8, MT − ST changes by +5.0 points" in text
    assert "| default profile | Vavg | 50.0 | 56.0 |" in text
    assert "| nan" not in text


def test_the_figure_shows_all_sweeps(page, frame):
    figure = page.draw(page.summarize(frame), 60)
    assert len(figure.axes) == 6
    lines = {line.get_label(): line for line in figure.axes[3].lines}
    line = lines["MT − ST, mean of the viewers"]
    np.testing.assert_allclose(line.get_xdata(), [0.0, 0.8])
    np.testing.assert_allclose(line.get_ydata(), [1.0, 6.0])


# Results that are kept


def test_resuming_skips_finished_work(resumable, tmp_path):
    path = tmp_path / "out" / "results.jsonl"
    resumable.append_result(path, {"key": "a", "product": "kept"})
    with path.open("a") as file:
        file.write('{"key": "b", "pro')  # the run was killed here
    assert list(resumable.read_results(path)) == ["a"]
    results = resumable.run(
        _product, {"a": 2, "b": 3, "c": 4}, path, 10, workers=1, title="Test"
    )
    assert [r["product"] for r in results] == ["kept", 30, 40]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["key"] for line in lines} == {"a", "b", "c"}
    assert len(lines) == 3
    # Everything is there: nothing is called, not even a process started.
    again = resumable.run(None, {"c": 4}, path, None, workers=1, title="Test")
    assert again[0]["product"] == 40


def _product(shared, task):
    return {"product": shared * task}


def test_a_line_that_is_no_result_is_named(resumable, tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"key": "a"}\nnonsense\n')
    with pytest.raises(ValueError, match=r"line 2: .*Received: 'nonsense'"):
        resumable.read_results(path)


def test_at_least_one_worker(resumable, tmp_path):
    with pytest.raises(ValueError, match=r"`workers` .* Received: 0"):
        resumable.run(None, {}, tmp_path / "r", None, workers=0, title="Test")


# One task


def test_a_task_hides_ratings_from_the_models_but_not_from_the_score(
    sweep, monkeypatch
):
    values, _ = sweep.rated(0, SEGMENTS, None, 0)
    counts = [f.timeline.rated for f in _films(sweep)]
    movies = np.repeat(paper.MOVIES, counts)
    corpus = Corpus(
        name="simulated",
        segments=pd.DataFrame(
            {
                "segment_id": [str(i) for i in range(len(movies))],
                "movie": movies,
                "start_s": np.arange(len(movies), dtype=float),
                "end_s": np.arange(len(movies)) + 0.5,
                "text": "",
                "video": None,
            }
        ),
        viewers=paper.ALL_VIEWERS,
        values=values.astype(np.float32),
    )
    seen = []

    def fake_fit(corpus, features, truth, split, config, seed):
        seen.append((corpus, features, truth))
        return {}

    monkeypatch.setattr(sweep, "fit_both", fake_fit)
    features = np.arange(len(movies), dtype=np.float32)[:, None]
    material = sweep.Material(corpus, features, 0, SEGMENTS, TrainingConfig())
    setting = sweep.Setting(training=0.5, missing=0.4)
    result = sweep.run_task(material, sweep.Task(setting, 0, 0))
    ((found, given, truth),) = seen
    assert result["film"] == paper.FOLDS[0].test[0]
    assert result["training_segments"] == len(found.rows(paper.FOLDS[0].train))
    assert len(found) < len(corpus)
    assert np.isnan(found.labels).any()
    rows = given[:, 0].astype(int)
    np.testing.assert_array_equal(truth, labels_from_values(values[rows]))
    np.testing.assert_array_equal(found.segments["movie"], movies[rows])


def _films(sweep):
    return sweep._films(0, SEGMENTS).films


# How hard the corpus is for the networks


@pytest.fixture(scope="module")
def difficulty(load):
    return load("difficulty")


def make_scores(accuracies):
    """Two films and viewers; MT is 4 points better than ST."""
    return pd.DataFrame(
        {
            "modalities": modalities,
            "architecture": architecture,
            "test": film,
            "viewer": viewer,
            "seed": 0,
            "accuracy": accuracy
            + {"ST": -0.02, "MT": 0.02}[architecture]
            + {"BMI": -0.01, "CHI": 0.01}[film]
            + {"V1": -0.03, "Vavg": 0.03}[viewer],
            "balanced_accuracy": 0.5 if film == "BMI" else np.nan,
            "ceiling": 0.9,
        }
        for modalities, accuracy in accuracies.items()
        for architecture in ("MT", "ST")
        for film in ("BMI", "CHI")
        for viewer in ("V1", "Vavg")
    )


def test_difficulty_averages_films_and_viewers(difficulty):
    scores = make_scores({"text+visual": 0.7, "visual": 0.68, "text": 0.6})
    table = difficulty.held_out_films(scores)
    found = table.set_index(["modalities", "architecture"])
    assert list(found.index) == [
        (modalities, architecture)
        for modalities in ("text", "visual", "text+visual")
        for architecture in ("ST", "MT")
    ]
    assert found.loc[("text", "ST"), "mean"] == pytest.approx(58)
    assert found.loc[("text", "MT"), "Vavg"] == pytest.approx(65)
    assert found.loc[("visual", "MT"), "balanced"] == pytest.approx(50)
    assert found["films"].unique() == 2
    said = [difficulty.verdict(row, table) for _, row in table.iterrows()]
    assert said == ["yes"] * 6


def test_difficulty_says_which_target_is_missed(difficulty):
    scores = make_scores({"text": 0.5, "visual": 0.75, "text+visual": 0.74})
    table = difficulty.held_out_films(scores)
    said = [difficulty.verdict(row, table) for _, row in table.iterrows()]
    assert said == [
        "no: below",
        "no: below",
        "no: above",
        "no: above",
        "no: not highest",
        "no: not highest",
    ]
    table["ceiling"] = 50.0
    assert difficulty.verdict(table.iloc[-1], table).endswith("the ceiling")
    text = difficulty.to_markdown(table, None)
    assert "| text | ST | 55 to 62 | 48.0 | no: below | 51.0 |" in text


def test_both_inputs_need_both_single_ones_for_a_verdict(difficulty):
    table = difficulty.held_out_films(make_scores({"text+visual": 0.6}))
    assert difficulty.verdict(table.iloc[0], table) == "–"


def test_known_parts_are_consecutive_fifths_of_every_film(
    difficulty, small_corpus
):
    features = np.arange(40, dtype=np.float32)[:, None]
    found, ordered, movies = difficulty.in_blocks(small_corpus, features)
    assert found.movies == tuple(f"part {n}" for n in range(1, 6))
    old = ordered[:, 0].astype(int)
    np.testing.assert_array_equal(found.values, small_corpus.values[old])
    np.testing.assert_array_equal(
        found.segments["segment_id"],
        small_corpus.segments["segment_id"].to_numpy()[old],
    )
    part = old[found.rows(("part 2",))]
    np.testing.assert_array_equal(part, [2, 3, 12, 13, 22, 23, 32, 33])
    assert set(movies[found.rows(("part 5",))]) == set("ABCD")


def test_a_run_without_suitable_jobs_is_refused(difficulty, tmp_path):
    with pytest.raises(ValueError, match=r"jobs: .*Received 0 other jobs"):
        difficulty.read_scores(tmp_path)
