"""Public films with several raters, downloaded with pinned hashes.

One more is a function from its files to segments and ratings, a row of
`RATERS`, and its files in raters.txt (name, SHA-256 and URL: a registry of
Pooch).
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pooch

from emotion_mt._progress import progress
from emotion_mt.corpus.assemble import MovieReading, build_corpus
from emotion_mt.corpus.corpus import (
    Corpus,
    CorpusError,
    check_choice,
)
from emotion_mt.corpus.traces import DIMENSIONS
from emotion_mt.storage.cache import cache_folder

#: What `load_corpus` and `--corpus` take in the place of a folder begins so.
PREFIX = "raters:"

#: Seconds without an answer after which a download is given up.
_TIMEOUT_S = 30.0


@dataclasses.dataclass(frozen=True)
class Raters:
    """A public corpus, of which each rater's ratings are known.

    Attributes:
        what: Who rated what, and what the text is.
        rated: In one word: "portrayed" by the characters, or "coded", a
            verdict on the scene; then `Corpus.annotation`.
        raters: How many there are.
        segments: How many segments have a rating of the valence.
        missing: Share in [0, 1] of their ratings that raters did not give.
        licence: Of the files.
        citation: What to cite.
        read: Reads "valence" or "arousal" from the files in a folder: the
            segments but for their video, with "reason", why nobody rated one
            if so, and a column of ratings in [-1, 1] per rater, NaN where not
            rated.
    """

    what: str
    rated: str
    raters: int
    segments: int
    missing: float
    licence: str
    citation: str
    read: Callable[[pathlib.Path, str], tuple[pd.DataFrame, pd.DataFrame]]

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known with it; then in `Corpus.notes`."""
        return (
            f"{self.what} It is one film cut into parts: neighbouring parts "
            "share people and places, so a held-out part is easier than a "
            "held-out film.",
            f"Licence: {self.licence}. Cite: {self.citation}.",
        )


def load_raters(
    name: str,
    cache: str | os.PathLike[str] | None = None,
    *,
    dimension: str = "valence",
    movies: Sequence[str] | None = None,
) -> Corpus:
    """Loads a public film with several raters.

    Its files come from where they were published, once, and stay in the
    cache; their SHA-256 must be that of `RATERS`.

    Args:
        name: One of `RATERS`.
        cache: Folder to keep the files in; None for `$EMOTION_MT_CACHE` or
            `~/.cache/emotion_mt`.
        dimension: "valence" or "arousal".
        movies: Parts of the film to take; None for all.

    Returns:
        A corpus without video; a "movie" is a part of the film. Viewers are
        "R1", … and their average. `Corpus.annotation` is what was rated, and
        `Corpus.notes` have limits, licence and citation.

    Raises:
        ValueError: If an argument is not among the values above.
        CorpusError: If a file can neither be found in the cache nor be
            downloaded, or has another SHA-256.

    Example:
        ```python
        corpus = load_raters("studyforrest")
        ```
    """
    check_choice("name", name, tuple(RATERS))
    check_choice("dimension", dimension, DIMENSIONS)
    about = RATERS[name]
    segments, ratings = about.read(_fetch(name, cache), dimension)
    segments["video"] = None
    ratings.columns = [f"R{n}" for n in range(1, about.raters + 1)]
    parts = tuple(segments["movie"].unique())
    if unknown := sorted(set(movies or ()) - set(parts)):
        raise ValueError(f"`movies` must be among {parts}. Received: {unknown}")
    found = []
    for movie in [m for m in parts if movies is None or m in movies]:
        part = segments[segments["movie"] == movie]
        rated = ratings.loc[part.index]
        traces = int(rated.notna().any().sum())
        found.append(MovieReading(movie, part, rated, traces=traces))
    return build_corpus(
        found,
        average=True,
        name=name,
        annotation=about.rated,
        dimension=dimension,
        notes=about.notes,
    )


def _fetch(name: str, cache: str | os.PathLike[str] | None) -> pathlib.Path:
    """Returns the folder of a corpus's files, which are there afterwards."""
    home = pooch.create(cache_folder(cache) / "raters", base_url="")
    with resources.files(__package__).joinpath("raters.txt").open() as lines:
        home.load_registry(lines)
    folder = home.abspath / name
    own = [file for file in home.registry if file.startswith(f"{name}/")]
    missing = [
        file
        for file in own
        if not (path := home.abspath / file).is_file()
        or pooch.file_hash(path) != home.registry[file]
    ]
    if not missing:
        return folder
    print("\n".join(RATERS[name].notes), file=sys.stderr)
    pooch.get_logger().setLevel("WARNING")  # The bar says that it loads.
    load = pooch.HTTPDownloader(timeout=_TIMEOUT_S)
    with progress("Downloading ratings", len(missing), " files") as bar:
        for file in missing:
            try:
                home.fetch(file, downloader=load)
            except OSError as error:  # Those of requests are, too.
                raise CorpusError(
                    f"{home.get_url(file)}: cannot be downloaded to {folder}. "
                    "Where there is no network, put it there by hand, "
                    f"unaltered. Received: {type(error).__name__}: {error}"
                ) from error
            except ValueError as error:
                raise CorpusError(
                    f"{home.get_url(file)}: expected a file with SHA-256 "
                    f"{home.registry[file]}. Received another one"
                ) from error
            bar.update()
    return folder


#: Dialogue lines are joined while the next starts sooner than this after the
#: end so far, and while the segment is shorter than this; seconds.
_PAUSE_S, _LENGTH_S = 3.0, 6.0

#: What counts for and against, by dimension.
_MARKS = {"valence": ("POS", "NEG"), "arousal": ("HIGH", "LOW")}


def _read_studyforrest(
    folder: pathlib.Path, dimension: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dialogue in eight parts, and the episodes that nine observers marked.

    A rating is the time of a segment's overlap with episodes marked as
    positive (of high arousal) minus that with negative ones (of low), over
    their sum, over all characters; NaN where there is neither.
    """
    # A line without words is no missing number.
    dialogue = folder / "english_dialog.csv"
    lines = pd.read_csv(dialogue, keep_default_na=False)
    starts = pd.read_csv(folder / "segments.csv")["start"]
    number = np.searchsorted(starts, lines["start"], side="right")
    lines["movie"] = [f"FG{n}" for n in number]
    segments = _joined(lines.sort_values("start", kind="stable"))
    times = segments[["start_s", "end_s"]].to_numpy(float)
    ratings = []
    for observer in range(1, 10):
        episodes = pd.read_csv(folder / f"av1o0{observer}.csv")
        overlap = np.minimum(times[:, 1:], episodes["end"].to_numpy())
        overlap -= np.maximum(times[:, :1], episodes["start"].to_numpy())
        overlap = overlap.clip(min=0)
        more, less = (
            overlap[:, (episodes[dimension] == mark).to_numpy()].sum(axis=1)
            for mark in _MARKS[dimension]
        )
        with np.errstate(invalid="ignore"):
            ratings.append((more - less) / (more + less))  # 0 / 0 is NaN.
    return segments, pd.DataFrame(ratings).T


def _joined(lines: pd.DataFrame) -> pd.DataFrame:
    """Joins lines of dialogue to segments; `lines` are in order of start."""
    rows: list[dict[str, Any]] = []
    for line in lines.itertuples():
        text = f"{line.person}: {line.text}"
        last = rows[-1] if rows else None
        if (
            last is not None
            and last["movie"] == line.movie
            and line.start - last["end_s"] < _PAUSE_S
            and last["end_s"] - last["start_s"] < _LENGTH_S
        ):
            last["end_s"] = max(last["end_s"], line.end)
            last["text"] += f" {text}"
        else:
            times = {"start_s": line.start, "end_s": line.end}
            rows.append({"movie": line.movie, "text": text, **times})
    ids = [f"{n:04d}" for n in range(len(rows))]
    return pd.DataFrame(rows).assign(segment_id=ids, reason="rated by nobody")


#: Both parts of the episode begin with a cartoon of this many seconds.
_CARTOON_S = 39

#: Number of the first segment of the episode's second part.
_SECOND_PART = 483


def _read_sherlock(
    folder: pathlib.Path, dimension: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Descriptions of scenes in eight blocks, four of each half.

    Four coders gave the valence as + or -, and the arousal as 1 to 5, of
    which 3 is 0 here.
    """
    with warnings.catch_warnings():
        # openpyxl tells of an extension of the file that it does not know.
        warnings.simplefilter("ignore")
        table = pd.read_excel(folder / "Sherlock_Segments_1000_NN_2017.xlsx")
    table.columns = [" ".join(str(name).split()) for name in table]
    table["start_s"] = start = table["Start Time (s)"].astype(float)
    second = table["Segment Number"] >= _SECOND_PART
    cartoon = start < _CARTOON_S
    segments = pd.DataFrame(
        {
            "segment_id": table["Segment Number"].map("{:04d}".format),
            "movie": [
                *_blocks("S1", table[~second]),
                *_blocks("S2", table[second]),
            ],
            "start_s": start,
            # Whole seconds; one segment ends in the second that it starts in.
            "end_s": table["End Time (s)"].clip(lower=start + 1),
            "text": table["Scene Details - A Level"].fillna("").map(str.strip),
            "reason": np.where(cartoon, "in the cartoon", "rated by nobody"),
        }
    )
    name = f"{dimension.capitalize()} - Rater "
    given = table[[f"{name}{n}" for n in range(1, 5)]]
    if dimension == "valence":
        given = given.map({"+": 1, "-": -1}.get)
    else:
        given = (given - 3) / 2
    return segments, given.mask(cartoon).astype(float)


def _blocks(name: str, half: pd.DataFrame) -> Iterator[str]:
    """Names of the blocks, which begin with the first scene after a quarter."""
    start, end = half["start_s"], half["End Time (s)"].max()
    # Some cells hold a blank only.
    titled = half["Scene Segments"].fillna("").str.strip() != ""
    scenes = start[titled]
    quarters = _CARTOON_S + np.arange(1, 4) / 4 * (end - _CARTOON_S)
    first = [scenes[scenes >= after].min() for after in quarters]
    for number in np.searchsorted(first, start, side="right"):
        yield f"{name}{'abcd'[number]}"


#: Public corpora by name.
RATERS: Mapping[str, Raters] = MappingProxyType(
    {
        "studyforrest": Raters(
            what="Nine observers marked which emotions the characters of "
            "“Forrest Gump” show, not what they felt themselves. Text: the "
            "dialogue.",
            rated="portrayed",
            raters=9,
            segments=526,
            missing=0.1225,
            licence="CC0",
            citation="Labs et al., Portrayed emotions in the movie “Forrest "
            "Gump”, F1000Research 4:92, 2015",
            read=_read_studyforrest,
        ),
        "sherlock": Raters(
            what="Four coders said of each scene of an episode of “Sherlock” "
            "whether its valence is positive or negative, not what they felt. "
            "Text: a description of the scene.",
            rated="coded",
            raters=4,
            segments=986,
            missing=0.0010,
            licence="MIT",
            citation="Chen et al., Shared memories reveal shared structure in "
            "neural activity across individuals, Nature Neuroscience 20, "
            "2017; and Heusser, Fitzpatrick and Manning, Geometric models "
            "reveal behavioural and neural signatures of transforming "
            "naturalistic experiences into episodic memories, Nature Human "
            "Behaviour, 2021",
            read=_read_sherlock,
        ),
    }
)
