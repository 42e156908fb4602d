"""Who is left out is left out, and the page's numbers are what they say."""

import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper


@pytest.fixture(scope="module")
def benchmark(load):
    return load("new_viewer")


@pytest.fixture(scope="module")
def scoring(load):
    return load("new_viewer_scores")


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    made = {"viewers": np.array(["V1", "V2", "Vavg"])}
    for part, size in (("train", 80), ("validation", 20), ("test", 60)):
        made[f"{part}_known"] = rng.random((size, 3)).astype("float32")
        made[f"{part}_trunk"] = rng.normal(size=(size, 7)).astype("float32")
        made[f"{part}_labels"] = rng.integers(0, 2, size).astype("float32")
        made[f"{part}_movies"] = np.repeat(["A", "B"], size // 2)
    made["train_labels"][::5] = np.nan
    shape = (len(made["test_known"]),)
    made["tuned"] = rng.random((5, 3, *shape)).astype("float32")
    return made


def test_nothing_of_a_viewer_who_is_left_out_remains(benchmark, small_corpus):
    known = benchmark.without(small_corpus, "V1")
    assert known.viewers == ("V2", paper.AVERAGE)
    second = small_corpus.values[:, 1]
    np.testing.assert_allclose(known.values.T, [second, second], atol=1e-5)


def test_each_film_is_held_out_once(benchmark):
    movies = tuple("ABCDEFGH")
    splits = list(benchmark.splits(movies))
    assert sorted(x for split in splits for x in split.test) == list(movies)
    for split in splits:
        parts = (*split.train, *split.validation, *split.test)
        assert sorted(parts) == list(movies)


def test_ratings_are_drawn_in_turns_over_the_films(scoring, case):
    rows = scoring.choose(case, 10, 0)
    assert not np.isnan(case["train_labels"][rows]).any()
    _, counts = np.unique(case["train_movies"][rows], return_counts=True)
    assert list(counts) == [5, 5]
    more = scoring.choose(case, 20, 0)
    np.testing.assert_array_equal(more[:10], rows)
    assert not np.array_equal(scoring.choose(case, 10, 1), rows)


def test_the_package_is_one_of_the_methods_that_are_alike(scoring, case):
    rows = scoring.choose(case, 20, 0)
    np.testing.assert_allclose(
        scoring.regress(case, rows), scoring.ours(case, rows), atol=1e-3
    )


def test_scores_are_those_of_scikit_learn(scoring, case):
    metrics = pytest.importorskip("sklearn.metrics")
    labels, answers = case["test_labels"], case["test_known"][:, 0]
    found = scoring.scores(labels, answers)
    expected = {
        "balanced accuracy": 100
        * metrics.balanced_accuracy_score(labels, answers > 0.5),
        "AUC": 100 * metrics.roc_auc_score(labels, answers),
        "log-loss": metrics.log_loss(
            labels, np.clip(answers.astype("f8"), 1e-4, 1 - 1e-4)
        ),
    }
    assert found == pytest.approx(expected)


def test_gains_are_of_the_same_viewers(scoring):
    rows = []
    for viewer, average, gain in (("a", 50.0, 2.0), ("b", 60.0, 4.0)):
        where = {"corpus": "x", "viewer": viewer, "part": "P1", "s": 0.001}
        for method, count, more in (
            (scoring.AVERAGE, 0, 0.0),
            (scoring.OURS, 5, gain),
        ):
            measured = dict.fromkeys(scoring.MEASURES, average + more)
            rows.append({**where, "method": method, "count": count, **measured})
    frame = pd.DataFrame(rows)
    numbers = scoring.summarize(frame)
    ours = numbers[numbers["method"] == scoring.OURS].iloc[0]
    assert ours["gain"] == pytest.approx(3.0)
    assert ours["gain_se"] == pytest.approx(1.0)
    assert ours["mean"] == pytest.approx(58.0)
    assert "58.0 ± 6.0" in scoring.to_markdown(frame, numbers)
    scoring.draw(numbers)
