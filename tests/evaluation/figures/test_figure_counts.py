import numpy as np
import pytest

from emotion_mt.evaluation.figures.counts import draw_counts


def bars(axes):
    """Heights of the bars by their label."""
    return {
        container.get_label(): [bar.get_height() for bar in container]
        for container in axes.containers
    }


def test_bars_are_the_counts_of_the_labels(made_up_run):
    corpus, _ = made_up_run(missing=0.3)
    axes = draw_counts(corpus).figure.axes
    titles = [a.get_title() for a in axes if a.axison]
    assert titles == ["V1", "V2", "Vavg"]
    for column, panel in enumerate(axes[:3]):
        found = bars(panel)
        for number, movie in enumerate(corpus.movies):
            values = corpus.values[corpus.rows([movie]), column]
            assert found["positive"][number] == (values > 0).sum()
            assert found["negative"][number] == (values <= 0).sum()
            assert found["not rated"][number] == np.isnan(values).sum()


def test_bars_of_missing_ratings_only_where_some_are_missing(made_up_run):
    corpus, _ = made_up_run()
    drawing = draw_counts(corpus)
    assert set(bars(drawing.figure.axes[0])) == {"positive", "negative"}
    assert "not rated" not in drawing.caption


@pytest.mark.parametrize("viewers", [1, 2, 8])
def test_papers_films_stay_legible(made_up_run, legible, viewers):
    names = tuple(f"V{i}" for i in range(1, viewers + 1))
    movies = ("BMI", "CHI", "CRA", "DEP", "FNE", "GLA", "LOR")
    corpus, _ = made_up_run(viewers=names, movies=movies)
    legible(draw_counts(corpus).figure)


def test_long_names_stay_legible(made_up_run, legible, long_names):
    corpus, _ = made_up_run(**long_names, missing=0.4)
    legible(draw_counts(corpus).figure)


def test_thirty_films_stay_legible(made_up_run, legible):
    movies = tuple(f"film {i}" for i in range(30))
    corpus, _ = made_up_run(movies=movies, size=3)
    legible(draw_counts(corpus).figure)
