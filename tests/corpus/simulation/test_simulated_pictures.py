"""Frames of simulated films."""

import dataclasses
import itertools
import tracemalloc

import cv2
import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus.simulation import SimulationConfig
from emotion_mt.corpus.simulation.config import FILMS
from emotion_mt.corpus.simulation.content import (
    CUES,
    SHARED_WEIGHTS,
    VISUAL_CUES,
    make_content,
)
from emotion_mt.corpus.simulation.pictures import (
    actors,
    camera,
    particles,
    render_frames,
    scenery,
    shapes,
)
from emotion_mt.corpus.simulation.pictures.style import (
    DESIGNS,
    Look,
    Palette,
    make_looks,
)
from emotion_mt.corpus.simulation.timeline import make_timeline

CONFIG = SimulationConfig(width_px=96, height_px=64)
# What is shown is the content, without accidents and without a style.
PLAIN = dataclasses.replace(
    CONFIG, visual_informativeness=1.0, style_strength=0.0, staging=0.0
)


def film(movie="BMI", cues=6, config=CONFIG, seed=0):
    profile = next(film for film in FILMS if film.movie == movie)
    line = make_timeline(profile, cues, seed, config)
    return line, make_content(profile, line, seed, config)


def one_shot(movie, seconds=3, **cues):
    """Draws a film of one shot with the given cues, all others 0."""
    line, content = film(movie)
    frames = round(seconds * 25)
    line = dataclasses.replace(
        line,
        frames=frames,
        shot_start=np.array([0]),
        shot_scene=np.array([0]),
    )
    values = np.zeros((1, content.shape[1]))
    for cue, value in cues.items():
        values[0, VISUAL_CUES.index(cue)] = value
    return np.stack(list(render_frames(movie, line, values, 0, PLAIN)))


def change(frames):
    """Mean absolute difference of neighbouring frames."""
    return np.abs(np.diff(frames.astype(float), axis=0)).mean()


def saturation(frames):
    return cv2.cvtColor(np.vstack(frames), cv2.COLOR_BGR2HSV)[..., 1].mean()


@pytest.mark.parametrize("movie", paper.MOVIES)
def test_films_are_drawn_frame_by_frame(movie):
    line, content = film(movie, cues=2)
    frames = list(render_frames(movie, line, content, 0, CONFIG))
    assert len(frames) == line.frames
    assert {frame.shape for frame in frames} == {(64, 96, 3)}
    assert {frame.dtype for frame in frames} == {np.dtype(np.uint8)}
    moving = np.abs(np.diff(np.stack(frames).astype(int), axis=0))
    # Something moves all the time, and there is more than one colour.
    assert moving.max(axis=(1, 2, 3)).min() > 0
    assert all(frame.std() > 3 for frame in frames)


def test_cuts_are_where_the_timeline_has_them():
    line, content = film("FNE", cues=8)
    frames = np.stack(list(render_frames("FNE", line, content, 0, CONFIG)))
    moved = np.abs(np.diff(frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
    cuts = line.shot_start[1:] - 1
    inside = np.delete(moved, cuts)
    assert moved[cuts].min() > 2 * np.median(inside)
    assert moved[cuts].mean() > 4 * inside.mean()


def test_some_frames_are_the_same_as_in_the_whole_film():
    line, content = film("GLA", cues=3)
    everything = list(render_frames("GLA", line, content, 7, CONFIG))
    wanted = [5, 6, line.frames - 1, 40, 0]
    some = list(render_frames("GLA", line, content, 7, CONFIG, wanted))
    for number, frame in zip(wanted, some, strict=True):
        np.testing.assert_array_equal(frame, everything[number])


def test_other_seeds_give_other_pictures():
    line, content = film("LOR", cues=2)
    a, b = (
        next(iter(render_frames("LOR", line, content, seed, CONFIG)))
        for seed in (0, 1)
    )
    assert (a != b).mean() > 0.5


def test_one_frame_at_a_time_is_in_memory():
    def peak(frames):
        line, content = film("DEP", cues=40)
        drawn = render_frames("DEP", line, content, 0, CONFIG)
        tracemalloc.start()
        for _ in itertools.islice(drawn, frames):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)  # what is loaded or cached once
    assert peak(500) < 2 * peak(50)


@pytest.mark.parametrize("movie", paper.MOVIES)
def test_light_and_colour_are_seen(movie):
    dark, bright = (one_shot(movie, 0.2, light=x) for x in (-1.5, 1.5))
    assert bright.mean() > 1.5 * dark.mean()
    cold, warm = (one_shot(movie, 0.2, warmth=x) for x in (-1.5, 1.5))

    def red_over_blue(frames):
        return frames[..., 2].mean() / frames[..., 0].mean()

    assert red_over_blue(warm) > 1.5 * red_over_blue(cold)
    grey, bright = (
        saturation(one_shot(movie, 0.2, colour=x)) for x in (-1.5, 1.5)
    )
    assert bright > 1.3 * grey


@pytest.mark.parametrize("cue", ["pace", "unrest"])
@pytest.mark.parametrize("movie", paper.MOVIES)
def test_movement_is_seen(movie, cue):
    slow, fast = (change(one_shot(movie, 1, **{cue: x})) for x in (-1.5, 1.5))
    assert fast > 1.3 * slow


@pytest.mark.parametrize("movie", ["DEP", "FNE", "LOR"])
def test_things_rise_or_fall(movie):
    """The picture that fits the next one best is shifted up, or down."""

    def shift(frames):
        grey = frames.mean(axis=-1).astype(np.float32)
        shifts = [
            cv2.phaseCorrelate(a, b)[0][1]
            for a, b in zip(grey[:-3], grey[3:], strict=True)
        ]
        return np.mean(shifts)

    up, down = (
        shift(one_shot(movie, 2, rise=x, pace=1.0, crowd=-2.0))
        for x in (1.5, -1.5)
    )
    assert up < down


def test_looks_follow_content_and_style():
    line, content = film("CHI", cues=60)

    def table(**changes):
        looks = make_looks(
            "CHI", content, 0, dataclasses.replace(PLAIN, **changes)
        )
        return np.array([dataclasses.astuple(look) for look in looks])

    plain = table()
    assert len(plain) == len(line.shot_start)
    assert ((plain > 0) & (plain < 1)).all()
    # Without style and accidents a look is a function of the content.
    expected = 1 / (1 + np.exp(-1.8 * content[:, : len(VISUAL_CUES)]))
    np.testing.assert_allclose(plain, expected)
    # Staged, every cue follows what can be seen of the shared valence by its
    # weight in it.
    weights = np.array(
        [SHARED_WEIGHTS["valence"].get(c, 0) for c in VISUAL_CUES]
    )
    weights /= np.sqrt((weights**2).sum())
    valence = sum(content[:, k] * weights[k] for k in range(len(VISUAL_CUES)))
    for k, cue in enumerate(VISUAL_CUES):
        shown = content[:, k] + 0.5 * valence * weights[k]
        np.testing.assert_allclose(
            table(staging=0.5)[:, k],
            1 / (1 + np.exp(-1.8 * shown)),
            err_msg=cue,
        )
    # The tone is for the words alone.
    toned = content.copy()
    toned[:, CUES.index("tone")] += 1.0
    assert make_looks("CHI", toned, 0, CONFIG) == make_looks(
        "CHI", content, 0, CONFIG
    )
    # Accidents blur, style shifts.
    blurred = table(visual_informativeness=0.5)
    k = VISUAL_CUES.index("light")
    assert 0.2 < np.corrcoef(plain[:, k], blurred[:, k])[0, 1] < 0.8
    shifts = table(style_strength=1.0).mean(axis=0) - plain.mean(axis=0)
    assert np.abs(shifts).max() > 0.1
    assert [f.name for f in dataclasses.fields(Look)] == list(VISUAL_CUES)


def test_designs_name_what_exists():
    assert set(DESIGNS) == set(paper.MOVIES)
    for design in DESIGNS.values():
        assert design.set_name in scenery.SETS
        assert set(design.actors) <= set(actors.KINDS)
        assert design.particles in particles.KINDS
        assert design.camera in camera.CAMERAS
    assert {d.set_name for d in DESIGNS.values()} == set(scenery.SETS)


def test_blobs_are_stars_or_circles():
    circle = np.linalg.norm(shapes.blob(1.0), axis=1)
    np.testing.assert_allclose(circle, 1)
    star = np.linalg.norm(shapes.blob(0.0), axis=1)
    assert star.max() == pytest.approx(1)
    assert star.min() < 0.65


def test_places_are_scaled_turned_and_moved():
    placed = shapes.place(
        np.array([[1.0, 0.0]]), np.array([10.0, 20.0]), (3.0, 5.0), np.pi / 2
    )
    np.testing.assert_allclose(placed, [[10, 23]])


def test_colours_never_leave_their_range():
    look = Look(*[0.99] * 10)
    palette = Palette(DESIGNS["CHI"], look)
    for role, value in itertools.product(range(3), (0.0, 0.5, 1.0, 2.0)):
        colour = palette.colour(role, value, 1.5, 0.3)
        assert all(0 <= part <= 255 for part in colour)
