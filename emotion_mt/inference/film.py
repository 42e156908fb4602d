"""Features of one film's segments, for a prediction."""

from __future__ import annotations

import os
from collections.abc import Sequence

import keras
import numpy as np

from emotion_mt import _progress
from emotion_mt.features import FeatureConfig, VideoError
from emotion_mt.features.extraction import WindowExtractor
from emotion_mt.features.store import decode
from emotion_mt.features.video import Video
from emotion_mt.features.windows import Times, problems

#: Longest film that is cut, in seconds; a longer one states another unit.
LONGEST_FILM_S = 1e6


def cut_film(
    path: str | os.PathLike[str], segment_s: float, config: FeatureConfig
) -> list[Times]:
    """Cuts a film into segments of `segment_s` seconds, at least one.

    A rest that is shorter than one window is added to the segment before it.
    They end where the last frame does, whatever the header states.

    Raises:
        VideoError: If the video does not open or does not decode, or is
            longer than `LONGEST_FILM_S`.
    """
    with Video(path) as video:
        video.scan()
        end_s = video.end_s
        window_s = config.window_frames / (config.fps or video.fps)
    if end_s > LONGEST_FILM_S:
        raise VideoError(
            f"{os.fspath(path)}: expected a film of at most "
            f"{LONGEST_FILM_S:g} s. Received {end_s:g} s by its timestamps"
        )
    pieces = max(1, int((end_s - window_s) // segment_s) + 1)
    starts = [i * segment_s for i in range(pieces)]
    return list(zip(starts, [*starts[1:], end_s], strict=True))


def film_features(
    path: str | os.PathLike[str],
    times: Sequence[Times],
    i3d: keras.Model,
    config: FeatureConfig,
    progress: bool,
) -> tuple[np.ndarray, list[str]]:
    """Computes the features of a film's segments, as far as the film goes.

    Returns:
        float32 [N, C], NaN rows for segments of which the film shows nothing;
        and what is wrong with the film, a sentence each.

    Raises:
        VideoError: If nothing of the film can be used.
    """
    extractor = WindowExtractor(i3d, config)
    distinct = list(dict.fromkeys(times))
    total = extractor.planned(distinct)
    with _progress.progress("I3D", total, " windows", shown=progress) as bar:
        computed, seen = decode(
            os.fspath(path), distinct, extractor, bar.update
        )
    by_times = dict(zip(distinct, computed, strict=True))
    features = np.stack([by_times[t] for t in times])
    found = problems(os.fspath(path), seen, distinct)
    if np.isnan(features).all():
        raise VideoError(found)
    return features, found
