"""Traces, and their calibration to the published shares."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from emotion_mt.corpus.simulation import (
    SimulationConfig,
    ViewerProfile,
    simulate_state,
)
from emotion_mt.corpus.simulation.traces import as_written, rated_means


def exact_means(film):
    """Segment means of valence with fractions, from what is written."""
    line = film.timeline
    owner = film.feelings.viewer_of_pass
    thousandths = np.round(film.traces[:, :, 0] * 1000).astype(int)
    rows = []
    for viewer in range(owner.max() + 1):
        row = []
        for start, end in zip(
            line.cue_start_ms[: line.rated],
            line.cue_end_ms[: line.rated],
            strict=True,
        ):
            inside = [
                i for i in range(line.trace_samples) if start <= 40 * i <= end
            ]
            passes = [
                Fraction(int(thousandths[inside, p].sum()), len(inside))
                for p in np.flatnonzero(owner == viewer)
            ]
            row.append(sum(passes) / len(passes) / 1000)
        rows.append(row)
    return rows


def test_means_are_those_of_exact_arithmetic(tiny_state):
    for film in tiny_state.films:
        exact = exact_means(film)
        found = film.means("valence")
        np.testing.assert_allclose(
            found[:-1], np.array(exact, dtype=float), atol=1e-9
        )
        average = [sum(column) / 7 for column in zip(*exact, strict=True)]
        # The labels are right even where a mean is exactly zero.
        expected = [*exact, average]
        labels = [[value > 0 for value in row] for row in expected]
        np.testing.assert_array_equal(found > 0, labels)


def test_the_second_dimension_is_arousal(tiny_state):
    film = tiny_state.films[0]
    line, owner = film.timeline, film.feelings.viewer_of_pass
    expected = rated_means(film.traces[:, :, 1], line, owner)
    np.testing.assert_array_equal(film.means("arousal")[:-1], expected)
    assert not np.allclose(film.means("valence"), film.means("arousal"))


def test_written_values_have_three_decimals_and_no_negative_zero():
    written = as_written(np.array([-0.0001, 0.12349, 1.7, -3.0]))
    np.testing.assert_array_equal(written, [0.0, 0.123, 1.0, -1.0])
    assert not np.signbit(written[0])


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


def test_without_a_target_the_ranges_are_those_of_the_viewers():
    config = SimulationConfig(average_share=None)
    state = simulate_state(1, 6, config)
    for row, viewer in enumerate(config.viewers):
        assert state.scales.range[row].tolist() == [viewer.range] * 2


def test_less_noise_makes_passes_more_alike():
    def difference(repeat_correlation):
        config = dataclasses.replace(
            SimulationConfig().with_shared_share(0.3),
            marker_noise=0.4,
            repeat_correlation=repeat_correlation,
        )
        state = simulate_state(2, 10, config)
        return np.mean(
            [
                np.abs(f.traces[:, 0] - f.traces[:, 1]).mean()
                for f in state.films
            ]
        )

    assert difference(0.9) < 0.8 * difference(0.6)


def test_a_corpus_is_a_function_of_its_arguments(tiny_state):
    again = simulate_state(3, 4, tiny_state.config)
    other = simulate_state(4, 4, tiny_state.config)
    for one, two, three in zip(
        tiny_state.films, again.films, other.films, strict=True
    ):
        np.testing.assert_array_equal(one.traces, two.traces)
        np.testing.assert_array_equal(one.intended, two.intended)
        assert one.texts == two.texts
        assert one.texts != three.texts


def test_a_film_less_changes_nothing_hidden_in_the_others(small):
    both = simulate_state(0, 6, small(("BMI", "LOR")))
    # As many segments as the film had of the twelve.
    cues = both.films[0].timeline.rated
    alone = simulate_state(0, cues, small(("BMI",)))
    one, two = both.films[0], alone.films[0]
    np.testing.assert_array_equal(one.content, two.content)
    np.testing.assert_array_equal(one.feelings.felt, two.feelings.felt)
    for field in dataclasses.fields(one.timeline):
        a, b = (getattr(film.timeline, field.name) for film in (one, two))
        assert np.all(a == b), field.name


def test_the_expert_follows_the_shared_response(state):
    for film in state.films:
        assert film.intended.shape == (len(film.traces), 3, 2)
        expert = film.intended[:, :, 0].mean(axis=1)
        together = np.corrcoef(expert, film.feelings.shared[:, 0])[0, 1]
        assert together > 0.6
        np.testing.assert_array_equal(film.intended, as_written(film.intended))
