"""Figures of single films: Figure 5, and the timeline of one of them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from emotion_mt._clock import clock
from emotion_mt.corpus import Corpus, is_rated
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.frames import read_frames
from emotion_mt.evaluation.jobs import MULTI_TASK, SINGLE_TASK
from emotion_mt.evaluation.records import as_frame
from emotion_mt.evaluation.scores import DECISION_THRESHOLD
from emotion_mt.evaluation.timeline.page import render_timeline
from emotion_mt.evaluation.timeline.picture import draw_timeline

#: The films of the paper's Fig. 5; other corpora show their first films.
PAPER_FILMS = ("LOR", "CRA", "FNE", "CHI")

#: Segments per film that are shown.
SEGMENTS = 5

#: Stands beside predictions that are right, and wrong; and for none.
RIGHT, WRONG, MISSING = "✓", "✗", "–"

#: Stands in place of a frame.
NO_VIDEO = "no video"

#: Colours of a cell and its letters, by the mark at its end.
_TINTS = {RIGHT: "#CFE4F2", WRONG: "#F9D9C4"}
_INKS = {RIGHT: "#00456C", WRONG: "#8A3B00"}

#: Lines of a subtitle.
_LINES = 7


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


def choose_segments(
    corpus: Corpus, predictions: Predictions, movie: str
) -> np.ndarray:
    """Chooses rows evenly over a film, whatever was predicted for them.

    They are at most `SEGMENTS` of the film's predicted segments; of those with
    a subtitle where there are enough of them.
    """
    rows = corpus.rows([movie])
    segments = corpus.segments.iloc[rows]
    known = segments["segment_id"].isin(predictions.probability.index)
    spoken = known & (segments["text"].str.strip() != "")
    chosen = spoken if spoken.sum() >= SEGMENTS else known
    candidates = rows[chosen.to_numpy()]
    count = min(SEGMENTS, candidates.size)
    places = (np.arange(count) + 0.5) / max(count, 1) * candidates.size
    return candidates[places.astype(int)]


def describe_segments(
    corpus: Corpus, predictions: Predictions, rows: np.ndarray
) -> pd.DataFrame:
    """Returns what Figure 5 shows of some rows of the corpus, as texts.

    That is segment (its name), start (min:s), subtitle, and for each viewer
    "truth / prediction", "Pos / Neg ✗" for example; a dash stands for none.
    """
    segments = corpus.segments.iloc[rows]
    answers = predictions.probability.reindex(
        index=segments["segment_id"], columns=list(corpus.viewers)
    ).to_numpy(dtype=float)
    pairs = np.stack([corpus.labels[rows], answers])
    words = np.where(pairs > DECISION_THRESHOLD, "Pos", "Neg")
    truth, said = np.where(np.isnan(pairs), MISSING, words).astype(object)
    marks = np.where(truth == said, f" {RIGHT}", f" {WRONG}").astype(object)
    marks[np.isnan(pairs).any(axis=0)] = ""
    cells = truth + " / " + said + marks
    return pd.DataFrame(
        {
            "segment": segments["segment_id"].tolist(),
            "start": [clock(round(start)) for start in segments["start_s"]],
            "subtitle": segments["text"].tolist(),
        }
    ).join(pd.DataFrame(cells, columns=list(corpus.viewers)))


def _frames(segments: pd.DataFrame) -> list[np.ndarray | None]:
    """The middle frame of each segment, None where there is no video."""
    middles = (segments["start_s"] + segments["end_s"]) / 2
    frames: dict[object, np.ndarray | None] = {}
    for path, times in middles.groupby(segments["video"]):
        found = read_frames(str(path), times)
        frames |= dict(zip(times.index, found, strict=True))
    return [frames.get(row) for row in segments.index]


def _draw_frame(axes: Axes, frame: np.ndarray | None, time: str) -> None:
    """A frame, or a grey box, below the time in the film."""
    if frame is not None:
        axes.imshow(frame)
    else:
        axes.set_facecolor(style.PALE)
        where = axes.transAxes
        axes.text(0.5, 0.5, NO_VIDEO, ha="center", va="center", transform=where)
    axes.set_title(time, loc="left", fontsize=style.SMALL_PT, color=style.GREY)


def _draw_cells(axes: Axes, cells: Sequence[str], text: str) -> None:
    """Truth and prediction, a row per viewer, below the subtitle."""
    places = np.arange(len(cells))
    tints = [_TINTS.get(cell[-1], "white") for cell in cells]
    axes.barh(places, 1.0, 0.9, color=tints)
    for place, cell in enumerate(cells):
        axes.text(
            0.5,
            place,
            cell,
            ha="center",
            va="center",
            fontsize=style.SMALL_PT,
            color=_INKS.get(cell[-1], "black"),
        )
    axes.set(xlim=(0, 1), ylim=(len(cells) - 0.5, -0.5))
    axes.xaxis.set_label_position("top")
    small = style.SMALL_PT
    axes.set_xlabel("truth / pred.", color=style.GREY, fontsize=small)
    axes.set_title(text, loc="left", fontsize=small)


@style.styled
def draw_strip(
    corpus: Corpus, predictions: Predictions, movie: str, stem: str = "figure5"
) -> style.Drawing:
    """Draws one film's strip of Figure 5, to be saved as `stem`."""
    rows = choose_segments(corpus, predictions, movie)
    shown = describe_segments(corpus, predictions, rows)
    frames = _frames(corpus.segments.iloc[rows])
    names = style.short_names(corpus.viewers, 16)
    names_in = 0.09 * max(map(len, names))
    column_in = (style.WIDTH_IN - names_in) / SEGMENTS - 0.08
    wrap = textwrap.TextWrapper(
        int(column_in / style.LETTER_IN), max_lines=_LINES, placeholder="…"
    ).wrap
    texts = [wrap(style.printable(text)) for text in shown["subtitle"]]
    lines = max(map(len, texts), default=0)
    shapes = [f.shape[0] / f.shape[1] for f in frames if f is not None]
    shape = np.clip(shapes[0] if shapes else 9 / 16, 0.4, 0.8)
    picture_in = column_in * float(shape)
    cells_in = 0.165 * len(names)
    figure = style.new_figure(picture_in + cells_in + 0.125 * lines + 1.1)
    grid = figure.subplots(2, SEGMENTS, height_ratios=[picture_in, cells_in])
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    cells = shown[list(corpus.viewers)].to_numpy()
    for column, frame in enumerate(frames):
        _draw_frame(grid[0, column], frame, shown["start"][column])
        text = "\n".join(texts[column] + [""] * (lines - len(texts[column])))
        _draw_cells(grid[1, column], cells[column], text)
    grid[1, 0].set_yticks(range(len(names)), names, fontweight="bold")
    grid[1, 0].tick_params(length=0, labelsize=style.NORMAL_PT)
    said = {RIGHT: "prediction is right", WRONG: "prediction is wrong"}
    keys = [Patch(color=_TINTS[m], label=f"{m} {said[m]}") for m in said]
    figure.legend(handles=keys, loc="outside lower center", ncols=2)
    (short,) = style.short_names([movie])
    style.set_title(
        figure, f"Film {short}: {predictions.name}", corpus.simulated
    )
    return style.Drawing(
        stem=stem,
        title=f"Figure 5. Segments of film {movie}",
        caption=(
            f"Segments spread evenly over film {movie}, not chosen by result: "
            "frame from the middle, start (min:s), subtitle, and per viewer "
            f"the {corpus.annotation} {corpus.dimension} (truth) and what "
            f"{predictions.name}, predicted, trained without this film. A dash "
            "means not rated or not predicted."
        ),
        figure=figure,
        data=shown,
    )


@style.styled
def draw_film(
    corpus: Corpus, predictions: Predictions, viewer: str
) -> style.Drawing | None:
    """Draws rating and prediction of a viewer over a film, if one is rated.

    It is the first in which the viewer's classes are most even.
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
    if not uneven:
        return None
    movie = min(uneven, key=lambda movie: uneven[movie])
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
    figure = draw_timeline(table)
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
        html=render_timeline(table),
    )
