"""A clip and somebody's ratings of it to a bundle that knows the viewer."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from absl import logging

from emotion_mt.corpus import is_rated
from emotion_mt.corpus.ratings import read_ratings, values_of_segments
from emotion_mt.inference.bundle import Bundle
from emotion_mt.inference.new_viewer import (
    ViewerFit,
    check_addable,
    fit_viewer,
    with_viewer,
)
from emotion_mt.inference.predictor import Predictor

#: So many ratings without a segment are named, and so many segments.
_NAMED = 5


@dataclasses.dataclass(frozen=True, eq=False)
class RatedClip:
    """A viewer who was added to a bundle.

    Attributes:
        name: The viewer.
        folder: The new bundle.
        fit: What the viewer is made of, and on how many segments it rests.
        problems: What could not be used, a sentence each.
    """

    name: str
    folder: Path
    fit: ViewerFit
    problems: tuple[str, ...]

    def render(self) -> str:
        """Returns a summary as text for a terminal."""
        fit = self.fit
        return "\n".join(
            [
                f"{self.name}: rests on {fit.positive + fit.negative} rated "
                f"segments, {fit.positive} positive, {fit.negative} negative.",
                *fit.notes,
                f"Written: {self.folder}",
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Returns all of it as plain JSON."""
        return {
            "name": self.name,
            "bundle": str(self.folder),
            **dataclasses.asdict(self.fit),
            "problems": list(self.problems),
        }


def add_rated_viewer(
    folder: str | os.PathLike[str],
    bundle: str | os.PathLike[str],
    ratings: str | os.PathLike[str],
    *,
    name: str = "You",
    video: str | os.PathLike[str] | None = None,
    subtitles: str | os.PathLike[str] | None = None,
    segment_s: float | None = None,
    scale: tuple[float, float] = (-1.0, 1.0),
    encoding: str | None = None,
    progress: bool = True,
) -> RatedClip:
    """Adds a viewer to a bundle from ratings of one clip.

    Args:
        folder: Where to; new, empty, or an earlier bundle.
        bundle: Folder of the saved bundle.
        ratings: See `corpus.ratings.read_ratings`; `values_of_segments`
            there says which segment a rating belongs to.
        name: Of the viewer. One that was added before is replaced.
        video: The film that was rated; see `Predictor.predict`.
        subtitles: See there.
        segment_s: See there.
        scale: Lowest and highest rating there is; its middle becomes 0.
        encoding: Encoding of subtitles and ratings that are not Unicode.
            Defaults to None, guess it.
        progress: See `Predictor.predict`.

    Returns:
        The viewer and the new bundle.

    Raises:
        BundleError: See `Predictor.load`.
        CorpusError: If ratings or subtitles cannot be read.
        ValueError: If no rating belongs to a segment that can be predicted,
            or `name` is that of a viewer whom the model was trained for; see
            `Predictor.predict` too.
        VideoError: See there.
    """
    predictor = Predictor.load(bundle)
    try:
        check_addable(predictor.bundle, name)
    except TypeError as error:
        raise ValueError(f"{os.fspath(bundle)}: {error}") from error
    rated = read_ratings(ratings, name, scale, encoding)
    table = predictor.predict(video, subtitles, segment_s, progress, encoding)
    values, lost = values_of_segments(rated, table["start_s"], table["end_s"])
    known = known_probabilities(predictor.bundle, table)
    blind = is_rated(values) & np.isnan(known).all(axis=1)
    problems = [
        *rated.attrs["notes"],
        *_named("no segment of the clip there", rated["where"][lost]),
        *_named(
            "rated, but not predicted, so not used",
            [f"{s:g} s" for s in table["start_s"][blind]],
        ),
    ]
    for problem in problems:
        logging.warning("%s", problem)
    values[blind] = np.nan
    if not is_rated(values).any():
        raise ValueError(
            f"{ratings}: expected ratings of segments of the clip, which lie "
            f"between {table['start_s'].min():g} and "
            f"{table['end_s'].max():g} s. Received {len(rated)} ratings, none "
            "of a segment that can be predicted"
        )
    fit = fit_viewer(predictor.bundle.model.known_viewers, known, values)
    added = with_viewer(predictor.bundle, name, fit)
    return RatedClip(name, added.save(folder), fit, tuple(problems))


def known_probabilities(bundle: Bundle, table: pd.DataFrame) -> np.ndarray:
    """Returns float64 [N, V], what a prediction says of the known viewers."""
    viewers = bundle.model.known_viewers
    return table[[f"{v}_probability" for v in viewers]].to_numpy("float64")


def _named(what: str, where: Iterable[str]) -> list[str]:
    """A sentence that names the first few of some ratings or segments."""
    names = list(where)
    more = f" and {len(names) - _NAMED} more" * (len(names) > _NAMED)
    return [f"{', '.join(names[:_NAMED])}{more}: {what}"] if names else []
