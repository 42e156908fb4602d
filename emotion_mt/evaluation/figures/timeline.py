"""Timeline of one film: what was felt and what was predicted."""

from __future__ import annotations

import pandas as pd

from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation import timeline
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.predictions import Predictions


def choose_film(
    corpus: Corpus, predictions: Predictions, viewer: str
) -> str | None:
    """Chooses the film with the most even classes among the predicted ones.

    Args:
        corpus: The corpus.
        predictions: What the models answered.
        viewer: Whose labels count.

    Returns:
        Film code; the first of equals. None if no predicted film is rated.
    """
    if viewer not in predictions.probability:
        return None
    labels = corpus.labels[:, corpus.column(viewer)]
    answered = predictions.probability[viewer].dropna().index
    known = corpus.segments["segment_id"].isin(answered).to_numpy()
    usable = known & is_rated(labels)
    shares = {
        movie: labels[rows][usable[rows]].mean()
        for movie in corpus.movies
        if usable[rows := corpus.rows([movie])].any()
    }
    if not shares:
        return None
    return min(shares, key=lambda movie: abs(shares[movie] - 0.5))


def film_table(
    corpus: Corpus, predictions: Predictions, movie: str, viewer: str
) -> pd.DataFrame:
    """Returns a film's segments as the timeline wants them.

    Args:
        corpus: The corpus.
        predictions: What the models answered.
        movie: The film.
        viewer: The viewer.

    Returns:
        start_s, end_s, text, <viewer>_probability and <viewer>_rating.
    """
    rows = corpus.rows([movie])
    film = corpus.segments.iloc[rows]
    answers = film["segment_id"].map(predictions.probability[viewer])
    return film[["start_s", "end_s", "text"]].assign(
        **{
            f"{viewer}_probability": answers,
            f"{viewer}_rating": corpus.values[rows, corpus.column(viewer)],
        }
    )


@style.styled
def draw_timeline(
    corpus: Corpus, predictions: Predictions, viewer: str
) -> style.Drawing | None:
    """Draws rating and prediction of one viewer over one film.

    Args:
        corpus: The corpus.
        predictions: What the models answered.
        viewer: Whose emotion, the average viewer's.

    Returns:
        The drawing; None if no predicted film is rated.
    """
    movie = choose_film(corpus, predictions, viewer)
    if movie is None:
        return None
    table = film_table(corpus, predictions, movie, viewer)
    table.attrs["simulated"] = corpus.simulated
    figure = timeline.draw_timeline(table)
    short = style.short_names([movie, viewer])
    style.set_title(
        figure, f"{short[1]} over film {short[0]}", corpus.simulated
    )
    return style.Drawing(
        stem="timeline",
        title="Timeline of one film",
        caption=(
            f"Film {movie}, {viewer}. Line: the probability of “positive” that "
            f"{predictions.name}, answered, trained without this film. Bars: "
            f"the mean {corpus.annotation} {corpus.dimension} of each segment, "
            "from −1 to 1, 0 in the middle. Below: whether the answer is "
            "right, with the number of segments. The film is the one whose "
            "classes are most even."
        ),
        figure=figure,
        html=timeline.render_timeline(table),
    )
