"""Measures of films and traces: cues, markers, content."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from emotion_mt.corpus.simulation import language, lexicon
from emotion_mt.corpus.simulation.config import cue_counts
from emotion_mt.corpus.simulation.content import VISUAL_CUES
from emotion_mt.corpus.simulation.pictures.style import make_looks
from emotion_mt.corpus.simulation.report import agreement
from emotion_mt.corpus.simulation.report.measure import (
    Measure,
    between,
    listed,
    without_target,
)
from emotion_mt.corpus.simulation.state import SimulatedFilm, SimulatedState
from emotion_mt.corpus.simulation.timeline import STEP_MS
from emotion_mt.corpus.simulation.traces import AROUSAL, DECIMALS, VALENCE


def measure_cues(state: SimulatedState) -> Iterator[Measure]:
    """Measures counts, lengths and words of the cues."""
    group = "Cues"
    lines = [film.timeline for film in state.films]
    counts = [line.rated for line in lines]
    expected = cue_counts(state.config, state.segments_per_movie)
    real = ", ".join(str(film.profile.cues) for film in state.films)
    yield Measure(
        group,
        f"cues per film, in proportion to {real}",
        ", ".join(map(str, expected)),
        ", ".join(map(str, counts)),
        counts == expected,
    )
    lengths = [line.cue_end_ms - line.cue_start_ms for line in lines]
    lengths_s = np.concatenate(lengths) / 1000
    median_s = float(np.median(lengths_s))
    yield between(group, "median length of a cue, s", median_s, 2.0, 2.9)
    longest_s = float(lengths_s.max())
    yield between(group, "longest cue, s (near 6)", longest_s, 5.0, 7.0)
    gaps = [line.cue_start_ms[1:] - line.cue_end_ms[:-1] for line in lines]
    pauses_s = np.concatenate(gaps) / 1000
    yield Measure(
        group,
        "pauses between cues, s",
        "all above 0, some above 1",
        f"{pauses_s.min():.2f} to {pauses_s.max():.1f}, "
        f"{(pauses_s > 1).mean():.0%} above 1",
        bool(pauses_s.min() > 0 and (pauses_s > 1).mean() > 0.1),
    )
    past = {f.profile.movie: _past_end(f) for f in state.films}
    past = {movie: number for movie, number in past.items() if number}
    yield Measure(
        group,
        "cues wholly past the end of the traces",
        "DEP 3, others none",
        listed(past, "d"),
        past == {"DEP": 3},
    )
    over = {f.profile.movie: _overrun_s(f) for f in state.films}
    over = {movie: seconds for movie, seconds in over.items() if seconds > 0}
    yield Measure(
        group,
        "last rated cue ends after the traces, by s",
        "FNE and GLA, under 1",
        listed(over, ".2f"),
        set(over) == {"FNE", "GLA"} and max(over.values()) < 1,
    )
    words = [len(text.split()) for film in state.films for text in film.texts]
    yield Measure(
        group,
        "words per cue",
        f"1 to {language.MOST_WORDS}",
        f"{min(words)} to {max(words)}, median {np.median(words):.0f}",
        min(words) >= 1 and max(words) <= language.MOST_WORDS,
    )


def measure_traces(state: SimulatedState) -> Iterator[Measure]:
    """Measures how the marker was moved, and twice the same viewer."""
    group = "Traces"
    everything = [film.traces for film in state.films]
    written = np.concatenate([trace.ravel() for trace in everything])
    exact = bool((written == np.round(written, DECIMALS)).all())
    yield Measure(
        group,
        "rate, range, decimals",
        "25 Hz, within [-1, 1], three",
        f"{1000 / STEP_MS:g} Hz, {written.min():.3f} to {written.max():.3f}, "
        + ("three" if exact else "more"),
        exact and bool(np.abs(written).max() <= 1) and STEP_MS == 40,
    )
    first = np.concatenate([trace[0] for trace in everything])
    valence, arousal = first[:, VALENCE], first[:, AROUSAL]
    yield Measure(
        group,
        "first row: valence, arousal",
        "near 0, near -0.95",
        f"{valence.min():.2f} to {valence.max():.2f}, "
        f"{arousal.min():.2f} to {arousal.max():.2f}",
        bool(
            np.abs(valence).max() < 0.06 and np.abs(arousal + 0.95).max() < 0.06
        ),
    )
    traces = [trace[..., VALENCE] for trace in everything]
    steps = [np.abs(np.diff(trace, axis=0)) for trace in traces]
    yield between(
        group,
        "largest move in 40 ms (real expert: 0.03 to 0.26)",
        max(float(step.max()) for step in steps),
        0.0,
        0.26,
    )
    yield between(
        group,
        "share of time lying still (real expert: 0.89 to 0.96)",
        float(np.mean([(step == 0).mean() for step in steps])),
        0.5,
        1.0,
    )
    second, five = (round(s * 1000 / STEP_MS) for s in (1, 5))
    yield between(
        group,
        "correlation with 1 s later (real expert: 0.99)",
        float(np.mean([agreement.autocorrelation(t, second) for t in traces])),
        0.85,
        1.0,
    )
    later = [agreement.autocorrelation(t, five) for t in traces]
    yield without_target(
        group,
        "correlation with 5 s later (real expert: 0.91 to 0.97)",
        float(np.mean(later)),
    )
    repeats = agreement.repeat_correlations(state)
    wanted = state.config.repeat_correlation
    yield between(
        group,
        "two passes of a viewer correlate",
        float(np.mean(list(repeats.values()))),
        wanted,
        wanted,
        0.06,
    )
    table = agreement.mean_correlations(state)[:-1, :-1] - 2 * np.eye(
        len(state.viewers) - 1
    )
    closest = dict(zip(state.viewers, table.max(axis=0), strict=False))
    closer = sum(repeats[name] > closest[name] for name in repeats)
    yield Measure(
        group,
        "viewers closer to themselves than to any other",
        f"all {len(repeats)} who rated twice",
        f"{closer}",
        closer == len(repeats),
    )


def measure_content(state: SimulatedState) -> Iterator[Measure]:
    """Measures shots, looks and the words of single films."""
    group = "Content"
    lines = [film.timeline for film in state.films]
    shots = np.concatenate([line.shot_end - line.shot_start for line in lines])
    mean_s = float(shots.mean()) * STEP_MS / 1000
    yield between(group, "mean length of a shot, s", mean_s, 3, 6)
    follow = _look_correlations(state)
    weakest = min(follow, key=lambda cue: follow[cue])
    yield Measure(
        group,
        "look follows content within a film, weakest cue",
        "above 0.7",
        f"{weakest}, {follow[weakest]:.2f}",
        follow[weakest] > 0.7,
    )
    said = [_words(film.texts) for film in state.films]
    own = [
        {word.lower() for words in slots.values() for word in words}
        for slots in (
            lexicon.FILM_WORDS[film.profile.movie] for film in state.films
        )
    ]
    used = [len(words & mine) for words, mine in zip(said, own, strict=True)]
    foreign = sum(
        len(words & theirs)
        for i, words in enumerate(said)
        for j, theirs in enumerate(own)
        if i != j
    )
    yield Measure(
        group,
        "words of one film only",
        "5 or more in each film, none of another's",
        f"{min(used)} to {max(used)}, {foreign} of another's",
        min(used) >= 5 and foreign == 0,
    )


def _past_end(film: SimulatedFilm) -> int:
    """Counts the cues that start after the last sample."""
    line = film.timeline
    return int((line.cue_start_ms > (line.trace_samples - 1) * STEP_MS).sum())


def _overrun_s(film: SimulatedFilm) -> float:
    """Returns how long the last rated cue goes on after the last sample."""
    line = film.timeline
    end_ms = (line.trace_samples - 1) * STEP_MS
    return float(line.cue_end_ms[line.rated - 1] - end_ms) / 1000


def _words(texts: tuple[str, ...]) -> set[str]:
    split = (word for text in texts for word in text.split())
    return {word.strip(".,!?").lower() for word in split}


def _look_correlations(state: SimulatedState) -> dict[str, float]:
    """Returns visual cue -> mean over films of its correlation with a look."""
    rows = []
    for film in state.films:
        looks = make_looks(
            film.profile.movie, film.content, state.seed, state.config
        )
        shown = np.array([dataclasses.astuple(look) for look in looks])
        rows.append(
            [
                np.corrcoef(film.content[:, k], shown[:, k])[0, 1]
                for k in range(len(VISUAL_CUES))
            ]
        )
    means = np.mean(rows, axis=0).tolist()
    return dict(zip(VISUAL_CUES, means, strict=True))
