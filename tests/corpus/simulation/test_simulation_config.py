"""Settings of the simulation."""

import dataclasses
import json

import pytest

from emotion_mt import paper
from emotion_mt.corpus.simulation import SimulationConfig, ViewerProfile
from emotion_mt.corpus.simulation.config import FilmProfile, cue_counts


def test_defaults_are_the_papers():
    config = SimulationConfig()
    assert tuple(film.movie for film in config.films) == paper.MOVIES
    assert tuple(v.name for v in config.viewers) == paper.VIEWERS
    positive = paper.published("II", "Positive").values
    for viewer in config.viewers:
        assert viewer.positive_share == positive[viewer.name] / 100
    assert config.average_share == positive["Vavg"] / 100
    # The twelve files of a film in COGNIMUSE.
    assert [v.passes for v in config.viewers] == [2, 2, 1, 2, 2, 1, 2]


def test_shares_of_a_feeling_add_up_to_one():
    config = SimulationConfig(marker_noise=0.25, repeat_correlation=0.9)
    for viewer in config.viewers:
        total = viewer.sharing**2 + config.own_share(viewer) + 0.25
        assert total == pytest.approx(1)
    assert config.repeat_noise == pytest.approx(0.1)
    assert config.private_noise == pytest.approx(0.15)


def test_shared_share_is_set_for_all_viewers():
    config = SimulationConfig().with_shared_share(0.36)
    assert {v.sharing for v in config.viewers} == {0.6}
    names = [v.name for v in config.viewers]
    assert names == list(paper.VIEWERS)
    with pytest.raises(ValueError, match=r"`share` must be in \[0, 1 - marke"):
        config.with_shared_share(0.9)
    nothing_alone = SimulationConfig().with_shared_share(0.8)
    assert {nothing_alone.own_share(v) for v in nothing_alone.viewers} == {0.0}


def test_to_dict_survives_json():
    settings = SimulationConfig().to_dict()
    assert json.loads(json.dumps(settings)) == settings
    assert set(settings) == {
        field.name for field in dataclasses.fields(SimulationConfig)
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text_informativeness": 1.1}, r"`text_informativeness` must be in"),
        ({"visual_informativeness": -0.1}, r"`visual_informativeness` must"),
        ({"marker_noise": 1.0}, r"`marker_noise` must be in \[0, 1\)"),
        ({"repeat_correlation": 0.7}, r"`repeat_correlation` must be in \[1 -"),
        ({"style_strength": -1.0}, r"`style_strength` must be at least 0"),
        ({"staging": -0.1}, r"`staging` must be at least 0"),
        ({"scene_s": 0.0}, r"`scene_s` must be greater than 0.*0\.0"),
        ({"average_share": 1.0}, r"`average_share` must be in \(0, 1\)"),
        ({"width_px": 223}, r"`width_px` must be even.*Received: 223"),
        ({"films": ()}, r"`films` must be different films.*Received: \[\]"),
        (
            {"films": (FilmProfile("XXX", 1, 0.0, 0.0),)},
            r"`films` must be different films.*'XXX'",
        ),
        (
            {"viewers": (ViewerProfile("V1", 0.5, 0.5, 1),) * 2},
            r"`viewers` must be different viewers.*\['V1', 'V1'\]",
        ),
        (
            {"viewers": (ViewerProfile("V1", 0.5, 0.95, 1),)},
            r"`sharing`² \+ `marker_noise` must be at most 1.*V1",
        ),
        (
            {"viewers": (ViewerProfile("V1", 1.0, 0.5, 1),)},
            r"`positive_share` must be in \(0, 1\).*V1: 1\.0",
        ),
        (
            {"viewers": (ViewerProfile("V1", 0.5, 0.5, 3),)},
            r"`passes` must be 1 or 2.*V1: 3",
        ),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SimulationConfig(**changes)


@pytest.mark.parametrize("segments", [2, 4, 17, 60, 385])
def test_cues_are_shared_out_like_the_real_ones(segments):
    counts = cue_counts(SimulationConfig(), segments)
    real = [375, 475, 270, 495, 492, 283, 306]
    assert sum(counts) == 7 * segments
    for count, exact in zip(counts, real, strict=True):
        assert abs(count - exact / sum(real) * 7 * segments) < 1
    assert min(counts) >= 1


def test_too_few_segments_are_refused():
    with pytest.raises(ValueError, match="`segments_per_movie` must be at l"):
        cue_counts(SimulationConfig(), 1)
