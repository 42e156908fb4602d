"""Reads a folder with COGNIMUSE's films, in either of its layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus import films, finder
from emotion_mt.corpus.assemble import (
    FilmReading,
    LeftOut,
    Reading,
    Segment,
    Source,
    keep_rated,
)
from emotion_mt.corpus.corpus import CorpusError, mean_of_rated
from emotion_mt.corpus.finder import fault_of_video
from emotion_mt.corpus.subtitles import Subtitles, read_subtitles
from emotion_mt.corpus.traces import Trace, read_trace

#: The only rater of the intended annotation.
EXPERT = "Expert"

#: Why a segment has no rating.
NO_SAMPLE = "no trace has a sample in it"

_EXAMPLES = {
    "experienced": "subj1_1_{name}.dat",
    "intended": "intended_1_{name}.dat or {code}/emotion/intended_1.dat",
}


def read_cognimuse(
    folder: Path,
    annotation: str,
    dimension: str,
    movies: Sequence[str] | None = None,
) -> Reading:
    """Reads the films found anywhere under a folder.

    Traces are `subj{S}_{I}_{Film}.dat` (viewer S, pass I) and
    `intended_{I}.dat`, subtitles and videos are named after the film or lie
    in a folder named after it; see `finder.find_files`. Passes of a rater
    are averaged per segment.

    Args:
        folder: The folder.
        annotation: "experienced" (one viewer per subject, "V1", "V2", …) or
            "intended" (one rater, "Expert").
        dimension: "valence" or "arousal".
        movies: Film codes to read; by default all that are found.

    Returns:
        The films that can be used, in the paper's order, with problems and
        notes. A film with a problem is not used.

    Raises:
        ValueError: If `movies` holds a code that is not COGNIMUSE's.
    """
    unknown = sorted(set(movies or ()) - set(films.FILM_CODES))
    if unknown:
        raise ValueError(
            f"`movies` must be among {films.FILM_CODES}. Received: {unknown}"
        )
    found = finder.find_files(folder)
    problems = [*found.unreadable]
    problems += _unknown_names(found) if movies is None else []
    notes = [*_unknown_media(folder, found)] if movies is None else []
    wanted = found.films if movies is None else tuple(dict.fromkeys(movies))
    if movies is None:
        partial = [film for film in wanted if _is_partial(found, film)]
        wanted = tuple(film for film in wanted if film not in partial)
        notes += [
            f"{film}: not used; no subtitle file (the paper does not use "
            f"this film)"
            for film in partial
        ]
    readings = []
    for film in wanted:
        try:
            reading, more = _read_film(
                folder, found, film, annotation, dimension
            )
            readings.append(reading)
            notes += more
        except CorpusError as unusable:
            problems += unusable.problems
    notes += _missing_viewers(readings)
    return Reading(tuple(readings), tuple(problems), tuple(notes))


def _is_partial(found: finder.FoundFiles, film: str) -> bool:
    """Says whether a film is one that the release has only in part.

    The full release has traces of five films more than the paper uses. If
    they lack subtitles, that must not stop anyone.
    """
    return film not in paper.MOVIES and not any(
        file.film == film for file in found.subtitles
    )


def _read_film(
    folder: Path,
    found: finder.FoundFiles,
    film: str,
    annotation: str,
    dimension: str,
) -> tuple[FilmReading, list[str]]:
    """Returns a film and notes, or raises all its problems."""
    problems: list[str] = []
    traces, notes = _read_traces(folder, found, film, annotation, problems)
    subtitles = _read_subtitles(folder, found, film, problems, notes)
    video = _find_video(found, film, problems, notes)
    if problems or subtitles is None:
        raise CorpusError(problems)
    notes += subtitles.notes

    segments = _segments(film, subtitles, video)
    ratings = _rate(segments, traces, dimension)
    until_s = max(t.end_s for passes in traces.values() for t in passes)
    past = f"past the end of the traces ({until_s:.2f} s)"
    reasons = [past if s.start_s > until_s else NO_SAMPLE for s in segments]
    kept, ratings, unrated = keep_rated(segments, ratings, reasons)
    left_out = [*_unusable_cues(film, subtitles), *unrated]
    if not kept:
        raise CorpusError(
            f"{film}: expected subtitles within the traces, which end at "
            f"{until_s:.2f} s. Received {subtitles.path} with "
            f"{len(left_out)} cues, none of which can be used"
        )
    source = Source(
        movie=film,
        subtitles=str(subtitles.path),
        encoding=subtitles.encoding,
        traces=sum(len(passes) for passes in traces.values()),
        rated_until_s=until_s,
        video=video,
    )
    return FilmReading(kept, ratings, tuple(left_out), source), notes


def _read_traces(
    folder: Path,
    found: finder.FoundFiles,
    film: str,
    annotation: str,
    problems: list[str],
) -> tuple[dict[str, list[Trace]], list[str]]:
    """Returns the traces of each viewer; adds to `problems`."""
    of_film = [trace for trace in found.traces if trace.film == film]
    wanted = [trace for trace in of_film if trace.annotation == annotation]
    if not wanted:
        pattern = _EXAMPLES[annotation].format(
            name=films.TRACE_NAMES[film], code=film
        )
        other = (
            f"only {len(of_film)} of the other annotation "
            f"({of_film[0].annotation!r})"
            if of_film
            else "none"
        )
        problems.append(
            f"{folder}: {film}: expected {annotation} traces, such as "
            f"{pattern}. Received {other}"
        )
    files, more_problems, notes = finder.pick_traces(wanted)
    problems += more_problems
    traces: dict[str, list[Trace]] = {}
    for file in files:
        viewer = f"V{file.subject}" if annotation == "experienced" else EXPERT
        try:
            traces.setdefault(viewer, []).append(read_trace(file.path))
        except CorpusError as error:
            problems += error.problems
    return traces, notes


def _read_subtitles(
    folder: Path,
    found: finder.FoundFiles,
    film: str,
    problems: list[str],
    notes: list[str],
) -> Subtitles | None:
    """Returns the film's subtitles; adds to `problems` and `notes`."""
    candidates = [file for file in found.subtitles if file.film == film]
    path, more_problems, more_notes = finder.pick_media(
        candidates, "subtitle file", same_is_fine=True
    )
    problems += more_problems
    notes += more_notes
    if path is None:
        if not candidates:
            problems.append(
                f"{folder}: {film}: expected a subtitle file, such as "
                f"{film}.srt or {film}/text/subtitle.srt. Received none"
            )
        return None
    try:
        return read_subtitles(path)
    except CorpusError as error:
        problems += error.problems
        return None


def _find_video(
    found: finder.FoundFiles,
    film: str,
    problems: list[str],
    notes: list[str],
) -> str | None:
    """Returns the film's video; adds to `problems` and `notes`."""
    candidates = [file for file in found.videos if file.film == film]
    path, more_problems, more_notes = finder.pick_media(
        candidates, "video", same_is_fine=False
    )
    problems += more_problems
    notes += more_notes
    if path is None:
        return None
    if fault := fault_of_video(path):
        problems.append(f"{path}: expected a video. Received {fault}")
    return str(path)


def _segment_id(film: str, cue_number: int) -> str:
    return f"{film}_{cue_number:04d}"


def _segments(
    film: str, subtitles: Subtitles, video: str | None
) -> list[Segment]:
    return [
        Segment(
            segment_id=_segment_id(film, cue.number),
            movie=film,
            start_s=cue.start_s,
            end_s=cue.end_s,
            text=cue.text,
            video=video,
        )
        for cue in subtitles.usable
    ]


def _unusable_cues(film: str, subtitles: Subtitles) -> list[LeftOut]:
    return [
        LeftOut(
            segment_id=_segment_id(film, cue.number),
            movie=film,
            start_s=cue.start_s,
            end_s=cue.end_s,
            reason=cue.left_out,
        )
        for cue in subtitles.cues
        if cue.left_out
    ]


def _rate(
    segments: Sequence[Segment],
    traces: Mapping[str, Sequence[Trace]],
    dimension: str,
) -> dict[str, np.ndarray]:
    """Returns each viewer's float64 [N], the mean over the passes."""
    start_s = [segment.start_s for segment in segments]
    end_s = [segment.end_s for segment in segments]
    return {
        viewer: mean_of_rated(
            np.stack(
                [p.segment_means(dimension, start_s, end_s) for p in passes]
            )
        )
        for viewer, passes in traces.items()
    }


def _unknown_names(found: finder.FoundFiles) -> list[str]:
    known = ", ".join(films.TRACE_NAMES.values())
    return [
        f"{paths[0]}: expected the name of a known film ({known}). Received "
        + (f"{name!r}" if name else "none in the names of file and folders")
        + (f" (in {len(paths)} trace files)" if len(paths) > 1 else "")
        for name, paths in found.unknown_traces.items()
    ]


def _unknown_media(folder: Path, found: finder.FoundFiles) -> list[str]:
    paths = found.unknown_media
    if not paths:
        return []
    return [
        f"{folder}: {len(paths)} subtitle or video files belong to no known "
        f"film, for example {paths[0]}"
    ]


def _missing_viewers(readings: Sequence[FilmReading]) -> list[str]:
    everyone = {viewer for film in readings for viewer in film.ratings}
    return [
        f"{film.source.movie}: no trace of {viewer}"
        for film in readings
        for viewer in sorted(everyone - set(film.ratings))
    ]
