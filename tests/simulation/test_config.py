"""Settings of the simulation."""

import dataclasses

import pytest

from emotion_mt import paper
from emotion_mt.simulation import (
    FilmProfile,
    SimulationConfig,
    simulate_state,
)


def test_defaults_are_the_papers():
    config = SimulationConfig()
    assert tuple(film.movie for film in config.films) == paper.MOVIES
    assert tuple(v.name for v in config.viewers) == paper.VIEWERS
    positive = paper.published("II", "Positive").values
    for viewer in config.viewers:
        assert viewer.positive_share == positive[viewer.name] / 100
        total = viewer.sharing**2 + config.own_share(viewer) + 0.2
        assert total == pytest.approx(1)
    assert config.average_share == positive["Vavg"] / 100
    # The twelve files of a film in COGNIMUSE.
    assert [v.passes for v in config.viewers] == [2, 2, 1, 2, 2, 1, 2]


def viewer(**changes):
    first = SimulationConfig().viewers[0]
    return (dataclasses.replace(first, **changes),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text_informativeness": 1.1}, r"`text_informativeness` must be in"),
        ({"visual_informativeness": -0.1}, r"`visual_informativeness` must"),
        ({"marker_noise": 1.0}, r"`marker_noise` must be in \[0, 1\)"),
        ({"repeat_correlation": 0.7}, r"`repeat_correlation` must be in \[1 -"),
        ({"cue_median_s": 0.0}, r"`cue_median_s` must be greater than 0.*0\.0"),
        ({"average_share": 1.0}, r"`average_share` must be in \(0, 1\)"),
        ({"width_px": 223}, r"`width_px` must be even.*Received: 223"),
        ({"films": ()}, r"`films` must be different films.*Received: \[\]"),
        ({"films": (FilmProfile("XXX", 1, 0.0, 0.0),)}, r"`films` .*'XXX'"),
        ({"viewers": viewer() * 2}, r"`viewers` must be .*\['V1', 'V1'\]"),
        ({"viewers": viewer(sharing=0.95)}, r"`sharing` .* 1\. .* V1: 0\.95"),
        ({"viewers": viewer(positive_share=1.0)}, r"in \(0, 1\).*V1: 1\.0"),
        ({"viewers": viewer(passes=3)}, r"`passes` must be 1 or 2.*V1: 3"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SimulationConfig(**changes)


@pytest.mark.parametrize("segments", [2, 17])
def test_cues_are_shared_out_like_the_real_ones(segments):
    state = simulate_state(0, segments, SimulationConfig())
    counts = [film.timeline.rated for film in state.films]
    real = [375, 475, 270, 495, 492, 283, 306]
    assert sum(counts) == 7 * segments
    for count, exact in zip(counts, real, strict=True):
        assert abs(count - exact / sum(real) * 7 * segments) < 1
    assert min(counts) >= 1
