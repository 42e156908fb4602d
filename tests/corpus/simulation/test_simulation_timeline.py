"""Cues, scenes and shots."""

import dataclasses

import numpy as np
import pytest

from emotion_mt.corpus.simulation import SimulationConfig
from emotion_mt.corpus.simulation.config import FILMS
from emotion_mt.corpus.simulation.timeline import STEP_MS, make_timeline

PROFILES = {film.movie: film for film in FILMS}


def timeline(movie="BMI", cues=58, seed=0, **changes):
    return make_timeline(
        PROFILES[movie], cues, seed, SimulationConfig(**changes)
    )


def samples_in_cues(line):
    """Counts the trace samples of each cue, one by one."""
    times_ms = [i * STEP_MS for i in range(line.trace_samples)]
    return [
        sum(start <= t <= end for t in times_ms)
        for start, end in zip(line.cue_start_ms, line.cue_end_ms, strict=True)
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("movie", sorted(PROFILES))
def test_rated_cues_have_samples_and_the_others_none(movie, seed):
    line = timeline(movie, 20, seed)
    counts = samples_in_cues(line)
    assert min(counts[:20]) > 0
    assert counts[20:] == [0] * PROFILES[movie].cues_past_end
    assert line.rated == 20


@pytest.mark.parametrize("seed", range(4))
def test_cues_follow_each_other_with_pauses(seed):
    line = timeline(seed=seed)
    assert (line.cue_end_ms > line.cue_start_ms).all()
    assert (line.cue_start_ms[1:] > line.cue_end_ms[:-1]).all()
    assert line.cue_start_ms[0] >= 3000
    assert line.cue_end_ms[-1] <= line.frames * STEP_MS


@pytest.mark.parametrize("cues", [42, 77, 495])
def test_cue_lengths_are_like_the_real_ones(cues):
    line = timeline("GLA", cues)
    seconds = (line.cue_end_ms - line.cue_start_ms) / 1000
    assert np.median(seconds) == pytest.approx(2.1, abs=0.05)
    assert 5 <= seconds.max() <= 6.4
    low, high = np.quantile(seconds, [0.05, 0.95])
    assert 1.1 <= low <= 1.6
    assert 3.3 <= high <= 5.0


@pytest.mark.parametrize("seed", range(4))
def test_overrunning_films_cut_into_their_last_cue(seed):
    line = timeline("GLA", 20, seed)
    last_sample_ms = (line.trace_samples - 1) * STEP_MS
    assert line.cue_start_ms[-1] < last_sample_ms < line.cue_end_ms[-1]
    assert line.cue_end_ms[-1] - last_sample_ms < 1000


def test_traces_of_other_films_end_with_the_film():
    line = timeline("BMI")
    assert line.trace_samples == line.frames
    assert line.trace_time_s[-1] == pytest.approx(line.duration_s - 0.04)


@pytest.mark.parametrize("seed", range(4))
def test_shots_cover_the_film(seed):
    line = timeline(seed=seed)
    lengths = line.shot_end - line.shot_start
    assert line.shot_start[0] == 0
    assert line.shot_end[-1] == line.frames == lengths.sum()
    assert lengths.min() >= 1.2 * 25
    assert set(np.diff(line.shot_scene)) == {0, 1}
    by_frame = line.shot_of_frame
    assert len(by_frame) == line.frames
    for shot, start in enumerate(line.shot_start):
        assert by_frame[start] == shot
        assert start == 0 or by_frame[start - 1] == shot - 1


def test_means_of_scenes_and_shots_follow_the_settings():
    line = timeline(cues=800, shot_s=3.0, scene_s=20.0)
    shots_s = np.diff(line.shot_start) / 25
    assert shots_s.mean() == pytest.approx(3.0, rel=0.1)
    # A scene ends with the shot that fills it.
    scenes_s = line.duration_s / (line.shot_scene[-1] + 1)
    assert scenes_s == pytest.approx(20.0 + 1.5, rel=0.15)


def test_a_film_depends_on_its_own_names_only():
    one = timeline("CHI", 30, 9)
    other = make_timeline(
        dataclasses.replace(PROFILES["CHI"], valence=-2.0),
        30,
        9,
        SimulationConfig(films=(PROFILES["CHI"],)),
    )
    for field in dataclasses.fields(one):
        same = getattr(one, field.name) == getattr(other, field.name)
        assert np.all(same), field.name
