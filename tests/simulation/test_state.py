"""What happens in simulated films, what is felt, and the traces of it."""

import dataclasses

import numpy as np
import pytest

from emotion_mt.corpus import load_corpus
from emotion_mt.simulation import (
    SimulationConfig,
    ViewerProfile,
    ceiling_accuracies,
    simulate_state,
)
from emotion_mt.simulation.hidden import CUES, SHARED_WEIGHTS

CONFIG = SimulationConfig()


# Cues, scenes and shots


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cues_shots_and_traces_fit_the_film(seed):
    for film in simulate_state(seed, 12, CONFIG).films:
        line, past = film.timeline, film.profile.cues_past_end
        starts, ends = line.cue_start_ms, line.cue_end_ms
        assert (starts < ends).all()
        assert (starts[1:] > ends[:-1]).all()
        assert starts[0] >= 3000
        assert ends[-1] <= line.frames * 40
        times_ms = np.arange(line.trace_samples) * 40
        inside = (starts[:, None] <= times_ms) & (times_ms <= ends[:, None])
        rated = inside.any(axis=1).tolist()
        assert rated == [True] * line.rated + [False] * past
        over_ms = ends[line.rated - 1] - times_ms[-1]
        assert (0 < over_ms < 1000) == film.profile.overrun
        assert film.profile.overrun or past or len(times_ms) == line.frames
        assert line.shot_start[0] == 0
        assert line.shot_frames.min() >= 1.2 * 25
        assert line.shot_frames.sum() == line.frames
        frames = np.arange(line.frames)
        expected = np.searchsorted(line.shot_start, frames, "right") - 1
        np.testing.assert_array_equal(line.shot_of_frame, expected)
        assert set(np.diff(line.shot_scene)) <= {0, 1}


@pytest.mark.parametrize("median_s", [2.1, 0.8])
def test_cue_lengths_are_like_the_real_ones(median_s):
    config = dataclasses.replace(CONFIG, cue_median_s=median_s)
    for film in simulate_state(0, 60, config).films:
        lengths = film.timeline.cue_end_ms - film.timeline.cue_start_ms
        found = np.quantile(lengths / 1000 / median_s, [0.05, 0.5, 0.95, 1])
        assert found == pytest.approx([0.64, 1.0, 1.9, 2.75], rel=0.2)


# Content and feelings


def test_statistics_of_a_film_are_those_of_its_profile(state):
    for film in state.films:
        shots = film.timeline.shot_of_frame
        everything = film.content[shots]
        mean = everything.mean(axis=0)
        for dimension, weights in SHARED_WEIGHTS.items():
            own = np.array([weights.get(cue, 0.0) for cue in CUES])
            found = mean @ own / np.linalg.norm(own)
            assert found == pytest.approx(getattr(film.profile, dimension))
        # Nearly uncorrelated cues of unit variance. As they are drawn, they
        # would have 0.17 or more, and 1.3 or more.
        between = np.corrcoef(everything.T) - np.eye(len(CUES))
        assert np.abs(between).sum() / (11 * 10) < 0.13
        assert everything.var(axis=0).max() < 1.1


def test_shares_are_shares_of_variance_and_noise_is_slow(state):
    squares, products = np.zeros((3, 7)), np.zeros(4)
    for film in state.films:
        feelings = film.feelings
        noise = feelings.felt - feelings.response[:, feelings.viewer_of_pass]
        later = [(noise[:-lag] * noise[lag:]).mean() for lag in (63, 125)]
        # The first two passes are of one viewer: 0.8 - 0.6 of 0.2 is drawn
        # anew for each pass, so nothing is left in common.
        both = (noise[:, 0] * noise[:, 1]).mean()
        products += [*later, both, (noise**2).mean()]
        first = np.searchsorted(feelings.viewer_of_pass, np.arange(7))
        shared, response, felt = (
            values - values.mean(axis=0)
            for values in (
                feelings.shared[:, :1],
                feelings.response[:, :, 0],
                feelings.felt[:, first, 0],
            )
        )
        squares[0] += (shared * response).mean(axis=0) / (shared**2).mean()
        squares[1] += ((felt - response) ** 2).mean(axis=0)
        squares[2] += (felt**2).mean(axis=0)
    sharing = [viewer.sharing for viewer in CONFIG.viewers]
    np.testing.assert_allclose(squares[0] / 7, sharing, atol=0.1)
    np.testing.assert_allclose(squares[1] / squares[2], 0.2, atol=0.05)
    # White noise through a Gaussian of width w: exp(-lag²/(4 w²)).
    expected = [np.exp(-0.25), np.exp(-1), 0.0]
    np.testing.assert_allclose(products[:3] / products[3], expected, atol=0.1)


def test_without_noise_both_passes_are_the_response():
    clear = dataclasses.replace(
        CONFIG, marker_noise=0.0, repeat_correlation=1.0
    )
    for film in simulate_state(3, 4, clear).films:
        found = film.feelings
        expected = found.response[:, [0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6]]
        np.testing.assert_array_equal(found.felt, expected)
    alike = [dataclasses.replace(v, sharing=1.0) for v in CONFIG.viewers]
    shared = dataclasses.replace(clear, viewers=tuple(alike))
    found = simulate_state(3, 4, shared).films[0].feelings
    expected = np.repeat(found.shared[:, None], 7, axis=1)
    np.testing.assert_allclose(found.response, expected)


def test_a_film_or_viewer_less_changes_nothing_hidden_in_the_others(small):
    both = simulate_state(0, 6, small("BMI", "LOR"))
    one = both.films[0]
    # As many segments as the film had of the twelve.
    few = dataclasses.replace(small("BMI"), viewers=CONFIG.viewers[:4])
    (two,) = simulate_state(0, one.timeline.rated, few).films
    np.testing.assert_array_equal(one.content, two.content)
    np.testing.assert_array_equal(one.feelings.felt[:, :7], two.feelings.felt)
    for name, value in vars(one.timeline).items():
        assert np.all(value == getattr(two.timeline, name)), name


# Traces


def test_the_marker_follows_late_and_gently_and_lies_still(state):
    for film in state.films:
        for traces in (film.traces, film.intended):
            assert np.abs(traces).max() <= 1
            np.testing.assert_array_equal(traces, np.round(traces, 3))
            assert not np.signbit(traces[traces == 0]).any()
            steps = np.abs(np.diff(traces[..., 0], axis=0))
            assert steps.max() <= 0.26
            assert (steps == 0).mean() > 0.5
        felt, marked = film.feelings.felt[..., 0], film.traces[..., 0]
        lags = range(0, 50, 5)
        alike = [
            np.corrcoef(felt[: len(felt) - lag].ravel(), marked[lag:].ravel())
            for lag in lags
        ]
        best = lags[int(np.argmax([found[0, 1] for found in alike]))]
        assert 10 <= best <= 40
        # The expert follows what the film shows everyone.
        expert = film.intended[:, :, 0].mean(axis=1)
        together = np.corrcoef(expert, film.feelings.shared[:, 0])[0, 1]
        assert together > 0.6


@pytest.mark.parametrize("average_share", [0.5, 0.62, 0.7])
def test_shares_are_reached_for_other_targets_too(average_share):
    config = SimulationConfig(
        viewers=(
            ViewerProfile("V1", 0.3, 0.5, 2),
            ViewerProfile("V2", 0.8, 0.5, 1),
            ViewerProfile("V3", 0.6, 0.5, 1),
        ),
        average_share=average_share,
    )
    state = simulate_state(1, 30, config)
    shares = np.mean(
        [(film.means("valence") > 0).mean(axis=1) for film in state.films],
        axis=0,
    )
    np.testing.assert_allclose(
        shares, [0.3, 0.8, 0.6, average_share], atol=0.015
    )


# The best possible scores


@pytest.mark.parametrize("dimension", ["valence", "arousal"])
def test_ceiling_is_what_a_knowing_predictor_scores_on_the_files(
    tiny_state, tiny_folder, dimension
):
    """Computed again, sample by sample, against the labels as loaded."""
    corpus = load_corpus(tiny_folder, dimension=dimension)
    column = ("valence", "arousal").index(dimension)
    offset, range_ = (s[:, column] for s in vars(tiny_state.scales).values())
    for film in tiny_state.films:
        movie, line = film.profile.movie, film.timeline
        marks = range_ * (film.feelings.response[:, :, column] + offset)
        marks = np.clip(marks, -1, 1)
        right = []
        for row, start, end in zip(
            corpus.rows([movie]),
            line.cue_start_ms,
            line.cue_end_ms,
            strict=False,
        ):
            known = marks[-(-start // 40) : end // 40 + 1].mean(axis=0)
            known = np.append(known, known.mean())
            right.append((known > 0) == (corpus.labels[row] == 1))
        found = ceiling_accuracies(tiny_state, dimension)[movie]
        assert list(found) == list(corpus.viewers)
        assert list(found.values()) == pytest.approx(np.mean(right, axis=0))
        assert corpus.ceiling[movie] == found
