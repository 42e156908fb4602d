"""Frames of simulated films."""

import dataclasses

import cv2
import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.simulation import SimulationConfig, simulate_state
from emotion_mt.simulation.hidden import CUES, VISUAL_CUES
from emotion_mt.simulation.pictures import make_looks, render_frames

CONFIG = SimulationConfig(width_px=96, height_px=64, visual_informativeness=1.0)


@pytest.fixture(scope="module")
def films():
    """Film code to a film of some cues."""
    state = simulate_state(0, 4, CONFIG)
    return {film.profile.movie: film for film in state.films}


def draw(film, seed=0, frames=None):
    movie = film.profile.movie
    drawn = render_frames(
        movie, film.timeline, film.content, seed, CONFIG, frames
    )
    return np.stack(list(drawn))


def one_shot(film, seconds, seed=0, **cues):
    """Draws a film of one shot with the given cues, all others 0."""
    line = dataclasses.replace(
        film.timeline,
        frames=round(seconds * 25),
        shot_start=np.array([0]),
        shot_scene=np.array([0]),
    )
    values = [[cues.get(cue, 0.0) for cue in CUES]]
    shot = dataclasses.replace(film, timeline=line, content=np.array(values))
    return draw(shot, seed)


@pytest.mark.parametrize("movie", paper.MOVIES)
def test_films_are_drawn_frame_by_frame_and_cut(films, movie):
    line = films[movie].timeline
    frames = draw(films[movie])
    assert frames.shape == (line.frames, 64, 96, 3)
    assert frames.dtype == np.uint8
    moved = np.abs(np.diff(frames.astype(int), axis=0))
    # Something moves all the time, and there is more than one colour.
    assert moved.max(axis=(1, 2, 3)).min() > 0
    assert all(frame.std() > 3 for frame in frames)
    cuts = line.shot_start[1:] - 1
    moved = moved.mean(axis=(1, 2, 3))
    assert moved[cuts].mean() > 4 * np.delete(moved, cuts).mean()
    # Some frames are those of the whole film, in any order.
    wanted = [5, 6, line.frames - 1, 40, 0]
    some = draw(films[movie], frames=wanted)
    np.testing.assert_array_equal(some, frames[wanted])
    other = draw(films[movie], seed=1, frames=[0])
    assert (other[0] != frames[0]).mean() > 0.5


def test_films_have_styles_of_their_own(films):
    """Shots that say the same are told apart by film, by their hues."""

    def hues(film, seeds):
        pictures = np.vstack([one_shot(film, 0.04, seed)[0] for seed in seeds])
        hue = cv2.cvtColor(pictures, cv2.COLOR_BGR2HSV)[..., 0]
        return np.bincount(hue.ravel() // 12, minlength=15) / hue.size

    known = {movie: hues(film, (0, 1)) for movie, film in films.items()}
    for movie, film in films.items():
        seen = hues(film, (2, 3))
        distance = {m: np.abs(seen - own).sum() for m, own in known.items()}
        assert min(distance, key=distance.get) == movie, distance


def saturation(frames):
    return cv2.cvtColor(np.vstack(frames), cv2.COLOR_BGR2HSV)[..., 1].mean()


def movement(frames):
    return np.abs(np.diff(frames.astype(float), axis=0)).mean()


@pytest.mark.parametrize(
    ("cue", "seen", "factor"),
    [
        ("light", np.mean, 1.5),
        ("warmth", lambda x: x[..., 2].mean() / x[..., 0].mean(), 1.5),
        ("colour", saturation, 1.3),
        ("pace", movement, 1.3),
        ("unrest", movement, 1.3),
    ],
)
def test_cues_are_seen(films, cue, seen, factor):
    for film in films.values():
        low, high = (
            seen(one_shot(film, 1, **{cue: value})) for value in (-1.5, 1.5)
        )
        assert high > factor * low, film.profile.movie


@pytest.mark.parametrize("movie", ["DEP", "FNE", "LOR"])
def test_things_rise_or_fall(films, movie):
    """The picture that fits the next one best is shifted up, or down."""

    def shift(frames):
        grey = frames.mean(axis=-1).astype(np.float32)
        pairs = zip(grey[:-3], grey[3:], strict=True)
        return np.mean([cv2.phaseCorrelate(a, b)[0][1] for a, b in pairs])

    up, down = (
        shift(one_shot(films[movie], 2, rise=x, pace=1.0, crowd=-2.0))
        for x in (1.5, -1.5)
    )
    assert up < down


def test_looks_follow_content(state):
    informed = {}
    for informativeness in (0.5, 0.95, 1.0):
        found = []
        for film in state.films:
            looks = make_looks(
                film.profile.movie, film.content, 0, informativeness
            )
            shown = np.array([dataclasses.astuple(look) for look in looks])
            assert ((shown > 0) & (shown < 1)).all()
            pairs = zip(film.content.T, shown.T, strict=False)
            found.append([np.corrcoef(*pair)[0, 1] for pair in pairs])
        informed[informativeness] = np.mean(found, axis=0)
    assert len(informed[1.0]) == len(VISUAL_CUES)
    assert (informed[0.95] > 0.7).all()
    assert (informed[0.5] < informed[1.0] - 0.2).all()
