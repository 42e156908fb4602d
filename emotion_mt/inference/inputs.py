"""What a bundle takes, and which kind of bundle takes what was given."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from emotion_mt.inference.bundle import Bundle

Path = str | os.PathLike[str]

#: Shortest segments that a film is cut into, in seconds; two frames or so.
#: (Much shorter ones would fill the memory.)
SHORTEST_S = 0.1

#: What a bundle takes, by modalities.
_TAKES: Mapping[tuple[str, ...], str] = {
    ("text",): "subtitles alone",
    ("visual",): "a video, with or without subtitles",
    ("text", "visual"): "a video together with its subtitles",
}


def check_inputs(
    bundle: Bundle,
    video: Path | None,
    subtitles: Path | None,
    segment_s: float | None,
) -> None:
    """Raises ValueError unless a bundle takes these for `Predictor.predict`.

    It says what the bundle takes, and which kind of bundle would do with what
    was given.
    """
    modalities = bundle.modalities
    if not _fits(modalities, video, subtitles):
        if "text" in modalities and subtitles is None:
            problem = "`subtitles` must be given"
        else:
            verb = "must be given" if video is None else "cannot be used"
            problem = f"`video` {verb}"
        given = {"`video`": video, "`subtitles`": subtitles}
        received = " and ".join(k for k, v in given.items() if v is not None)
        kinds = [k for k in _TAKES if _fits(k, video, subtitles)]
        hint = " or ".join(f"{kind} (takes {_TAKES[kind]})" for kind in kinds)
        raise ValueError(
            f"{problem}: {bundle.name} has the modalities {modalities} and "
            f"takes {_TAKES[modalities]}. Received: {received or 'neither'}."
            + (f" A bundle with modalities {hint} would do." if hint else "")
        )
    if segment_s is not None and subtitles is not None:
        raise ValueError(
            "`segment_s` may be given without `subtitles` only; with them the "
            f"cues are the segments. Received: {segment_s}"
        )
    if segment_s is not None and not SHORTEST_S <= segment_s < math.inf:
        raise ValueError(
            f"`segment_s` must be a number of seconds, at least {SHORTEST_S}. "
            f"Received: {segment_s}"
        )


def _fits(
    modalities: tuple[str, ...], video: Path | None, subtitles: Path | None
) -> bool:
    # A model of videos can do with and without the times of cues.
    readable = "text" not in modalities or subtitles is not None
    return readable and ("visual" in modalities) == (video is not None)
