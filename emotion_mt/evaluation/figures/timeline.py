"""Timeline of one film: what was felt and what was predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.predictions import Predictions
from emotion_mt.evaluation.scores import DECISION_THRESHOLD


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


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, "12:05"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _film(
    corpus: Corpus, predictions: Predictions, movie: str, viewer: str
) -> pd.DataFrame:
    """Segments of the film: start_s, end_s, value, label, answer."""
    rows = corpus.rows([movie])
    film = corpus.segments.iloc[rows][["segment_id", "start_s", "end_s"]]
    column = corpus.column(viewer)
    return film.assign(
        value=corpus.values[rows, column].astype(float),
        label=corpus.labels[rows, column],
        answer=film["segment_id"].map(predictions.probability[viewer]),
    )


def _draw_value(axes: Axes, film: pd.DataFrame) -> None:
    """The rating: mean of each segment."""
    for positive, colour, label in (
        (1.0, style.BLUE, "rated positive"),
        (0.0, style.ORANGE, "rated negative"),
    ):
        part = film[film["label"] == positive]
        axes.bar(
            part["start_s"],
            part["value"],
            part["end_s"] - part["start_s"],
            align="edge",
            color=colour,
            hatch=None if positive else "////",
            edgecolor=colour if positive else "white",
            linewidth=0.6 if positive else 0.0,
            label=label,
        )
    axes.axhline(0, color="black", linewidth=0.6)
    reach = 1.1 * float(np.nanmax(film["value"].abs(), initial=0.1))
    axes.set_ylim(-reach, reach)


def _draw_answer(axes: Axes, film: pd.DataFrame) -> None:
    """The prediction: probability of "positive", right or wrong."""
    answered = film.dropna(subset="answer")
    middle = (answered["start_s"] + answered["end_s"]) / 2
    axes.plot(middle, answered["answer"], color=style.PALE, lw=0.8, zorder=1)
    rated = answered["label"].notna()
    right = (answered["answer"] > DECISION_THRESHOLD) == (answered["label"] > 0)
    for chosen, colour, marker, label in (
        (rated & right, style.BLUE, "o", "answer is right"),
        (rated & ~right, style.ORANGE, "X", "answer is wrong"),
        (~rated, "white", "o", "not rated"),
    ):
        if chosen.any():
            axes.scatter(
                middle[chosen],
                answered["answer"][chosen],
                s=22,
                color=colour,
                marker=marker,
                label=label,
                linewidths=0.4,
                edgecolor=style.GREY if colour == "white" else "white",
                zorder=3,
            )
    axes.axhline(DECISION_THRESHOLD, color="black", linewidth=0.6)
    axes.set_ylim(-0.04, 1.04)


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
    film = _film(corpus, predictions, movie, viewer)
    figure = style.new_figure(height_in=3.6)
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_value(above, film)
    _draw_answer(below, film)
    above.set_ylabel(f"rating\n({corpus.dimension})")
    below.set_ylabel("predicted probability\nof “positive”")
    below.set_xlabel("time in the film (min:s)")
    below.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 3, 5, 6, 10]))
    below.xaxis.set_major_formatter(FuncFormatter(lambda s, _: clock(s)))
    below.set_xlim(film["start_s"].min(), film["end_s"].max())
    figure.legend(loc="outside lower center", ncols=6)
    short = style.short_names([movie, viewer])
    style.set_title(
        figure, f"{short[1]} over film {short[0]}", corpus.simulated
    )
    return style.Drawing(
        stem="timeline",
        title="Timeline of one film",
        caption=(
            f"Film {movie}, {viewer}. Above: mean {corpus.annotation} "
            f"{corpus.dimension} of each segment. Below: what "
            f"{predictions.name}, answered, trained without this film. The "
            "film is the one whose classes are most even."
        ),
        figure=figure,
    )
