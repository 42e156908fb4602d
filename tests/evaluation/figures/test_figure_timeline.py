import numpy as np
import pytest

from emotion_mt.evaluation.figures import choose_predictions, draw_timeline
from emotion_mt.evaluation.figures.timeline import choose_film


@pytest.fixture
def run(made_up_run):
    """A corpus whose film B has even classes and gaps, and predictions."""
    corpus, records = made_up_run()
    values = corpus.values.copy()
    values[:, 2] = 0.5
    rows = corpus.rows(["B"])
    values[rows[::2], 2] = -0.5
    values[rows[::5], 2] = np.nan
    return corpus.replace(values=values), records


def test_film_with_the_most_even_classes_is_chosen(run):
    corpus, records = run
    predictions = choose_predictions(records)
    assert choose_film(corpus, predictions, "Vavg") == "B"
    only_a = [r for r in records if r["movie"][0] == "A"]
    assert choose_film(corpus, choose_predictions(only_a), "Vavg") == "A"
    assert choose_film(corpus, predictions, "nobody") is None


def test_no_rating_no_timeline(run):
    corpus, records = run
    values = corpus.values.copy()
    values[:, 2] = np.nan
    corpus = corpus.replace(values=values)
    predictions = choose_predictions(records)
    assert draw_timeline(corpus, predictions, "Vavg") is None


def test_shows_what_was_rated_and_predicted(run):
    corpus, records = run
    predictions = choose_predictions(records)
    drawing = draw_timeline(corpus, predictions, "Vavg")
    rows = corpus.rows(["B"])
    ids = corpus.segments["segment_id"].iloc[rows]
    answer = predictions.probability.loc[ids, "Vavg"].to_numpy()
    truth = corpus.labels[rows, 2]
    rated = ~np.isnan(truth)
    right = (answer > 0.5) == (truth > 0)
    # The figure for print, and the page's timeline, say the same.
    (axes,) = drawing.figure.axes
    np.testing.assert_array_equal(
        axes.get_lines()[1].get_ydata(), answer.repeat(2)
    )
    heights = [b.get_height() for c in axes.containers for b in c]
    np.testing.assert_allclose(
        sorted(heights), sorted(corpus.values[rows, 2][rated] / 2)
    )
    (legend,) = drawing.figure.legends
    shown = {text.get_text() for text in legend.get_texts()}
    for name, chosen in (
        ("right", rated & right),
        ("wrong", rated & ~right),
        ("not rated", ~rated),
    ):
        assert f"{name}: {chosen.sum()}" in shown
        assert f"{name}: {chosen.sum()}" in drawing.html
    assert drawing.html.count("<tr data-start") == len(rows)
    assert "SIMULATED DATA" in drawing.html
    assert drawing.figure.get_suptitle().startswith("SIMULATED DATA")


def test_long_names_stay_legible(made_up_run, legible, long_names):
    corpus, records = made_up_run(**long_names)
    predictions = choose_predictions(records)
    legible(draw_timeline(corpus, predictions, "Vavg").figure)
