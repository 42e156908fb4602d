"""Reads a folder with COGNIMUSE's movies, in either of its layouts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus import films, finder
from emotion_mt.corpus.assemble import (
    Messages,
    MovieReading,
    Reading,
    keep_rated,
)
from emotion_mt.corpus.corpus import (
    CorpusError,
    LeftOut,
    Segment,
    Source,
    is_rated,
    mean_of_rated,
)
from emotion_mt.corpus.subtitles import Cue, Subtitles, read_subtitles
from emotion_mt.corpus.tables import Scale
from emotion_mt.corpus.traces import DIMENSIONS, Trace, read_trace

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
    scale: Scale | None = None,
    encoding: str | None = None,
) -> Reading:
    """Reads the movies found anywhere under a folder, in the paper's order.

    Traces are `subj{S}_{I}_{Movie}.dat` (viewer S, pass I) and
    `intended_{I}.dat`, or `.csv`; subtitles and videos are named after the
    movie or lie in a folder named after it; see `finder.find_files`. Passes of
    a rater are averaged per segment.

    The annotation is "experienced" (one viewer per subject, "V1", "V2", …) or
    "intended" (one rater, "Expert"); for the other arguments see
    `load_corpus`. A movie with a problem is not used.
    """
    unknown = sorted(set(movies or ()) - set(films.FILM_CODES))
    if unknown:
        raise ValueError(
            f"`movies` must be among {films.FILM_CODES}. Received: {unknown}"
        )
    found, messages = finder.find_files(folder), Messages()
    for problem in found.unreadable:
        messages.problem(problem)
    wanted = tuple(dict.fromkeys(movies or ()))
    if movies is None:
        _say_unknown(folder, found, messages)
        with_subtitles = {file.movie for file in found.subtitles}
        # The full release has traces of five movies more than the paper uses.
        # If they lack subtitles, that must not stop anyone.
        unused = set(found.movies) - set(paper.MOVIES) - with_subtitles
        wanted = tuple(movie for movie in found.movies if movie not in unused)
        messages.notes += [
            f"{movie}: not used; no subtitle file (the paper does not use "
            "this movie)"
            for movie in found.movies
            if movie in unused
        ]
    how = (annotation, dimension, scale, encoding)
    readers = [
        _MovieReader(folder, found, movie, messages, *how) for movie in wanted
    ]
    readings = [reading for r in readers if (reading := r.read())]
    everyone = {viewer for movie in readings for viewer in movie.ratings}
    messages.notes += [
        f"{movie.source.movie}: no trace of {viewer}"
        for movie in readings
        for viewer in sorted(everyone - set(movie.ratings))
    ]
    return Reading(readings, messages.problems(*wanted), messages.notes)


def _say_unknown(
    folder: Path, found: finder.FoundFiles, messages: Messages
) -> None:
    """Files that belong to no movie: traces are a problem, others are not."""
    known = ", ".join(films.TRACE_NAMES.values())
    for name, paths in found.unknown_traces.items():
        messages.problem(
            f"{paths[0]}: expected the name of a known movie ({known}). "
            f"Received {repr(name) if name else 'none in file and folders'}"
            + (f" (in {len(paths)} trace files)" if len(paths) > 1 else "")
        )
    if paths := found.unknown_media:
        messages.notes.append(
            f"{folder}: {len(paths)} subtitle or video files belong to no "
            f"known movie, for example {paths[0]}"
        )


@dataclasses.dataclass(frozen=True)
class _MovieReader:
    """Reads one movie; what is wrong with it goes to `messages`."""

    folder: Path
    found: finder.FoundFiles
    movie: str
    messages: Messages
    annotation: str
    dimension: str
    scale: Scale | None
    encoding: str | None

    def read(self) -> MovieReading | None:
        """Returns the movie; None if there is a problem with it."""
        traces, subtitles = self._traces(), self._subtitles()
        video = self._video()
        if subtitles is None or self.messages.spoilt(self.movie):
            return None
        segments = [
            Segment(*self._place(cue), cue.text, video)
            for cue in subtitles.usable
        ]
        ratings = self._rate(segments, traces)
        until_s = max(t.end_s for passes in traces.values() for t in passes)
        past = f"past the end of the traces ({until_s:.2f} s)"
        reasons = [past if s.start_s > until_s else NO_SAMPLE for s in segments]
        kept, ratings, unrated = keep_rated(segments, ratings, reasons)
        if not kept and not self.messages.spoilt(self.movie):
            self._problem(
                f"{self.movie}: expected subtitles within the traces, which "
                f"end at {until_s:.2f} s. Received {subtitles.path} with "
                f"{len(subtitles.cues)} cues, none of which can be used"
            )
        if self.messages.spoilt(self.movie):
            return None
        left_out = [
            LeftOut(*self._place(cue), cue.left_out)
            for cue in subtitles.cues
            if cue.left_out
        ]
        source = Source(
            movie=self.movie,
            subtitles=str(subtitles.path),
            encoding=subtitles.encoding,
            traces=sum(map(len, traces.values())),
            rated_until_s=until_s,
            video=video,
        )
        return MovieReading(kept, ratings, (*left_out, *unrated), source)

    def _place(self, cue: Cue) -> tuple[str, str, float, float]:
        segment_id = f"{self.movie}_{cue.number:04d}"
        return segment_id, self.movie, cue.start_s, cue.end_s

    def _problem(self, message: str) -> None:
        self.messages.problem(message, self.movie)

    def _traces(self) -> dict[str, list[Trace]]:
        """The traces of each viewer."""
        files = [t for t in self.found.traces if t.movie == self.movie]
        wanted = [t for t in files if t.annotation == self.annotation]
        if not wanted:
            example = _EXAMPLES[self.annotation].format(
                name=films.TRACE_NAMES[self.movie], code=self.movie
            )
            received = "none"
            if files:
                received = (
                    f"only {len(files)} of the other annotation "
                    f"({files[0].annotation!r})"
                )
            self._problem(
                f"{self.folder}: {self.movie}: expected {self.annotation} "
                f"traces, such as {example}. Received {received}"
            )
        used, problems, notes = finder.pick_traces(wanted)
        self.messages.notes += notes
        traces: dict[str, list[Trace]] = {}
        for file in used:
            viewer = f"V{file.subject}" if file.subject else EXPERT
            try:
                trace = read_trace(file.path, self.scale, self.encoding)
            except CorpusError as error:
                problems += error.problems
                continue
            if np.isnan(
                trace.values[:, DIMENSIONS.index(self.dimension)]
            ).all():
                problems.append(
                    f"{file.path}: expected a column {self.dimension}. "
                    "Received none"
                )
            traces.setdefault(viewer, []).append(trace)
            self.messages.notes += trace.notes
        for problem in problems:
            self._problem(problem)
        return traces

    def _pick(
        self, files: Sequence[finder.MediaFile], kind: str
    ) -> Path | None:
        """The movie's one file of a kind; None if there is none."""
        candidates = [file for file in files if file.movie == self.movie]
        best, message = finder.pick_media(candidates, kind)
        if len(best) > 1:
            self._problem(message)
        elif message:
            self.messages.notes.append(message)
        return best[0] if len(best) == 1 else None

    def _subtitles(self) -> Subtitles | None:
        path = self._pick(self.found.subtitles, "subtitle file")
        if path is None:
            if not any(f.movie == self.movie for f in self.found.subtitles):
                self._problem(
                    f"{self.folder}: {self.movie}: expected a subtitle file, "
                    f"such as {self.movie}.srt or "
                    f"{self.movie}/text/subtitle.srt. Received none"
                )
            return None
        try:
            subtitles = read_subtitles(path, self.encoding)
        except CorpusError as error:
            for problem in error.problems:
                self._problem(problem)
            return None
        self.messages.notes += subtitles.notes
        return subtitles

    def _video(self) -> str | None:
        path = self._pick(self.found.videos, "video")
        if path is not None and (fault := finder.fault_of_video(path)):
            self._problem(f"{path}: expected a video. Received {fault}")
        return None if path is None else str(path)

    def _rate(
        self, segments: Sequence[Segment], traces: Mapping[str, Sequence[Trace]]
    ) -> dict[str, np.ndarray]:
        """Returns each viewer's float64 [N], the mean over the passes."""
        times = [[s.start_s for s in segments], [s.end_s for s in segments]]
        ratings = {}
        for viewer, passes in traces.items():
            means = []
            for trace in passes:
                mean = trace.segment_means(self.dimension, *times)
                covered = int(is_rated(mean).sum())
                means.append(mean)
                if fault := trace.fault_of_unit(max(times[1], default=0.0)):
                    self._problem(fault)
                elif covered < len(segments) / 2:
                    self.messages.notes.append(
                        f"{trace.path}: covers {covered} of {len(segments)} "
                        f"cues, from {trace.time_s[0]:.2f} to "
                        f"{trace.end_s:.2f} s"
                    )
            ratings[viewer] = mean_of_rated(np.stack(means))
        return ratings
