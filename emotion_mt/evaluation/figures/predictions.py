"""What was predicted for single films, and the timeline of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation import timeline
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.records import as_frame

#: The films of the paper's Fig. 5; other corpora show their first films.
PAPER_FILMS = ("LOR", "CRA", "FNE", "CHI")


class Predictions(NamedTuple):
    """What one kind of model answered on films it had not seen.

    Attributes:
        name: Models, their input and seed, as captions call them.
        probability: DataFrame, index segment_id, columns viewers:
            probability of "positive" in [0, 1], NaN where there is none.
    """

    name: str
    probability: pd.DataFrame


def choose_predictions(
    records: Sequence[Mapping[str, Any]],
) -> Predictions | None:
    """Collects the predictions of the best-informed kind of model.

    That is MT on both modalities where there is one, as in the paper's
    Fig. 5. Of several fits of a film, it is the one with the lowest seed,
    then of the split that tests on fewer films: a film of the Baseline split
    is a test film of a fold too. None without records.
    """
    if not records:
        return None
    kinds = as_frame(records).groupby(["architecture", "modalities"])

    def place(kind: Any) -> tuple[bool, bool, int, str]:
        model, inputs = kind
        above = model != MULTI_TASK, model != SINGLE_TASK
        return *above, -inputs.count("+"), inputs

    kind: Any = min(kinds.groups, key=place)
    own = kinds.get_group(kind)
    own = own.assign(films=own["test"].str.count(r"\+"))
    own = own.sort_values(["seed", "films", "fold"], kind="stable")
    first = own.drop_duplicates(["segment_id", "viewer"])
    inputs = kind[1].replace("+", " and ")
    return Predictions(
        f"{kind[0]} on {inputs}, seed {own['seed'].min()}",
        first.pivot(index="segment_id", columns="viewer", values="probability"),
    )


def choose_films(corpus: Corpus, predictions: Predictions) -> tuple[str, ...]:
    """Returns the films to show: the paper's where they are predicted."""
    known = corpus.segments["segment_id"].isin(predictions.probability.index)
    predicted = set(corpus.segments["movie"][known])
    if predicted.issuperset(PAPER_FILMS):
        return PAPER_FILMS
    films = [movie for movie in corpus.movies if movie in predicted]
    return tuple(films[: len(PAPER_FILMS)])


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
