"""Two public films rated by several people, as corpora.

They are single films cut into parts, and what is rated is what the film shows,
not what the raters felt. A part is called a movie here, so what is held out
is easier than another film would be.

- `studyforrest`: nine observers of "Forrest Gump" (CC0);
  psychoinformatics-de/studyforrest-paper-emotionannotation (`data/raw`) and
  psychoinformatics-de/studyforrest-data-annotations (`old/speech` and
  `old/structure`).
- `sherlock`: four coders of an episode of "Sherlock" (MIT; Chen et al. 2017);
  ContextLab/sherlock-topic-model-paper (`data/raw`). Reading it needs
  `pip install openpyxl`.
"""

from __future__ import annotations

import pathlib
import warnings

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus import SEGMENT_COLUMNS, Corpus
from emotion_mt.corpus.corpus import mean_of_rated

#: Dialogue lines are joined while the next starts sooner than this after the
#: end so far, and while the segment is shorter than this; seconds.
_PAUSE_S, _LENGTH_S = 3.0, 6.0

#: Both parts of the episode begin with a cartoon of this many seconds.
_CARTOON_S = 39

#: Number of the first segment of the episode's second part.
_SECOND_PART = 483


def studyforrest(folder: str | pathlib.Path) -> Corpus:
    """Nine observers of the emotions that "Forrest Gump" shows.

    A rater's value is the time of a segment's overlap with episodes marked
    as positive minus that with negative ones, over their sum, over all
    characters; NaN where there is neither.

    Args:
        folder: Has `segments.csv`, `english_dialog.csv` and `av1o01.csv` to
            `av1o09.csv` in its folder `studyforrest`.

    Returns:
        526 segments of dialogue in eight parts.
    """
    folder = pathlib.Path(folder) / "studyforrest"
    lines = pd.read_csv(folder / "english_dialog.csv")
    parts = pd.read_csv(folder / "segments.csv")
    number = np.searchsorted(parts["start"], lines["start"], side="right")
    lines["movie"] = [f"FG{n}" for n in number]
    segments = _joined(lines.sort_values("start", kind="stable"))
    times = segments[["start_s", "end_s"]].to_numpy(float)
    columns = [
        _shown(times, pd.read_csv(path))
        for path in sorted(folder.glob("av1o*.csv"))
    ]
    return _corpus("studyforrest", segments, columns)


def sherlock(folder: str | pathlib.Path) -> Corpus:
    """Four coders of the valence of scenes of an episode of "Sherlock".

    The text is a description of the scene, not dialogue.

    Args:
        folder: Has `Sherlock_Segments_1000_NN_2017.xlsx` in its folder
            `sherlock`.

    Returns:
        986 segments in eight blocks, four of each part, of about equal time.
    """
    path = pathlib.Path(folder) / "sherlock"
    with warnings.catch_warnings():
        # openpyxl tells of an extension of the file that it does not know.
        warnings.simplefilter("ignore")
        table = pd.read_excel(path / "Sherlock_Segments_1000_NN_2017.xlsx")
    table.columns = [" ".join(name.split()) for name in table]
    second = table["Segment Number"] >= _SECOND_PART
    kept = table["Start Time (s)"] >= _CARTOON_S
    blocks = [
        _with_block(table[kept & chosen], f"S{number}")
        for number, chosen in ((1, ~second), (2, second))
    ]
    table = pd.concat(blocks, ignore_index=True)
    start, end = (table[f"{name} Time (s)"] for name in ("Start", "End"))
    segments = pd.DataFrame(
        {
            "segment_id": table["Segment Number"].map("{:04d}".format),
            "movie": table["movie"],
            "start_s": start.astype(float),
            # Whole seconds; one segment ends in the second that it starts in.
            "end_s": end.clip(lower=start + 1).astype(float),
            "text": table["Scene Details - A Level"].fillna("").map(str.strip),
        }
    )
    signs = {"+": 1.0, "-": -1.0}
    columns = [
        table[f"Valence - Rater {n}"].map(signs).to_numpy(float)
        for n in range(1, 5)
    ]
    return _corpus("Sherlock", segments, columns)


def _corpus(
    name: str, segments: pd.DataFrame, columns: list[np.ndarray]
) -> Corpus:
    """A corpus with the raters "R1", ... and their average."""
    segments = segments.assign(video=None)[list(SEGMENT_COLUMNS)]
    raters = [f"R{number}" for number in range(1, len(columns) + 1)]
    values = np.stack([*columns, mean_of_rated(np.stack(columns))], axis=1)
    viewers = (*raters, paper.AVERAGE)
    return Corpus(name, segments, viewers, values.astype(np.float32))


def _joined(lines: pd.DataFrame) -> pd.DataFrame:
    """Joins lines of dialogue to segments; `lines` are in order of start."""
    rows: list[dict] = []
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
    frame = pd.DataFrame(rows)
    return frame.assign(segment_id=[f"{n:04d}" for n in frame.index])


def _shown(times: np.ndarray, episodes: pd.DataFrame) -> np.ndarray:
    """Values of one rater, float [N].

    Args:
        times: float [N, 2], start and end of the segments in seconds.
        episodes: With "start", "end" and "valence".
    """
    overlap = np.minimum(times[:, 1:], episodes["end"].to_numpy())
    overlap -= np.maximum(times[:, :1], episodes["start"].to_numpy())
    overlap = overlap.clip(min=0)
    good, bad = (
        overlap[:, (episodes["valence"] == mark).to_numpy()].sum(axis=1)
        for mark in ("POS", "NEG")
    )
    total = good + bad
    return np.where(total > 0, (good - bad) / np.where(total, total, 1), np.nan)


def _with_block(part: pd.DataFrame, name: str) -> pd.DataFrame:
    """Adds "movie": blocks that begin with the first scene after a quarter."""
    start, end = part["Start Time (s)"], part["End Time (s)"].max()
    # Some cells hold a blank only.
    titled = part["Scene Segments"].fillna("").str.strip() != ""
    scenes = start[titled]
    block = np.ones(len(part), int)
    for quarter in (1, 2, 3):
        after = _CARTOON_S + quarter / 4 * (end - _CARTOON_S)
        block += (start >= scenes[scenes >= after].min()).to_numpy()
    return part.assign(movie=[f"{name}{'abcd'[n - 1]}" for n in block])
