"""Reads a folder with COGNIMUSE's movies, in either of its layouts."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from emotion_mt import paper
from emotion_mt.corpus import finder
from emotion_mt.corpus.assemble import Messages, MovieReading
from emotion_mt.corpus.corpus import CorpusError, is_rated, mean_of_rated
from emotion_mt.corpus.films import FILM_CODES, TRACE_NAMES
from emotion_mt.corpus.subtitles import Cue, Subtitles, read_subtitles
from emotion_mt.corpus.tables import Scale
from emotion_mt.corpus.traces import DIMENSIONS, Trace, read_trace

_File = TypeVar("_File", Trace, Subtitles)

_EXAMPLES = {
    "experienced": "subj1_1_{name}.dat",
    "intended": "intended_1_{name}.dat or {code}/emotion/intended_1.dat",
}


def read_cognimuse(
    folder: Path,
    messages: Messages,
    movies: Sequence[str] | None,
    scale: Scale,
    encoding: str | None,
    annotation: str,
    dimension: str,
) -> list[MovieReading]:
    """Reads the movies found anywhere under a folder, in the paper's order.

    Traces are `subj{S}_{I}_{Movie}.dat` (viewer S, pass I) and
    `intended_{I}.dat`, or `.csv`; subtitles and videos are named after the
    movie or lie in a folder named after it; see `finder.find_files`. Passes of
    a rater are averaged per segment.

    The annotation is "experienced" (one viewer per subject, "V1", "V2", …) or
    "intended" (one rater, "Expert"); for the other arguments see
    `load_corpus`. A movie with a problem is not used.
    """
    if unknown := sorted(set(movies or ()) - set(FILM_CODES)):
        raise ValueError(
            f"`movies` must be among {FILM_CODES}. Received: {unknown}"
        )
    files = finder.find_files(folder, messages)
    if movies is None:
        _say_unknown(folder, files, messages)
        there = {file.movie for file in files}
        # The full release has traces of five movies more than the paper uses.
        # If they lack subtitles, that must not stop anyone.
        usable = {file.movie for file in files if file.kind == finder.SUBTITLES}
        usable |= {*paper.MOVIES}
        messages.notes += [
            f"{movie}: not used; no subtitle file (the paper does not use "
            "this movie)"
            for movie in FILM_CODES
            if movie in there - usable
        ]
        movies = [movie for movie in FILM_CODES if movie in there & usable]
    readings, how = [], (annotation, dimension, scale, encoding)
    for movie in dict.fromkeys(movies):
        own = [file for file in files if file.movie == movie]
        reading = _MovieReader(folder, own, movie, messages, *how).read()
        if reading and not messages.spoilt(movie):
            readings.append(reading)
    everyone = {
        str(viewer) for reading in readings for viewer in reading.ratings
    }
    messages.notes += [
        f"{reading.movie}: no trace of {viewer}"
        for reading in readings
        for viewer in sorted(everyone - {*reading.ratings})
    ]
    return readings


def _say_unknown(
    folder: Path, files: Sequence[finder.FoundFile], messages: Messages
) -> None:
    """Files that belong to no movie: traces are a problem, others are not."""
    unknown = [file for file in files if file.movie is None]
    traces = [file for file in unknown if file.kind in finder.ANNOTATIONS]
    for name in dict.fromkeys(file.name for file in traces):
        paths = [file.path for file in traces if file.name == name]
        more = f" (in {len(paths)} trace files)" if paths[1:] else ""
        messages.problem(
            f"{paths[0]}: expected the name of a known movie "
            f"({', '.join(TRACE_NAMES.values())}). Received "
            f"{repr(name) if name else 'none in file and folders'}{more}"
        )
    if media := [file.path for file in unknown if file not in traces]:
        messages.notes.append(
            f"{folder}: {len(media)} subtitle or video files belong to no "
            f"known movie, for example {media[0]}"
        )


@dataclasses.dataclass(frozen=True)
class _MovieReader:
    """Reads one movie from its files; what is wrong goes to `messages`."""

    folder: Path
    files: Sequence[finder.FoundFile]
    movie: str
    messages: Messages
    annotation: str
    dimension: str
    scale: Scale
    encoding: str | None

    def read(self) -> MovieReading | None:
        """Returns the movie; None if its files cannot be read."""
        traces, subtitles = self._traces(), self._subtitles()
        video = finder.pick(self._of(finder.VIDEO), self.messages)
        if video is not None and (fault := finder.fault_of_video(video)):
            self._problem(f"{video}: expected a video. Received {fault}")
        if subtitles is None or self.messages.spoilt(self.movie):
            return None
        until_s = max(t.end_s for passes in traces.values() for t in passes)
        ratings = self._rate(subtitles.usable, traces)
        rated = ratings.notna().any(axis=None)
        if not (rated or self.messages.spoilt(self.movie)):
            self._problem(
                f"{self.movie}: expected subtitles within the traces, which "
                f"end at {until_s:.2f} s. Received {subtitles.path} with "
                f"{len(subtitles.cues)} cues, none of which can be used"
            )
        unused = [cue for cue in subtitles.cues if cue.left_out]
        cues = pd.DataFrame([*unused, *subtitles.usable])
        past = f"past the end of the traces ({until_s:.2f} s)"
        gap = "no trace has a sample in it"
        reasons = np.where(cues["start_s"] > until_s, past, gap)
        segments = cues.assign(
            segment_id=cues["number"].map(f"{self.movie}_{{:04d}}".format),
            movie=self.movie,
            video=None if video is None else str(video),
            reason=cues["left_out"].where(cues["left_out"] != "", reasons),
        )
        return MovieReading(
            self.movie,
            segments,
            ratings.reindex(cues["number"]),
            str(subtitles.path),
            subtitles.encoding,
            sum(map(len, traces.values())),
            until_s,
        )

    def _problem(self, problem: str) -> None:
        self.messages.problem(problem, self.movie)

    def _of(self, *kinds: str) -> list[finder.FoundFile]:
        return [file for file in self.files if file.kind in kinds]

    def _try(
        self,
        read: Callable[..., _File],
        files: Sequence[finder.FoundFile],
        *how: Any,
    ) -> _File | None:
        """Reads one of the files and notes what is said of it, if it can."""
        path = finder.pick(files, self.messages)
        if path is None:
            return None
        try:
            found = read(path, *how)
        except CorpusError as error:
            for problem in error.problems:
                self._problem(problem)
            return None
        self.messages.notes += found.notes
        return found

    def _traces(self) -> dict[str, list[Trace]]:
        """The traces of each viewer."""
        wanted = self._of(self.annotation)
        if not wanted:
            example = _EXAMPLES[self.annotation].format(
                name=TRACE_NAMES[self.movie], code=self.movie
            )
            others = [file.kind for file in self._of(*finder.ANNOTATIONS)]
            received = (
                f"only {len(others)} of the other annotation ({others[0]!r})"
                if others
                else "none"
            )
            self._problem(
                f"{self.folder}: {self.movie}: expected {self.annotation} "
                f"traces, such as {example}. Received {received}"
            )
        traces: dict[str, list[Trace]] = {}
        column = DIMENSIONS.index(self.dimension)
        for numbers, same in itertools.groupby(wanted, lambda f: f.numbers):
            how = (self.scale, self.encoding)
            trace = self._try(read_trace, [*same], *how)
            if trace is None:
                continue
            if not is_rated(trace.values[:, column]).any():
                self._problem(
                    f"{trace.path}: expected a column {self.dimension}. "
                    "Received none"
                )
            viewer = f"V{numbers[0]}" if numbers[0] else "Expert"
            traces.setdefault(viewer, []).append(trace)
        return traces

    def _subtitles(self) -> Subtitles | None:
        candidates = self._of(finder.SUBTITLES)
        if not candidates:
            self._problem(
                f"{self.folder}: {self.movie}: expected a subtitle file, such "
                f"as {self.movie}.srt or {self.movie}/text/subtitle.srt. "
                "Received none"
            )
        return self._try(read_subtitles, candidates, self.encoding)

    def _rate(
        self, cues: Sequence[Cue], traces: Mapping[str, Sequence[Trace]]
    ) -> pd.DataFrame:
        """Returns the means over each viewer's passes, by number of the cue."""
        times = [[cue.start_s for cue in cues], [cue.end_s for cue in cues]]
        ratings = {}
        for viewer, passes in traces.items():
            means = [t.segment_means(self.dimension, *times) for t in passes]
            ratings[viewer] = mean_of_rated(np.stack(means))
            for trace, mean in zip(passes, means, strict=True):
                covered = int(is_rated(mean).sum())
                if fault := trace.fault_of_unit(max(times[1], default=0.0)):
                    self._problem(fault)
                elif covered < len(cues) / 2:
                    self.messages.notes.append(
                        f"{trace.path}: covers {covered} of {len(cues)} "
                        f"cues, from {trace.time_s[0]:.2f} to "
                        f"{trace.end_s:.2f} s"
                    )
        return pd.DataFrame(ratings, index=[cue.number for cue in cues])
