"""The best possible scores."""

import dataclasses

import numpy as np
import pytest

from emotion_mt.corpus import load_corpus
from emotion_mt.corpus.simulation import (
    SimulationConfig,
    ceiling_accuracies,
    simulate_state,
)


def test_ceiling_is_what_a_knowing_predictor_scores_on_the_files(
    tiny_state, tiny_folder
):
    """Computed again, sample by sample, against the labels as loaded."""
    for column, dimension in enumerate(("valence", "arousal")):
        corpus = load_corpus(tiny_folder, dimension=dimension)
        scales = tiny_state.scales
        for film in tiny_state.films:
            movie = film.profile.movie
            line = film.timeline
            rows = corpus.rows([movie])
            right = np.zeros(8)
            for row, start, end in zip(
                rows, line.cue_start_ms, line.cue_end_ms, strict=False
            ):
                first, last = (
                    -(-start // 40),
                    min(end // 40, line.trace_samples - 1),
                )
                response = film.feelings.response[first : last + 1, :, column]
                marks = scales.range[:, column] * (
                    response + scales.offset[:, column]
                )
                known = np.clip(marks, -1, 1).mean(axis=0)
                known = np.append(known, known.mean())
                right += (known > 0) == (corpus.labels[row] == 1)
            expected = right / len(rows)
            found = ceiling_accuracies(tiny_state, dimension)[movie]
            assert list(found) == list(corpus.viewers)
            assert list(found.values()) == pytest.approx(expected)
            assert corpus.ceiling[movie] == found


def test_less_noise_raises_the_ceiling():
    def mean(**changes):
        config = SimulationConfig().with_shared_share(0.3)
        config = dataclasses.replace(config, **changes)
        # With fewer segments, single ones decide.
        state = simulate_state(0, 60, config)
        by_film = ceiling_accuracies(state, "valence")
        return np.mean([list(row.values()) for row in by_film.values()])

    noisy = mean(marker_noise=0.5, repeat_correlation=0.5)
    usual = mean()
    clear = mean(marker_noise=0.0, repeat_correlation=1.0)
    assert noisy < usual - 0.03
    assert usual < clear - 0.03
    # What is left without noise is the hand, which follows with a lag.
    assert 0.9 < clear < 1
