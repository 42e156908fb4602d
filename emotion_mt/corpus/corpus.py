"""The `Corpus`: segments of movies and what each viewer felt in them."""

from __future__ import annotations

import dataclasses
import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus import splits

#: Means are rounded to this many decimals before the threshold. Traces have
#: three to six decimals, so a sum that is zero on paper must not come out as
#: 1e-17 and be called positive; no mean that is not zero is that small.
MEAN_DECIMALS = 10


#: Columns of `Corpus.segments`, in order.
SEGMENT_COLUMNS = ("segment_id", "movie", "start_s", "end_s", "text", "video")

#: Columns of `Corpus.left_out`, in order.
LEFT_OUT_COLUMNS = ("segment_id", "movie", "start_s", "end_s", "reason")

#: Columns of `Corpus.sources`, in order.
SOURCE_COLUMNS = (
    *("movie", "subtitles", "encoding", "traces", "rated_until_s", "video"),
)


def printable(text: str) -> str:
    r"""Returns a text that any terminal or file can take, in one line.

    File names may hold line breaks, other control characters, and bytes that
    are no UTF-8; these are written as "\n", "\x1b", "\udcff".
    """
    return "".join(
        character
        if character.isprintable() or character in _MARKS
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


# Not printable by Python's rule, and harmless: blanks of other widths and the
# joiners within emoji and some scripts.
_MARKS = frozenset("\u00a0\u00ad\u200c\u200d\u2009\u202f\u3000")


def check_choice(argument: str, value: object, choices: Sequence[str]) -> None:
    """Raises ValueError if an argument is none of some values."""
    if value not in choices:
        raise ValueError(
            f"`{argument}` must be one of {choices}. Received: {value!r}"
        )


def is_taken(viewer: str) -> bool:
    """Says whether a viewer's name is that of the mean over the columns."""
    return viewer.casefold() == paper.MEAN.casefold()


class CorpusError(ValueError):
    """Input files that cannot be read as a corpus.

    Attributes:
        problems: One message per problem; each names the file, what was
            expected and what was received.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        """Joins the messages of `problems`, one a line."""
        if isinstance(problems, str):
            problems = (problems,)
        self.problems = tuple(map(printable, problems))
        super().__init__("\n".join(self.problems))


def is_rated(values: np.ndarray) -> np.ndarray:
    """Says where a viewer rated.

    Args:
        values: float [...], NaN where the viewer did not rate.

    Returns:
        bool [...].
    """
    return ~np.isnan(values)


def mean_of_rated(values: np.ndarray) -> np.ndarray:
    """Averages ratings over raters (or over the passes of one rater).

    Args:
        values: float [R, N], one row per rater, in [-1, 1]; NaN where the
            rater did not rate.

    Returns:
        float64 [N]: the mean over the raters that rated, rounded to
        `MEAN_DECIMALS`; NaN where none did.
    """
    means = pd.DataFrame(values, dtype=np.float64).mean()
    return means.round(MEAN_DECIMALS).to_numpy()


def labels_from_values(values: np.ndarray) -> np.ndarray:
    """Turns segment means into labels (Sect. IV-A).

    Args:
        values: float [...], segment means in [-1, 1]; NaN where the viewer
            did not rate.

    Returns:
        float32 [...]: 1.0 where value > 0, 0.0 where value <= 0, NaN where
        the viewer did not rate.
    """
    labels = np.where(values > paper.THRESHOLD, 1.0, 0.0)
    return np.where(is_rated(values), labels, np.nan).astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Corpus:
    """Segments of films with one column of annotations per viewer.

    Attributes:
        name: Short name for reports, usually the folder's.
        segments: DataFrame with `SEGMENT_COLUMNS`: segment_id (unique str),
            movie (str), start_s and end_s (seconds in the film,
            end_s > start_s), text (str, markup removed, may be empty) and
            video (path of the film as str, or None). Rows of a film are
            consecutive and in order of time; the index is 0 … N-1.
        viewers: Column names of `values`; `paper.AVERAGE` is the last one
            when there are several viewers.
        values: float32 [N, V], segment means in [-1, 1]. NaN means that the
            viewer did not rate the segment; this is the only place where
            missing ratings are defined.
        annotation: "experienced" or "intended"; of `load_raters` what was
            rated there, "portrayed" or "coded".
        dimension: "valence" or "arousal".
        simulated: Whether the corpus was made by `simulate_corpus`. Results
            on such a corpus are always labelled.
        left_out: DataFrame with `LEFT_OUT_COLUMNS`: segments that were found
            and not used, and why.
        problems: Messages about input that could not be used, for
            `on_problem="skip"`; empty otherwise.
        notes: Messages about things that stop nothing and that a user should
            know, such as a viewer without a trace in a film.
        sources: DataFrame with `SOURCE_COLUMNS`, one row per film: the
            subtitle file and its encoding, the number of traces (0 for a
            manifest), the time of the last rating in seconds, and the
            video's path or None.
        ceiling: For a simulated corpus, movie -> viewer -> accuracy in [0, 1]
            of a predictor that knows the hidden state; else None.
        own_folds: What `folds.csv` says, see `folds`; empty without it.
    """

    name: str
    segments: pd.DataFrame
    viewers: tuple[str, ...]
    values: np.ndarray
    annotation: str = "experienced"
    dimension: str = "valence"
    simulated: bool = False
    left_out: pd.DataFrame = dataclasses.field(
        default_factory=lambda: pd.DataFrame(columns=list(LEFT_OUT_COLUMNS))
    )
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: pd.DataFrame = dataclasses.field(
        default_factory=lambda: pd.DataFrame(columns=list(SOURCE_COLUMNS))
    )
    ceiling: Mapping[str, Mapping[str, float]] | None = None
    own_folds: tuple[paper.Split, ...] = ()

    def __post_init__(self) -> None:
        """Composes names and texts, and checks that the parts fit together."""
        if not {*SEGMENT_COLUMNS} <= {*self.segments}:
            raise ValueError(
                f"`segments` needs the columns {SEGMENT_COLUMNS}. "
                f"Received: {tuple(self.segments)}"
            )
        object.__setattr__(self, "viewers", tuple(map(_nfc, self.viewers)))
        texts = {c: self.segments[c].map(_nfc) for c in _TEXTS}
        if any(not texts[c].equals(self.segments[c]) for c in _TEXTS):
            object.__setattr__(self, "segments", self.segments.assign(**texts))
        for fault in _faults(self):
            raise ValueError(fault)

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def labels(self) -> np.ndarray:
        """float32 [N, V]: 1.0 positive, 0.0 negative, NaN missing."""
        return labels_from_values(self.values)

    @property
    def movies(self) -> tuple[str, ...]:
        """The films, in order of appearance."""
        return tuple(dict.fromkeys(self.segments["movie"]))

    @property
    def folds(self) -> tuple[paper.Split, ...]:
        """`own_folds`; without them those of `splits.folds`."""
        return self.own_folds or splits.folds(self.movies)

    def rows(self, movies: Sequence[str]) -> np.ndarray:
        """Returns the row numbers of the segments of some films.

        Args:
            movies: Film codes.

        Returns:
            int64 [n], increasing.

        Raises:
            ValueError: If a film is not in the corpus.
        """
        if unknown := sorted(set(movies) - set(self.movies)):
            raise ValueError(
                f"`movies` must be among {self.movies}. Received: {unknown}"
            )
        return np.flatnonzero(self.segments["movie"].isin(list(movies)))

    def column(self, viewer: str) -> int:
        """Returns the column of a viewer in `values`.

        Args:
            viewer: One of `viewers`.

        Raises:
            ValueError: If there is no such viewer.
        """
        if viewer not in self.viewers:
            raise ValueError(
                f"`viewer` must be among {self.viewers}. Received: {viewer!r}"
            )
        return self.viewers.index(viewer)

    def replace(self, **changes: Any) -> Corpus:
        """Returns a copy with some attributes changed.

        Args:
            **changes: Attributes by name.
        """
        return dataclasses.replace(self, **changes)

    def digest(self) -> str:
        """Returns a SHA-256 over segments, viewers and values.

        Paths are left out, so that a corpus that was moved keeps its digest.
        """
        sha = hashlib.sha256()
        sha.update(repr((self.annotation, self.dimension)).encode())
        sha.update(repr(self.viewers).encode())
        columns = [c for c in SEGMENT_COLUMNS if c != "video"]
        records = self.segments[columns].itertuples(index=False, name=None)
        for record in records:
            sha.update(repr(tuple(map(str, record))).encode())
        values = np.ascontiguousarray(self.values, dtype="<f4")
        # NaN has many bit patterns; give it one.
        sha.update(np.where(np.isnan(values), np.nan, values).tobytes())
        return sha.hexdigest()


_TEXTS = ("segment_id", "movie", "text")


def _nfc(text: Any) -> Any:
    """Composes letters and accents; what is no text comes back as it is."""
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


def _faults(corpus: Corpus) -> Iterator[str]:
    """What is wrong with a corpus; the first is enough."""
    segments, values, viewers = corpus.segments, corpus.values, corpus.viewers
    if segments.index.tolist() != list(range(len(segments))):
        yield (
            f"`segments` must have the index 0 … {len(segments) - 1} "
            "(reset_index(drop=True)). "
            f"Received: {segments.index.tolist()[:5]} …"
        )
    for column in _TEXTS:
        for cell in segments[column]:
            if not isinstance(cell, str):
                yield f"`{column}` must hold str. Received: {cell!r}"
    ids = segments["segment_id"]
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].tolist()[:5]
        yield f"`segment_id` must be unique. Received twice: {twice}"
    times = segments[["start_s", "end_s"]].to_numpy(np.float64)
    right = np.isfinite(times).all(axis=1)
    if not right.all():
        yield (
            "`start_s` and `end_s` must be seconds. Received: "
            f"{times[~right][0].tolist()} for {ids[~right].iloc[0]!r}"
        )
    expected = (len(segments), len(viewers))
    if values.shape != expected:
        yield (
            "`values` needs one row per segment and one column per "
            f"viewer, {expected}. Received shape: {values.shape}"
        )
    if (np.abs(values[is_rated(values)]) > 1).any():
        yield (
            "`values` must be in [-1, 1], NaN where the viewer did not rate. "
            f"Received: {np.nanmin(values):g} to {np.nanmax(values):g}"
        )
    for number, viewer in enumerate(viewers):
        if not isinstance(viewer, str) or viewer in viewers[:number]:
            yield f"`viewers` must be different str. Received: {viewers}"
        elif is_taken(viewer):
            yield (
                f"`viewers` must not contain {viewer!r}, which is the "
                f"name of a column of the tables. Received: {viewers}"
            )
