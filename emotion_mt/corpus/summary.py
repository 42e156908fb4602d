"""What is in a corpus, in figures: the first thing to look at."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt.corpus.corpus import Corpus
from emotion_mt.corpus.load import load_corpus
from emotion_mt.corpus.own import read_features


@dataclasses.dataclass(frozen=True, eq=False)
class Inspection:
    """A corpus in figures.

    Attributes:
        corpus: The corpus.
        films: DataFrame, one row per movie: movie; segments found, used and
            left_out; used_s, seconds that the used segments cover (summed),
            and rated_until_s, time of the last rating; traces, their number;
            positive_share, share of positive segments in [0, 1] of the last
            viewer (the average, or the only one), NaN if that viewer rated
            none; video, path of one or None.
        counts: DataFrame (movie, viewer, positive, negative, missing,
            positive_share), one row per movie and viewer.
        left_out: DataFrame (movie, reason, segments), one row per movie and
            reason.
    """

    corpus: Corpus
    films: pd.DataFrame
    counts: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def problems(self) -> tuple[str, ...]:
        """Messages about input that could not be used."""
        return self.corpus.problems

    @property
    def notes(self) -> tuple[str, ...]:
        """Messages about things that stop nothing."""
        return self.corpus.notes

    def render(self) -> str:
        """Returns all of it as text for a terminal."""
        corpus, films = self.corpus, self.films
        found, many = films["found"].sum(), len(corpus.viewers) > 1
        without = films.loc[films["video"].isna(), "movie"]
        lists: dict[str, Iterable[str]] = {
            "Left out": [
                f"{row.movie}: {row.segments} × {row.reason}"
                for row in self.left_out.itertuples()
            ],
            "Without a video": [", ".join(without)] if len(without) else [],
            "Problems (movies concerned are not used)": self.problems,
            "Notes": self.notes,
            "Folds (folds.csv)": [
                f"{fold.name}: train {', '.join(fold.train)}; validate "
                f"{', '.join(fold.validation) or '-'}; test "
                f"{', '.join(fold.test)}"
                for fold in corpus.own_folds
            ],
        }
        parts = [
            f"Corpus {corpus.name}{' (SIMULATED)' * corpus.simulated}: "
            f"{corpus.annotation} {corpus.dimension}\n{len(corpus.movies)} "
            f"movies, {found} segments found, {len(corpus)} used, "
            f"{found - len(corpus)} left out; {len(corpus.viewers)} "
            f"column{'s' * many} of ratings: {', '.join(corpus.viewers)}",
            self._movies(),
            self._ratings(),
            *(
                "\n  - ".join([f"{title}:", *lines])
                for title, lines in lists.items()
                if lines
            ),
        ]
        return "\n\n".join(parts) + "\n"

    def _movies(self) -> str:
        films, minutes = self.films, lambda s: f"{s / 60:.1f}"
        columns = {
            "movie": films["movie"],
            "segments": films["found"],
            "used": films["used"],
            "left out": films["left_out"],
            "minutes used": films["used_s"].map(minutes),
            "rated until minute": films["rated_until_s"].map(minutes),
            "traces": films["traces"],
            "positive": films["positive_share"].map("{:.1%}".format),
            "video": np.where(films["video"].isna(), "no", "yes"),
        }
        if not films["traces"].any():  # of a manifest
            del columns["traces"]
        table = pd.DataFrame(columns).replace("nan%", "-")
        return (
            f"Movies (positive: share of the segments that "
            f"{self.corpus.viewers[-1]} rates above 0)\n"
            + table.to_string(index=False)
        )

    def _ratings(self) -> str:
        counts = self.counts
        kinds = ["positive", "negative", "missing"]
        total = counts.groupby("viewer", as_index=False)[kinds].sum()
        counts = pd.concat([counts, total.assign(movie="all")])
        cells = [
            f"{r.positive}/{r.negative}" + f"/{r.missing}" * bool(r.missing)
            for r in counts.itertuples()
        ]
        counts = counts.assign(cell=cells)
        table = counts.pivot(index="movie", columns="viewer", values="cell")
        table = table.loc[[*self.corpus.movies, "all"], [*self.corpus.viewers]]
        table = table.rename_axis(index=None, columns=None)
        return (
            "Segments per movie and viewer: positive/negative, and /not rated "
            "where some are not\n" + table.to_string(line_width=120)
        )


def inspect_corpus(
    folder: str | os.PathLike[str], *arguments: Any, **options: Any
) -> Inspection:
    """Reads a folder and sums up what is in it.

    A movie that cannot be used does not stop the others; it is listed under
    the problems.

    Args:
        folder: As in `load_corpus`.
        *arguments: As in `load_corpus`, annotation and dimension.
        **options: As in `load_corpus`, but for `on_problem`.

    Returns:
        The figures; `print(inspection.render())` shows them.

    Raises:
        ValueError: If an argument is wrong.
        CorpusError: If no movie can be used; it lists all problems.
    """
    options["on_problem"] = "skip"
    corpus = load_corpus(folder, *arguments, **options)
    encoding = options.get("encoding")
    if own := read_features(Path(folder), corpus, encoding):
        corpus = corpus.replace(notes=(*corpus.notes, own[1]))
    return summarize(corpus)


def summarize(corpus: Corpus) -> Inspection:
    """Sums up a corpus.

    Args:
        corpus: The corpus.

    Returns:
        The figures.
    """
    labels = corpus.labels
    sources = corpus.sources.set_index("movie").to_dict(orient="index")
    counts, films = [], []
    for movie in corpus.movies:
        rows = corpus.rows([movie])
        for viewer, column in zip(corpus.viewers, labels[rows].T, strict=True):
            positive, negative = (int((column == x).sum()) for x in (1, 0))
            rated = positive + negative
            share = positive / rated if rated else np.nan
            missing = len(rows) - rated
            counts.append((movie, viewer, positive, negative, missing, share))
        segments = corpus.segments.iloc[rows]
        left_out = int((corpus.left_out["movie"] == movie).sum())
        source = sources.get(movie, {})
        films.append(
            {
                "movie": movie,
                "found": len(rows) + left_out,
                "used": len(rows),
                "left_out": left_out,
                "used_s": (segments["end_s"] - segments["start_s"]).sum(),
                "rated_until_s": float(source.get("rated_until_s", np.nan)),
                "traces": source.get("traces", 0),
                "positive_share": share,
                "video": next(iter(segments["video"].dropna()), None),
            }
        )
    table = pd.DataFrame(films)
    # As objects, since pandas would turn None into NaN.
    table["video"] = pd.Series([row["video"] for row in films], dtype=object)
    reasons = corpus.left_out.groupby(["movie", "reason"], sort=False).size()
    kinds = ("positive", "negative", "missing", "positive_share")
    return Inspection(
        corpus=corpus,
        films=table,
        counts=pd.DataFrame(counts, columns=["movie", "viewer", *kinds]),
        left_out=reasons.rename("segments").reset_index(),
    )
