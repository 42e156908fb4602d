import numpy as np

from emotion_mt.evaluation.figures import choose_predictions, draw_timeline
from emotion_mt.evaluation.figures.timeline import choose_film


def test_film_with_the_most_even_classes_is_chosen(made_up_run):
    corpus, records = made_up_run()
    values = corpus.values.copy()
    values[:, 2] = 0.5
    even = corpus.rows(["B"])
    values[even[::2], 2] = -0.5
    corpus = corpus.replace(values=values)
    predictions = choose_predictions(records)
    assert choose_film(corpus, predictions, "Vavg") == "B"
    only_a = [r for r in records if r["movie"][0] == "A"]
    assert choose_film(corpus, choose_predictions(only_a), "Vavg") == "A"


def test_no_rating_no_timeline(made_up_run):
    corpus, records = made_up_run()
    values = corpus.values.copy()
    values[:, 2] = np.nan
    corpus = corpus.replace(values=values)
    predictions = choose_predictions(records)
    assert draw_timeline(corpus, predictions, "Vavg") is None
    assert choose_film(corpus, predictions, "nobody") is None


def test_right_and_wrong_answers_are_told_apart(made_up_run):
    corpus, records = made_up_run()
    values = corpus.values.copy()
    values[::5, 2] = np.nan
    corpus = corpus.replace(values=values)
    predictions = choose_predictions(records)
    movie = choose_film(corpus, predictions, "Vavg")
    rows = corpus.rows([movie])
    truth = corpus.labels[rows, 2]
    ids = corpus.segments["segment_id"].iloc[rows]
    answer = predictions.probability.loc[ids, "Vavg"].to_numpy()
    rated = ~np.isnan(truth)
    right = (answer > 0.5) == (truth > 0)
    *_, verdict = draw_timeline(corpus, predictions, "Vavg").figure.axes
    found = {c.get_label(): len(c.get_paths()) for c in verdict.collections}
    expected = {
        "right": (rated & right).sum(),
        "wrong": (rated & ~right).sum(),
        "not rated": (~rated).sum(),
    }
    assert found == expected
    labels = [t.get_text() for t in verdict.get_yticklabels()]
    assert labels == [f"{name}: {n}" for name, n in expected.items()]


def test_lines_are_the_predicted_probabilities(made_up_run):
    corpus, records = made_up_run()
    predictions = choose_predictions(records)
    movie = choose_film(corpus, predictions, "Vavg")
    ids = corpus.segments["segment_id"].iloc[corpus.rows([movie])]
    _, answer, _ = draw_timeline(corpus, predictions, "Vavg").figure.axes
    (spans,) = answer.collections
    np.testing.assert_allclose(
        [segment[0, 1] for segment in spans.get_segments()],
        predictions.probability.loc[ids, "Vavg"],
    )


def test_bars_are_the_values_of_the_corpus(made_up_run):
    corpus, records = made_up_run()
    predictions = choose_predictions(records)
    movie = choose_film(corpus, predictions, "Vavg")
    values = corpus.values[corpus.rows([movie]), 2]
    above, *_ = draw_timeline(corpus, predictions, "Vavg").figure.axes
    heights = [b.get_height() for c in above.containers for b in c]
    np.testing.assert_allclose(sorted(heights), sorted(values))


def test_long_names_stay_legible(made_up_run, legible, long_names):
    corpus, records = made_up_run(**long_names)
    predictions = choose_predictions(records)
    legible(draw_timeline(corpus, predictions, "Vavg").figure)
