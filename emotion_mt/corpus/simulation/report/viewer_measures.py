"""Measures of the viewers: how positive, how alike, how predictable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from emotion_mt import paper
from emotion_mt.corpus.simulation.ceiling import ceiling_accuracies
from emotion_mt.corpus.simulation.report import agreement, difficulty
from emotion_mt.corpus.simulation.report.measure import (
    Measure,
    between,
    listed,
    without_target,
)
from emotion_mt.corpus.simulation.state import SimulatedState
from emotion_mt.corpus.simulation.traces import VALENCE
from emotion_mt.corpus.traces import DIMENSIONS

#: Share of positive segments of the real expert's traces (public files).
EXPERT_SHARES: Mapping[str, float] = {
    "BMI": 0.035,
    "CHI": 1.000,
    "CRA": 0.000,
    "DEP": 0.606,
    "FNE": 0.839,
    "GLA": 0.788,
    "LOR": 0.183,
}


def measure_shares(state: SimulatedState) -> Iterator[Measure]:
    """Measures how often viewers are positive (Table II, Fig. 4)."""
    group = "Positive segments"
    shares = agreement.positive_shares(state)
    row = paper.published("II", "Positive").values
    for name, share in zip(state.viewers, shares.mean(axis=0), strict=True):
        wanted = row[name] / 100
        yield between(
            group,
            f"{name}, mean over films",
            float(share),
            wanted,
            wanted,
            0.01,
        )
    movies = [film.profile.movie for film in state.films]
    average = dict(zip(movies, shares[:, -1].tolist(), strict=True))
    yield Measure(
        group,
        "Vavg by film",
        "CHI and FNE above 0.62, CRA below; apart by 0.4 or more",
        listed(average, ".2f"),
        min(average["CHI"], average["FNE"]) > 0.62 > average["CRA"]
        and max(average.values()) - min(average.values()) >= 0.4,
    )
    expert = np.array([EXPERT_SHARES[movie] for movie in movies])
    yield between(
        group,
        "Vavg by film, rank correlation with the real expert",
        agreement.rank_correlation(expert, shares[:, -1]),
        0.5,
        1.0,
    )
    yield between(
        group,
        "range over the viewers of a film, mean",
        float(np.ptp(shares[:, :-1], axis=1).mean()),
        0.3,
        1.0,
    )


def measure_correlations(state: SimulatedState) -> Iterator[Measure]:
    """Measures how alike the viewers are (Fig. 3)."""
    group = "Correlations (Fig. 3)"
    table = agreement.mean_correlations(state)
    names = list(state.viewers[:-1])
    average = dict(zip(names, table[-1, :-1].tolist(), strict=True))
    yield between(group, "V1 with Vavg", average["V1"], -0.2, 0.2)
    yield between(
        group, "V1 with any other, most", float(table[0, 1:-1].max()), -1, 0.25
    )
    rest = names[1:]
    best = max(rest, key=lambda name: average[name])
    yield Measure(
        group,
        "highest with Vavg",
        "V5, 0.7 or more",
        f"{best}, {average[best]:.2f}",
        best == "V5" and average[best] >= 0.7,
    )
    worst = min(rest, key=lambda name: average[name])
    yield Measure(
        group,
        "lowest with Vavg but for V1",
        "V7, 0.55 or less",
        f"{worst}, {average[worst]:.2f}",
        worst == "V7" and average[worst] <= 0.55,
    )
    pairs = table[1:-1, 1:-1][np.triu_indices(len(rest), 1)]
    low = int((pairs < 0.4).sum())
    yield Measure(
        group,
        "pairs without V1 below 0.4",
        "several, not all",
        f"{low} of {len(pairs)}",
        3 <= low < len(pairs),
    )
    gain = float(np.mean([average[name] for name in rest]) - pairs.mean())
    yield between(
        group, "viewer-to-average minus viewer-to-viewer, no V1", gain, 0.15, 1
    )


def measure_difficulty(state: SimulatedState) -> Iterator[Measure]:
    """Measures how well simple models do, and the ceiling."""
    group = "Difficulty, without deep models"
    words = difficulty.word_samples(state)
    from_words = float(difficulty.held_out_films(words).mean())
    yield between(
        group,
        "logistic regression on words, held-out film",
        from_words,
        0.53,
        # Wider than the target of the networks, which find less in words that
        # they met a few times only.
        0.66,
    )
    frames = difficulty.frame_samples(state)
    held_out = float(difficulty.held_out_films(frames).mean())
    known = float(difficulty.known_films(frames).mean())
    yield Measure(
        group,
        "logistic regression on frame statistics, held-out film",
        "above 0.5 and below the next row",
        f"{held_out:.2f}",
        0.5 < held_out < known,
    )
    yield without_target(
        group, "the same, held-out segments of a known film", known
    )
    both = difficulty.held_out_films(difficulty.joined(words, frames))
    yield Measure(
        group,
        "the same on words and frame statistics together, held-out film",
        "above either alone",
        f"{both.mean():.2f}",
        bool(both.mean() > max(from_words, held_out)),
    )
    by_film = ceiling_accuracies(state, DIMENSIONS[VALENCE])
    best = np.mean([list(row.values()) for row in by_film.values()], axis=0)
    yield Measure(
        group,
        "ceiling, mean over films: viewers; Vavg",
        "0.8 or more, below 1",
        f"{best[:-1].min():.2f} to {best[:-1].max():.2f}; {best[-1]:.2f}",
        bool(best.min() >= 0.8 and best.max() < 1),
    )
