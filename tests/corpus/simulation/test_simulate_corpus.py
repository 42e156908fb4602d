"""The files of a simulated corpus."""

import dataclasses
import json
import re

import cv2
import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import CorpusError, load_corpus, read_trace
from emotion_mt.corpus.simulation import (
    SIMULATION_VERSION,
    simulate_corpus,
    simulate_state,
    writer,
)


def content_of(folder):
    """Returns path -> bytes of all files but the videos."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".avi"
    }


def decode(path):
    """Returns all frames, and the frame rate that the file states."""
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS)
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            capture.release()
            return frames, rate
        frames.append(frame)


def simulate(folder, config, **changes):
    arguments = {"seed": 5, "segments_per_movie": 2, "jobs": 1} | changes
    return simulate_corpus(folder, config=config, progress=False, **arguments)


def test_layout_is_cognimuses(tiny_folder):
    names = {
        path.relative_to(tiny_folder).as_posix()
        for path in tiny_folder.rglob("*")
        if path.is_file()
    }
    passes = ("1_1", "1_2", "2_1", "2_2", "3_1", "4_1", "4_2", "5_1", "5_2")
    passes += ("6_1", "7_1", "7_2")
    expected = {"simulation.json"}
    for folder, code, name in (
        ("2002BMI", "BMI", "BeautifulMind"),
        ("2003CHI", "CHI", "Chicago"),
        ("2006CRA", "CRA", "Crash"),
        ("2007DEP", "DEP", "TheDeparted"),
        ("2004FNE", "FNE", "FindingNemo"),
        ("2001GLA", "GLA", "Gladiator"),
        ("2004LOR", "LOR", "LOTRReturn"),
    ):
        expected |= {f"Data/{folder}/{code}.{end}" for end in ("avi", "srt")}
        traces = "Emotion Annotation/"
        expected |= {f"{traces}experienced/subj{p}_{name}.dat" for p in passes}
        expected |= {
            f"{traces}intended/intended_{i}_{name}.dat" for i in (1, 2, 3)
        }
    assert names == expected
    # Nothing is left beside it.
    assert [p.name for p in tiny_folder.parent.iterdir()] == ["tiny"]


def test_corpus_loads_as_it_was_simulated(tiny_folder, tiny_state):
    corpus = load_corpus(tiny_folder)
    assert corpus.simulated
    assert corpus.movies == paper.MOVIES
    assert corpus.viewers == (*paper.VIEWERS, "Vavg")
    assert len(corpus) == 4 * 7
    assert corpus.problems == ()
    assert corpus.left_out["movie"].tolist() == ["DEP"] * 3
    assert corpus.left_out["reason"].str.contains("past the end").all()
    for film in tiny_state.films:
        rows = corpus.rows([film.profile.movie])
        np.testing.assert_allclose(
            corpus.values[rows], film.means("valence").T, atol=1e-6
        )
        texts = corpus.segments["text"].iloc[rows].tolist()
        assert texts == list(film.texts[: film.timeline.rated])


def test_other_annotations_load_too(tiny_folder, tiny_state):
    arousal = load_corpus(tiny_folder, dimension="arousal")
    expected = np.hstack([f.means("arousal") for f in tiny_state.films]).T
    np.testing.assert_allclose(arousal.values, expected, atol=1e-6)
    intended = load_corpus(tiny_folder, annotation="intended")
    assert intended.viewers == ("Expert",)
    assert not np.isnan(intended.values).any()


def test_traces_are_written_as_cognimuse_does(tiny_folder, tiny_state):
    folder = tiny_folder / "Emotion Annotation" / "experienced"
    path = folder / "subj7_2_Chicago.dat"
    lines = path.read_text().splitlines()
    row = re.compile(r"\d+(\.\d\d?)? -?[01]\.\d{3} -?[01]\.\d{3}")
    assert all(row.fullmatch(line) for line in lines)
    assert [line.split()[0] for line in lines[:4]] == [
        "0",
        "0.04",
        "0.08",
        "0.12",
    ]
    assert lines[25].startswith("1 ")
    assert lines[30].startswith("1.2 ")
    trace = read_trace(path)
    film = tiny_state.films[1]
    np.testing.assert_allclose(trace.time_s, film.timeline.trace_time_s)
    np.testing.assert_array_equal(trace.values, film.traces[:, -1])


@pytest.mark.parametrize("movie", paper.MOVIES)
def test_videos_play_from_begin_to_end(tiny_folder, tiny_state, movie):
    film = tiny_state.films[paper.MOVIES.index(movie)]
    path = next(tiny_folder.rglob(f"{movie}.avi"))
    frames, rate = decode(path)
    assert rate == 25
    assert len(frames) == film.timeline.frames
    assert frames[0].shape == (64, 112, 3)
    assert film.timeline.duration_s > film.timeline.cue_end_ms[-1] / 1000
    # What is decoded is what was drawn, but for compression.
    some = [0, len(frames) // 2, len(frames) - 1]
    drawn = writer.rendering.render_frames(
        movie, film.timeline, film.content, 3, tiny_state.config, some
    )
    drawn = [picture.astype(int) for picture in drawn]
    for place, number in enumerate(some):
        errors = [np.abs(frames[number] - other).mean() for other in drawn]
        others = [e for i, e in enumerate(errors) if i != place]
        assert errors[place] < min(others) / 3


def test_simulation_file_says_how_it_was_made(tiny_folder, tiny_state):
    found = json.loads((tiny_folder / "simulation.json").read_text())
    assert found["simulated"] is True
    assert found["seed"] == 3
    assert found["segments_per_movie"] == 4
    assert found["version"] == SIMULATION_VERSION
    assert found["config"] == tiny_state.config.to_dict()
    segments = [film["segments"] for film in found["films"].values()]
    assert segments == [f.timeline.rated for f in tiny_state.films]
    assert len(found["files"]) == 7 * (2 + 12 + 3)
    for name, file in found["files"].items():
        assert (tiny_folder / name).stat().st_size == file["bytes"]
    by_movie = found["ceiling"]["valence"]
    assert set(by_movie) == set(paper.MOVIES)
    assert set(by_movie["CRA"]) == {*paper.VIEWERS, "Vavg"}


def test_same_seed_same_files_with_any_number_of_processes(tmp_path, small):
    config = small()
    one = simulate(tmp_path / "one", config)
    two = simulate(tmp_path / "two", config, jobs=2)
    three = simulate(tmp_path / "three", config, seed=6)
    assert content_of(one) == content_of(two)
    assert content_of(one) != content_of(three)
    for movie in ("BMI", "DEP"):
        frames, _ = decode(next(one.rglob(f"{movie}.avi")))
        again, _ = decode(next(two.rglob(f"{movie}.avi")))
        np.testing.assert_array_equal(frames, again)


def test_a_complete_folder_is_used_again(tmp_path, small):
    folder = simulate(tmp_path / "corpus", small(("BMI",)))
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert simulate(folder, small(("BMI",))) == folder
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 6}, r"corpus: expected .* with seed=5 instead of 6\. Choose"),
        ({"segments_per_movie": 3}, r"segments_per_movie=2 instead of 3"),
    ],
)
def test_a_folder_of_other_arguments_is_refused(
    tmp_path, small, changes, message
):
    folder = simulate(tmp_path / "corpus", small(("BMI",)))
    with pytest.raises(CorpusError, match=message):
        simulate(folder, small(("BMI",)), **changes)
    other = dataclasses.replace(small(("BMI",)), scene_s=30.0)
    with pytest.raises(CorpusError, match=r"config\.scene_s=10\.0 inst"):
        simulate(folder, other)
    assert load_corpus(folder).movies == ("BMI",)


def test_a_folder_of_another_version_is_refused(tmp_path, small):
    folder = simulate(tmp_path / "corpus", small(("BMI",)))
    path = folder / "simulation.json"
    content = json.loads(path.read_text()) | {"version": 0, "config": None}
    path.write_text(json.dumps(content))
    message = rf"version=0 instead of {SIMULATION_VERSION}, no config"
    with pytest.raises(CorpusError, match=message):
        simulate(folder, small(("BMI",)))


def test_missing_files_are_named(tmp_path, small):
    folder = simulate(tmp_path / "corpus", small(("BMI",)))
    next(folder.rglob("BMI.avi")).unlink()
    with pytest.raises(CorpusError, match=r"changed: Data/2002BMI/BMI.avi"):
        simulate(folder, small(("BMI",)))


def test_foreign_folders_are_left_alone(tmp_path, small):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "mine.txt").write_text("dear")
    with pytest.raises(CorpusError, match=r"films: expected a new or empty f"):
        simulate(folder, small(("BMI",)))
    assert [p.name for p in folder.iterdir()] == ["mine.txt"]
    with pytest.raises(CorpusError, match=r"mine.txt: expected a folder.*file"):
        simulate(folder / "mine.txt", small(("BMI",)))
    # No lock and no unfinished folder stay behind.
    assert [p.name for p in tmp_path.iterdir()] == ["films"]


def test_an_empty_folder_is_filled(tmp_path, small):
    folder = tmp_path / "deep" / "corpus"
    folder.mkdir(parents=True)
    simulate(folder, small(("BMI",)))
    assert load_corpus(folder).movies == ("BMI",)


def test_impossible_arguments_leave_nothing(tmp_path, small):
    with pytest.raises(ValueError, match="`seed` must be at least 0"):
        simulate(tmp_path / "corpus", small(), seed=-1)
    with pytest.raises(ValueError, match="`segments_per_movie` must be"):
        simulate(tmp_path / "corpus", small(), segments_per_movie=1)
    assert list(tmp_path.iterdir()) == []


class _Stop(BaseException):
    """Like a Ctrl-C."""


def _stop_after(monkeypatch, films):
    """Lets rendering stop in the middle of a film."""
    original = writer.rendering.render_frames
    begun = []

    def stopping(movie, *rest):
        begun.append(movie)
        for number, frame in enumerate(original(movie, *rest)):
            if len(begun) > films and number == 5:
                raise _Stop
            yield frame

    monkeypatch.setattr(writer.rendering, "render_frames", stopping)
    return begun


def test_a_stopped_run_leaves_no_corpus_and_is_continued(
    tmp_path, small, monkeypatch
):
    expected = simulate(tmp_path / "whole", small())
    folder = tmp_path / "corpus"
    with monkeypatch.context() as patch:
        _stop_after(patch, 1)
        with pytest.raises(_Stop):
            simulate(folder, small())
    assert not folder.exists()
    partial = tmp_path / ".corpus.partial"
    assert not (partial / "simulation.json").exists()
    finished = [path.name for path in partial.rglob("*.avi")]
    assert len(finished) == 1
    with monkeypatch.context() as patch:
        begun = _stop_after(patch, 9)
        simulate(folder, small())
    assert [f"{movie}.avi" for movie in begun] != finished
    assert len(begun) == 1
    assert not partial.exists()
    assert content_of(folder) == content_of(expected)


def test_what_is_left_of_another_run_is_not_used(tmp_path, small, monkeypatch):
    folder = tmp_path / "corpus"
    with monkeypatch.context() as patch:
        _stop_after(patch, 1)
        with pytest.raises(_Stop):
            simulate(folder, small())
    simulate(folder, small(), seed=6)
    expected = simulate(tmp_path / "whole", small(), seed=6)
    assert content_of(folder) == content_of(expected)


def test_leftovers_inside_an_unfinished_folder_are_removed(tmp_path, small):
    config = small(("BMI",))
    state = simulate_state(5, 2, config)
    root = tmp_path / ".corpus.partial"
    writer.write_texts(root, state)
    (root / "Data" / "2002BMI" / ".BMI-abc.avi").write_bytes(b"half")
    folder = simulate(tmp_path / "corpus", config)
    hidden = [p.name for p in folder.rglob(".*")]
    assert hidden == []


def test_a_full_disk_is_noticed(tmp_path, small, monkeypatch):
    class Forgetful:
        """A writer that drops frames, as OpenCV's does on a full disk."""

        def __init__(self, *arguments):
            self.real = real(*arguments)
            self.written = 0

        def isOpened(self):
            return self.real.isOpened()

        def write(self, picture):
            self.written += 1
            if self.written < 20:
                self.real.write(picture)

        def release(self):
            self.real.release()

    real = cv2.VideoWriter
    Forgetful.fourcc = real.fourcc
    monkeypatch.setattr(writer.cv2, "VideoWriter", Forgetful)
    with pytest.raises(RuntimeError, match=r"of \d+ frames. Received 19"):
        simulate(tmp_path / "corpus", small(("BMI",)))


def test_an_opencv_without_the_codec_is_named(tmp_path, small, monkeypatch):
    monkeypatch.setattr(writer, "_CODEC", "QQQQ")
    with pytest.raises(RuntimeError, match="an OpenCV that writes QQQQ"):
        simulate(tmp_path / "corpus", small(("BMI",)))


def test_progress_is_shown_on_request(tmp_path, small, capsys):
    simulate_corpus(
        tmp_path / "corpus", 5, 2, small(("BMI",)), progress=True, jobs=1
    )
    assert "frames (100%)" in capsys.readouterr().err
