"""Timeline of one film: what was felt and what was predicted."""

from __future__ import annotations

from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation import timeline
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.predictions import Predictions


def choose_film(
    corpus: Corpus, predictions: Predictions, viewer: str
) -> str | None:
    """Chooses the predicted film in which a viewer's classes are most even.

    Of equals it is the first; None if no predicted film is rated.
    """
    if viewer not in predictions.probability:
        return None
    labels = corpus.labels[:, corpus.column(viewer)]
    answered = predictions.probability[viewer].dropna().index
    known = corpus.segments["segment_id"].isin(answered).to_numpy()
    usable = known & is_rated(labels)
    uneven = {
        movie: abs(labels[rows][usable[rows]].mean() - 0.5)
        for movie in corpus.movies
        if usable[rows := corpus.rows([movie])].any()
    }
    return min(uneven, key=lambda movie: uneven[movie], default=None)


@style.styled
def draw_timeline(
    corpus: Corpus, predictions: Predictions, viewer: str
) -> style.Drawing | None:
    """Draws rating and prediction of a viewer over a film, if one is rated."""
    movie = choose_film(corpus, predictions, viewer)
    if movie is None:
        return None
    rows = corpus.rows([movie])
    film = corpus.segments.iloc[rows]
    answers = film["segment_id"].map(predictions.probability[viewer])
    table = film[["start_s", "end_s", "text"]].assign(
        **{
            f"{viewer}_probability": answers,
            f"{viewer}_rating": corpus.values[rows, corpus.column(viewer)],
        }
    )
    table.attrs["simulated"] = corpus.simulated
    figure = timeline.draw_timeline(table)
    short = style.short_names([movie, viewer])
    title = f"{short[1]} over film {short[0]}"
    style.set_title(figure, title, corpus.simulated)
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
