import numpy as np
import pytest

from emotion_mt.evaluation.figures.agreement import (
    draw_correlations,
    mean_correlations,
)


def pearson(a, b):
    """Pearson's correlation by its definition."""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())


def test_mean_over_films_of_correlations_of_shared_segments(made_up_run):
    corpus, _ = made_up_run(missing=0.3)
    mean, count = mean_correlations(corpus)
    values = corpus.values.astype(float)
    expected = []
    for movie in corpus.movies:
        both = values[corpus.rows([movie])][:, :2]
        both = both[~np.isnan(both).any(axis=1)]
        expected.append(pearson(both[:, 0], both[:, 1]))
    assert mean.loc["V1", "V2"] == pytest.approx(np.mean(expected))
    assert mean.loc["V2", "V1"] == mean.loc["V1", "V2"]
    np.testing.assert_allclose(np.diag(mean), 1)
    assert (count == 3).all(axis=None)


def test_films_without_a_correlation_are_left_out_and_counted(made_up_run):
    corpus, _ = made_up_run()
    values = corpus.values.copy()
    # Film A: V2 never changes. Film B: V2 rated two segments only.
    values[corpus.rows(["A"]), 1] = 0.3
    values[corpus.rows(["B"])[2:], 1] = np.nan
    corpus = corpus.replace(values=values)
    mean, count = mean_correlations(corpus)
    rows = corpus.rows(["C"])
    assert count.loc["V1", "V2"] == 1
    assert mean.loc["V1", "V2"] == pytest.approx(
        pearson(*values[rows][:, :2].T.astype(float))
    )
    assert count.loc["V1", "Vavg"] == 3
    caption = draw_correlations(corpus).caption
    # Films A and B for each of V2's pairs: with V1, Vavg and itself.
    assert "6 films × pairs of viewers are left out" in caption


def test_viewer_without_any_correlation_gets_a_dash(made_up_run):
    corpus, _ = made_up_run()
    values = corpus.values.copy()
    values[:, 0] = np.nan
    drawing = draw_correlations(corpus.replace(values=values))
    assert list(drawing.data["V1"]) == ["–", "–", "–"]
    assert drawing.data["V2"][1] == "1.00"


def test_single_viewer_has_nobody_to_agree_with(made_up_run):
    corpus, _ = made_up_run(viewers=("Expert",))
    assert draw_correlations(corpus) is None


def test_long_names_stay_legible(made_up_run, legible, long_names):
    corpus, _ = made_up_run(**long_names, missing=0.4)
    legible(draw_correlations(corpus).figure)
