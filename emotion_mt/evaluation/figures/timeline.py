"""Timeline of one film: what was felt and what was predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emotion_mt._clock import clock, round_times
from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.predictions import Predictions
from emotion_mt.evaluation.scores import DECISION_THRESHOLD

#: Most steps between the marks of the time axis.
_MARKS = 10


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
    """The prediction: probability of "positive" over each segment."""
    answered = film.dropna(subset="answer")
    middle = (answered["start_s"] + answered["end_s"]) / 2
    axes.plot(middle, answered["answer"], color=style.PALE, lw=0.8, zorder=1)
    axes.hlines(
        answered["answer"],
        answered["start_s"],
        answered["end_s"],
        color="black",
        linewidth=2,
    )
    axes.axhline(DECISION_THRESHOLD, color="black", linewidth=0.6)
    axes.set_ylim(-0.04, 1.04)


def _draw_verdict(axes: Axes, film: pd.DataFrame) -> None:
    """Whether the prediction is right: a row each, legible when dense."""
    answered = film["answer"].notna()
    rated = film["label"].notna()
    right = (film["answer"] > DECISION_THRESHOLD) == (film["label"] > 0)
    rows = [
        (name, chosen, colour)
        for name, chosen, colour in (
            ("right", answered & rated & right, style.BLUE),
            ("wrong", answered & rated & ~right, style.ORANGE),
            ("not rated", answered & ~rated, style.GREY),
        )
        if chosen.any() or name != "not rated"
    ]
    for place, (name, chosen, colour) in enumerate(rows):
        part = film[chosen]
        spans = zip(
            part["start_s"], part["end_s"] - part["start_s"], strict=True
        )
        axes.broken_barh(
            list(spans), (place - 0.4, 0.8), color=colour, label=name
        )
    axes.set_yticks(
        np.arange(len(rows)),
        [f"{name}: {chosen.sum()}" for name, chosen, _ in rows],
    )
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


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
    figure = style.new_figure(height_in=4.2)
    value, answer, verdict = figure.subplots(
        3, 1, sharex=True, height_ratios=(3, 3, 1)
    )
    _draw_value(value, film)
    _draw_answer(answer, film)
    _draw_verdict(verdict, film)
    value.set_ylabel(f"rating\n({corpus.dimension})")
    value.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    answer.set_ylabel("predicted probability\nof “positive”")
    verdict.set_ylabel("answer")
    verdict.set_xlabel("time in the film (min:s)")
    limits = film["start_s"].min(), film["end_s"].max()
    marks_s = round_times(*limits, _MARKS)
    verdict.set_xticks(marks_s, [clock(mark) for mark in marks_s])
    figure.align_ylabels()
    verdict.set_xlim(*limits)
    short = style.short_names([movie, viewer])
    style.set_title(
        figure, f"{short[1]} over film {short[0]}", corpus.simulated
    )
    return style.Drawing(
        stem="timeline",
        title="Timeline of one film",
        caption=(
            f"Film {movie}, {viewer}. Above: mean {corpus.annotation} "
            f"{corpus.dimension} of each segment. Middle: what "
            f"{predictions.name}, answered, trained without this film; above "
            "the line means “positive”. Below: whether the answer is right, "
            "with the number of segments. The film is the one whose classes "
            "are most even."
        ),
        figure=figure,
    )
