"""The files of a simulated corpus."""

import dataclasses
import itertools
import json
import re
import shutil

import cv2
import joblib
import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import CorpusError, load_corpus, read_trace
from emotion_mt.simulation import SIMULATION_VERSION, simulate_corpus, writer
from emotion_mt.simulation.pictures import render_frames


def content_of(folder):
    """Returns path -> bytes of all files but the videos."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".avi"
    }


def decode(root, movie):
    """Returns all frames of a film, and the rate that its file states."""
    capture = cv2.VideoCapture(str(next(root.rglob(f"{movie}.avi"))))
    frames = []
    while (found := capture.read())[0]:
        frames.append(found[1])
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return np.stack(frames), rate


def simulate(folder, config, seed=5, segments=2):
    return simulate_corpus(folder, seed, segments, config, progress=False)


@pytest.fixture
def finished(tmp_path, small):
    """A corpus of one film."""
    return simulate(tmp_path / "corpus", small("BMI"))


# What is written


def test_layout_is_cognimuses_and_the_file_says_how_it_was_made(
    tiny_folder, tiny_state
):
    found = json.loads((tiny_folder / "simulation.json").read_text())
    files = [path for path in tiny_folder.rglob("*") if path.is_file()]
    names = {path.relative_to(tiny_folder).as_posix() for path in files}
    assert names == {"simulation.json", *found["files"]}
    assert len(names) == 1 + 7 * (2 + 12 + 3)
    passes = ("1_1", "1_2", "2_1", "2_2", "3_1", "4_1", "4_2", "5_1", "5_2")
    name, traces = "LOTRReturn.dat", "Emotion Annotation/"
    assert names >= {
        *(f"Data/2004LOR/LOR.{end}" for end in ("avi", "srt")),
        *(f"{traces}experienced/subj{p}_{name}" for p in passes),
        *(f"{traces}experienced/subj{p}_{name}" for p in ("6_1", "7_1", "7_2")),
        *(f"{traces}intended/intended_{i}_{name}" for i in (1, 2, 3)),
    }
    # Nothing is left beside it.
    assert [p.name for p in tiny_folder.parent.iterdir()] == ["tiny"]
    assert (found["seed"], found["segments_per_movie"]) == (3, 4)
    assert found["version"] == SIMULATION_VERSION
    config = dataclasses.asdict(tiny_state.config)
    assert found["config"] == json.loads(json.dumps(config))
    segments = [film["segments"] for film in found["films"].values()]
    assert segments == [f.timeline.rated for f in tiny_state.films]
    for row, viewer in enumerate(found["viewers"].values()):
        for name, scale in vars(tiny_state.scales).items():
            assert list(viewer[name].values()) == scale[row].tolist()


def test_corpus_loads_as_it_was_simulated(tiny_folder, tiny_state):
    corpus = load_corpus(tiny_folder)
    assert corpus.simulated
    assert corpus.movies == paper.MOVIES
    assert corpus.viewers == tiny_state.viewers == (*paper.VIEWERS, "Vavg")
    assert len(corpus) == 4 * 7
    assert corpus.problems == ()
    assert corpus.left_out["movie"].tolist() == ["DEP"] * 3
    assert corpus.left_out["reason"].str.contains("past the end").all()
    arousal = load_corpus(tiny_folder, dimension="arousal")
    for film in tiny_state.films:
        rows = corpus.rows([film.profile.movie])
        for found in (corpus, arousal):
            expected = film.means(found.dimension).T
            np.testing.assert_allclose(found.values[rows], expected, atol=1e-6)
        texts = corpus.segments["text"].iloc[rows].tolist()
        assert texts == list(film.texts[: film.timeline.rated])
    intended = load_corpus(tiny_folder, annotation="intended")
    assert intended.viewers == ("Expert",)
    assert not np.isnan(intended.values).any()


def test_traces_are_written_as_cognimuse_does(tiny_folder, tiny_state):
    path = next(tiny_folder.rglob("subj7_2_Chicago.dat"))
    lines = path.read_text().splitlines()
    row = re.compile(r"\d+(\.\d\d?)? -?[01]\.\d{3} -?[01]\.\d{3}")
    assert all(row.fullmatch(line) for line in lines)
    times = [lines[i].split()[0] for i in (0, 1, 25, 30, 250)]
    assert times == ["0", "0.04", "1", "1.2", "10"]
    film, trace = tiny_state.films[1], read_trace(path)
    np.testing.assert_allclose(trace.time_s, film.timeline.trace_time_s)
    np.testing.assert_array_equal(trace.values, film.traces[:, -1])


@pytest.mark.parametrize("movie", paper.MOVIES)
def test_videos_play_from_begin_to_end(tiny_folder, tiny_state, movie):
    film = tiny_state.films[paper.MOVIES.index(movie)]
    frames, rate = decode(tiny_folder, movie)
    assert (rate, frames.shape) == (25, (film.timeline.frames, 64, 112, 3))
    # What is decoded is what was drawn, but for compression.
    some = [0, len(frames) // 2, len(frames) - 1]
    known = (film.timeline, film.content, 3, tiny_state.config)
    drawn = list(render_frames(movie, *known, some))
    for place, number in enumerate(some):
        errors = [cv2.absdiff(frames[number], other).mean() for other in drawn]
        assert errors.pop(place) < min(errors) / 3


def test_same_seed_same_files_with_any_number_of_processes(
    tmp_path, small, monkeypatch
):
    config = small("BMI", "DEP")
    one = simulate(tmp_path / "one", config)
    monkeypatch.setattr(writer, "_FRAMES_PER_PROCESS", 100)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    two = simulate(tmp_path / "two", config)
    three = simulate(tmp_path / "three", config, seed=6)
    assert content_of(one) == content_of(two) != content_of(three)
    for movie in ("BMI", "DEP"):
        np.testing.assert_array_equal(
            decode(one, movie)[0], decode(two, movie)[0]
        )


# Folders that are there


def test_a_complete_folder_is_used_again(finished, small):
    before = {p: p.stat().st_mtime_ns for p in finished.rglob("*")}
    assert simulate(finished, small("BMI")) == finished
    assert {p: p.stat().st_mtime_ns for p in finished.rglob("*")} == before
    next(finished.rglob("BMI.avi")).unlink()
    with pytest.raises(CorpusError, match=r"changed: Data/2002BMI/BMI.avi"):
        simulate(finished, small("BMI"))


def rewrite(folder, **changes):
    """Changes simulation.json; `config` is added to the one that is there."""
    path = folder / "simulation.json"
    content = json.loads(path.read_text())
    if changes.get("config"):
        changes["config"] = content["config"] | changes["config"]
    path.write_text(json.dumps(content | changes))


def test_a_folder_of_other_arguments_is_refused(finished, small):
    config = small("BMI")
    message = r"corpus: expected .* with seed=5 instead of 6\. Choose"
    with pytest.raises(CorpusError, match=message):
        simulate(finished, config, seed=6)
    with pytest.raises(CorpusError, match=r"segments_per_movie=2 instead of 3"):
        simulate(finished, config, segments=3)
    other = dataclasses.replace(config, marker_noise=0.25)
    with pytest.raises(CorpusError, match=r"config\.marker_noise=0\.2 instead"):
        simulate(finished, other)
    assert load_corpus(finished).movies == ("BMI",)
    # One of an earlier release is used if it is the same: settings that were,
    # with their defaults.
    earlier = {"film_taste": 0.2, "staging": 1.5, "style_strength": 0.15}
    earlier |= {"pause_scale": 0.9, "scene_s": 10.0, "shot_s": 4.0}
    rewrite(finished, config=earlier)
    simulate(finished, config)
    rewrite(finished, config=earlier | {"scene_s": 30.0})
    message = r"with config\.scene_s=30\.0 instead of 10\.0\. Choose"
    with pytest.raises(CorpusError, match=message):
        simulate(finished, config)
    rewrite(finished, version=0, config=None)
    message = rf"version=0 instead of {SIMULATION_VERSION}, config=None"
    with pytest.raises(CorpusError, match=message):
        simulate(finished, config)


def test_foreign_folders_are_left_alone_and_empty_ones_filled(
    tmp_path, small, capsys
):
    folder = tmp_path / "films"
    folder.mkdir()
    path = folder / "mine.txt"
    path.write_text("dear")
    for place, message in (
        (folder, r"films: expected a new or empty f"),
        (path, r"mine.txt: expected a folder.*file"),
    ):
        with pytest.raises(CorpusError, match=message):
            simulate(place, small("BMI"))
    for arguments, message in (
        ({"seed": -1}, "`seed` must be at least 0.*-1"),
        ({"segments": 1}, "`segments_per_movie` must .*: 1"),
    ):
        with pytest.raises(ValueError, match=message):
            simulate(tmp_path / "corpus", small("BMI"), **arguments)
    # No lock and no unfinished folder stay behind.
    assert [p.name for p in tmp_path.rglob("*")] == ["films", "mine.txt"]
    (tmp_path / "empty").mkdir()
    simulate_corpus(tmp_path / "empty", 5, 2, small("BMI"))
    assert load_corpus(tmp_path / "empty").movies == ("BMI",)
    assert "frames (100%)" in capsys.readouterr().err


# Runs that end early


class _Stop(BaseException):
    """Like a Ctrl-C."""


@pytest.mark.parametrize("seed", [5, 6])
def test_a_stopped_run_leaves_no_corpus_and_is_continued(
    tmp_path, small, monkeypatch, seed
):
    """What it left is not used for another seed."""
    begun = []

    def stopping(movie, *rest):
        begun.append(movie)
        for number, frame in enumerate(render_frames(movie, *rest)):
            if len(begun) > 1 and number == 5:
                raise _Stop
            yield frame

    folder, config = tmp_path / "corpus", small("BMI", "DEP")
    monkeypatch.setattr(writer, "render_frames", stopping)
    with pytest.raises(_Stop):
        simulate(folder, config)
    assert not folder.exists()
    partial = folder.with_name(".corpus.partial")
    assert not (partial / "simulation.json").exists()
    (path,) = partial.rglob("*.avi")
    # As if that had been killed: half a film in a hidden folder.
    half = path.with_name(f".{path.name}-0123abcd.tmp")
    half.mkdir()
    shutil.copy(path, half)
    drawn = []

    def counted(movie, *rest):
        drawn.append(movie)
        return render_frames(movie, *rest)

    monkeypatch.setattr(writer, "render_frames", counted)
    simulate(folder, config, seed)
    again = [] if seed == 5 else [path.stem]
    assert sorted(drawn) == sorted({"BMI", "DEP"} - {path.stem} | {*again})
    assert not partial.exists()
    whole = simulate(tmp_path / "whole", config, seed)
    assert content_of(folder) == content_of(whole)


def test_videos_that_cannot_be_written_are_named(tmp_path, small, monkeypatch):
    def short(*arguments):  # as if the disk was full after some frames
        return itertools.islice(render_frames(*arguments), 19)

    monkeypatch.setattr(writer, "render_frames", short)
    with pytest.raises(RuntimeError, match=r"BMI.avi: .* Received 19; is"):
        simulate(tmp_path / "corpus", small("BMI"))
