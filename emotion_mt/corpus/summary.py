"""What is in a corpus, in figures: the first thing to look at."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_mt.corpus.corpus import Corpus
from emotion_mt.corpus.load import load_corpus

#: Columns of `Inspection.films`.
FILM_COLUMNS = (
    "movie",
    "found",
    "used",
    "left_out",
    "used_s",
    "rated_until_s",
    "traces",
    "positive_share",
    "video",
)

#: Columns of `Inspection.counts`.
COUNT_COLUMNS = (
    "movie",
    "viewer",
    "positive",
    "negative",
    "missing",
    "positive_share",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Inspection:
    """A corpus in figures.

    Attributes:
        corpus: The corpus.
        films: DataFrame with `FILM_COLUMNS`, one row per film: segments
            found, used and left out; seconds that the used segments cover
            (summed) and time of the last rating; number of traces; share of
            positive segments in [0, 1] of the last viewer (the average, or
            the only one), NaN if that viewer rated none; path of the video
            or None.
        counts: DataFrame with `COUNT_COLUMNS`, one row per film and viewer.
        left_out: DataFrame (movie, reason, segments), one row per film and
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
        parts = [
            self._render_head(),
            self._render_films(),
            self._render_counts(),
            self._render_left_out(),
            _bullets("Videos not found", self._without_video()),
            _bullets("Problems (films concerned are not used)", self.problems),
            _bullets("Notes", self.notes),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _without_video(self) -> list[str]:
        films = self.films
        missing = films.loc[films["video"].isna(), "movie"].tolist()
        return [", ".join(missing)] if missing else []

    def _render_head(self) -> str:
        corpus = self.corpus
        simulated = " (SIMULATED)" if corpus.simulated else ""
        found = int(self.films["found"].sum())
        viewers = len(corpus.viewers)
        return (
            f"Corpus {corpus.name}{simulated}: {corpus.annotation} "
            f"{corpus.dimension}\n"
            f"{len(corpus.movies)} films, {found} segments found, "
            f"{len(corpus)} used, {found - len(corpus)} left out; "
            f"{viewers} column{'s' if viewers > 1 else ''}: "
            f"{', '.join(corpus.viewers)}"
        )

    def _render_films(self) -> str:
        reference = self.corpus.viewers[-1]
        table = pd.DataFrame(
            {
                "film": self.films["movie"],
                "found": self.films["found"],
                "used": self.films["used"],
                "left out": self.films["left_out"],
                "used, s": self.films["used_s"].map("{:.0f}".format),
                "rated until, s": self.films["rated_until_s"].map(
                    "{:.0f}".format
                ),
                "traces": self.films["traces"],
                f"positive ({reference})": self.films["positive_share"].map(
                    _share
                ),
                "video": np.where(self.films["video"].isna(), "no", "yes"),
            }
        )
        return f"Films\n{table.to_string(index=False)}"

    def _render_counts(self) -> str:
        total = self.counts.groupby("viewer", as_index=False)[
            ["positive", "negative", "missing"]
        ].sum()
        counts = pd.concat([self.counts, total.assign(movie="all")])
        numbers = counts[["positive", "negative", "missing"]].to_numpy()
        cells = [
            f"{positive}/{negative}" + (f"/{missing}" if missing else "")
            for positive, negative, missing in numbers.tolist()
        ]
        table = counts.assign(cell=cells).pivot(
            index="movie", columns="viewer", values="cell"
        )
        rows = [*self.corpus.movies, "all"]
        table = table.loc[rows, list(self.corpus.viewers)]
        table = table.rename_axis(index=None, columns=None)
        return (
            "Segments per film and viewer: positive/negative, and /missing "
            "where the viewer did not rate all\n"
            + table.to_string(line_width=120)
        )

    def _render_left_out(self) -> str:
        lines = [
            f"{row.movie}: {row.segments} × {row.reason}"
            for row in self.left_out.itertuples()
        ]
        return _bullets("Left out", lines)


def inspect_corpus(
    folder: str | os.PathLike[str],
    annotation: str = "experienced",
    dimension: str = "valence",
    movies: Sequence[str] | None = None,
    allow_outside: bool = False,
) -> Inspection:
    """Reads a folder and sums up what is in it.

    A film that cannot be used does not stop the others; it is listed under
    the problems.

    Args:
        folder: As in `load_corpus`.
        annotation: As in `load_corpus`.
        dimension: As in `load_corpus`.
        movies: As in `load_corpus`.
        allow_outside: As in `load_corpus`.

    Returns:
        The figures; `print(inspection.render())` shows them.

    Raises:
        ValueError: If an argument is wrong.
        CorpusError: If no film can be used; it lists all problems.
    """
    corpus = load_corpus(
        folder,
        annotation,
        dimension,
        on_problem="skip",
        movies=movies,
        allow_outside=allow_outside,
    )
    return summarize(corpus)


def summarize(corpus: Corpus) -> Inspection:
    """Sums up a corpus.

    Args:
        corpus: The corpus.

    Returns:
        The figures.
    """
    counts = _counts(corpus)
    left_out = (
        corpus.left_out.groupby(["movie", "reason"], sort=False)
        .size()
        .rename("segments")
        .reset_index()
    )
    return Inspection(
        corpus=corpus,
        films=_films(corpus, counts),
        counts=counts,
        left_out=left_out,
    )


def _counts(corpus: Corpus) -> pd.DataFrame:
    labels = corpus.labels
    records = []
    for movie in corpus.movies:
        rows = labels[corpus.rows([movie])]
        for column, viewer in enumerate(corpus.viewers):
            positive = int((rows[:, column] == 1).sum())
            negative = int((rows[:, column] == 0).sum())
            rated = positive + negative
            share = positive / rated if rated else np.nan
            missing = len(rows) - rated
            records.append((movie, viewer, positive, negative, missing, share))
    return pd.DataFrame(records, columns=list(COUNT_COLUMNS))


def _films(corpus: Corpus, counts: pd.DataFrame) -> pd.DataFrame:
    sources = {row["movie"]: row for _, row in corpus.sources.iterrows()}
    reference = counts[counts["viewer"] == corpus.viewers[-1]]
    shares = reference.set_index("movie")["positive_share"]
    records = []
    for movie in corpus.movies:
        segments = corpus.segments.iloc[corpus.rows([movie])]
        left_out = int((corpus.left_out["movie"] == movie).sum())
        source = sources.get(movie)
        videos = segments["video"].dropna()
        records.append(
            (
                movie,
                len(segments) + left_out,
                len(segments),
                left_out,
                float((segments["end_s"] - segments["start_s"]).sum()),
                np.nan if source is None else float(source["rated_until_s"]),
                0 if source is None else int(source["traces"]),
                float(shares[movie]),
                videos.iloc[0] if len(videos) else None,
            )
        )
    films = pd.DataFrame(records, columns=list(FILM_COLUMNS))
    films["video"] = pd.Series([row[-1] for row in records], dtype=object)
    return films


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _bullets(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "\n".join([f"{title}:", *(f"  - {line}" for line in lines)])
