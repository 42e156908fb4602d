import dataclasses
import pathlib
import re
import shutil

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from emotion_mt.features import (
    Extraction,
    FeatureConfig,
    VideoError,
    extract,
    extract_features,
    extraction,
    weights,
)
from emotion_mt.features.i3d import build_i3d

CONFIG = FeatureConfig()


@pytest.fixture(scope="module")
def films(tools, tmp_path_factory):
    """Two films of noise that changes, 4 s and 3 s."""
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    paths = {}
    for name, count in (("A", 100), ("B", 75)):
        frames = rng.integers(0, 256, (count, 6, 8, 3), np.uint8)
        frames = [cv2.resize(f, (64, 48)) for f in frames]
        path = folder / f"{name}.avi"
        paths[name] = tools.write_film(path, frames, codec="FFV1")
    return paths


@pytest.fixture(scope="module")
def corpus(tools, films):
    """Segments that overlap, are short, have no video, or repeat."""
    a, b = films["A"], films["B"]
    return tools.make_corpus(
        [
            ("A", 0.0, 1.3, a),
            ("A", 1.0, 2.5, a),
            ("A", 3.0, 3.2, a),
            ("C", 0.0, 1.0, None),
            ("B", 0.52, 3.0, b),
            ("B", 0.0, 0.7, b),
            ("B", 0.0, 0.7, b),
        ]
    )


def by_hand(corpus, i3d, size=32):
    """Features of a corpus of films at 25 fps, one window at a time."""
    features = np.full((len(corpus), i3d.output_shape[-1]), np.nan, np.float32)
    for row, segment in corpus.segments.iterrows():
        if pd.isna(segment.video):
            continue
        capture = cv2.VideoCapture(segment.video)
        frames = []
        while (decoded := capture.read())[0]:
            small = cv2.resize(decoded[1], (size, size))[..., ::-1]
            frames.append(small.astype(np.float32) / 127.5 - 1)
        capture.release()
        first, stop = round(segment.start_s * 25), round(segment.end_s * 25)
        if stop - first < 16:
            first = (first + stop) // 2 - 8
            stop = first + 16
        pooled = [
            np.asarray(i3d(np.stack(frames[s : s + 16])[None])).mean(
                axis=(0, 1, 2, 3)
            )
            for s in range(first, stop - 15, 8)
        ]
        features[row] = np.max(pooled, axis=0)
    return features


@pytest.fixture(scope="module")
def expected(corpus, small_i3d):
    return by_hand(corpus, small_i3d)


def run(corpus, i3d, folder, **more):
    return extract(corpus, i3d, folder, progress=False, **more)


@pytest.mark.parametrize("batch_windows", [1, 4, 100])
def test_features_equal_a_plain_computation(
    corpus, small_i3d, expected, tmp_path, batch_windows
):
    result = run(corpus, small_i3d, tmp_path, batch_windows=batch_windows)
    assert isinstance(result, Extraction)
    assert result.features.dtype == np.float32
    assert result.features.shape == (7, 32)
    assert np.isnan(result.features[3]).all()
    np.testing.assert_allclose(result.features, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(result.features[5], result.features[6])
    report = result.report
    assert (report.films, report.segments_computed) == (2, 5)
    # 3 + 3 + 1 windows of A, 6 + 1 of B; the repeated segment costs nothing.
    assert report.windows == 14
    assert 0 < report.decode_s < report.total_s
    assert 0 < report.network_s < report.total_s


def test_the_second_time_nothing_is_computed(corpus, small_i3d, tmp_path):
    first = run(corpus, small_i3d, tmp_path)
    second = run(corpus, small_i3d, tmp_path)
    np.testing.assert_array_equal(first.features, second.features)
    assert second.report.windows == second.report.segments_computed == 0
    assert second.report.segments_stored == 5
    assert "5 segments from the store, 0 computed" in str(second.report)


def test_only_new_segments_are_computed(corpus, small_i3d, tmp_path):
    rows = [0, 1, 2, 4]
    segments = corpus.segments.iloc[rows].reset_index(drop=True)
    part = corpus.replace(segments=segments, values=corpus.values[rows])
    run(part, small_i3d, tmp_path)
    report = run(corpus, small_i3d, tmp_path).report
    assert (report.segments_stored, report.segments_computed) == (4, 1)
    assert report.windows == 1


@pytest.mark.parametrize(
    "change", ["weights", "dtype", "config", "video", "segment"]
)
def test_what_makes_features_stale(
    tools, films, small_i3d, small_variables, tmp_path, change
):
    path = tmp_path / "film.avi"
    shutil.copy(films["A"], path)
    corpus = tools.make_corpus([("A", 0.0, 1.3, str(path))])
    i3d, config = small_i3d, CONFIG
    before = run(corpus, i3d, tmp_path / "store").features
    if change == "weights":
        i3d = build_i3d(image_size_px=32, width=tools.width)
        scaled = dict(small_variables)
        name = "RGB/inception_i3d/Mixed_5c/Branch_0/Conv3d_0a_1x1/conv_3d/w"
        scaled[name] = scaled[name] * 1.5
        weights.assign(i3d, scaled)
    elif change == "dtype":
        i3d = build_i3d(dtype="bfloat16", image_size_px=32, width=tools.width)
        weights.assign(i3d, small_variables)
    elif change == "config":
        config = FeatureConfig(stride_frames=4)
    elif change == "video":
        shutil.copy(films["B"], path)
    else:
        corpus = tools.make_corpus([("A", 0.04, 1.34, str(path))])
    result = run(corpus, i3d, tmp_path / "store", config=config)
    assert result.report.segments_computed == 1
    assert not np.array_equal(result.features, before)
    fresh = run(corpus, i3d, tmp_path / "fresh", config=config)
    np.testing.assert_array_equal(result.features, fresh.features)


def test_a_moved_film_keeps_its_features(tools, films, small_i3d, tmp_path):
    run(tools.make_corpus([("A", 0.0, 1.3, films["A"])]), small_i3d, tmp_path)
    moved = tmp_path / "elsewhere.avi"
    shutil.copy(films["A"], moved)
    corpus = tools.make_corpus([("A", 0.0, 1.3, str(moved))])
    assert run(corpus, small_i3d, tmp_path).report.segments_stored == 1


def test_problems_of_a_moved_film_name_it(tools, films, small_i3d, tmp_path):
    for name in ("here.avi", "there.avi"):
        shutil.copy(films["A"], tmp_path / name)
        rows = [("A", 0.0, 1.3, str(tmp_path / name))]
        rows.append(("A", 8.0, 9.0, str(tmp_path / name)))
        corpus = tools.make_corpus(rows)
        (problem,) = run(corpus, small_i3d, tmp_path / "s").report.problems
        assert problem.startswith(f"{tmp_path / name}: expected frames up to 9")


def test_bad_films_are_listed_and_the_others_kept(
    tools, films, corpus, small_i3d, expected, tmp_path
):
    text = tmp_path / "text.avi"
    text.write_text("no film")
    store = tmp_path / "store"
    rows = [
        ("TXT", 0.0, 1.0, str(text)),
        ("GONE", 0.0, 1.0, str(tmp_path / "gone.avi")),
    ]
    good = corpus.segments[corpus.segments["movie"] == "A"]
    rows += [("A", s.start_s, s.end_s, s.video) for s in good.itertuples()]
    with pytest.raises(VideoError) as caught:
        run(tools.make_corpus(rows), small_i3d, store)
    gone, received, where = caught.value.problems
    assert re.search(r"gone\.avi: .* Received: no such file", gone)
    assert re.search(r"text\.avi: expected .* Received a file of", received)
    assert str(store) in where
    # The good film is in the store.
    result = run(tools.make_corpus(rows[2:]), small_i3d, store)
    assert result.report.windows == 0
    np.testing.assert_allclose(
        result.features, expected[:3], rtol=1e-4, atol=1e-5
    )


def test_segments_without_frames_are_named_and_have_no_feature(
    tools, films, small_i3d, expected, tmp_path, capsys
):
    cut = tmp_path / "cut.avi"
    content = pathlib.Path(films["A"]).read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    rows = [("A", 0.0, 1.3, films["A"])]
    rows += [("CUT", 0.0, 0.64, str(cut)), ("CUT", 3.0, 4.0, str(cut))]
    rows += [("LATE", 50.0, 51.0, films["B"])]
    corpus = tools.make_corpus(rows)
    for computed in (4, 0):
        # The second time from the store.
        result = run(corpus, small_i3d, tmp_path / "store")
        assert result.report.segments_computed == computed
        found = np.isfinite(result.features).all(axis=1)
        assert found.tolist() == [True, True, False, False]
        late, beyond = (
            [p for p in result.report.problems if f"{name}.avi: exp" in p]
            for name in ("cut", "B")
        )
        assert re.search(r"frames up to 4\.00 s.*; 1 segments reach", late[0])
        assert re.search(r"up to 51\.00 s.*Received 75 frames", beyond[0])
        assert beyond[0] in str(result.report)
    np.testing.assert_allclose(result.features[0], expected[0], rtol=1e-4)
    extract_features(corpus, small_i3d, tmp_path / "store")
    assert capsys.readouterr().err.count(beyond[0]) == 1


def test_segment_times_that_make_no_sense(tools, films, small_i3d, tmp_path):
    corpus = tools.make_corpus([("A", 2.0, 1.0, films["A"])])
    with pytest.raises(
        VideoError, match=r"A\.avi: a segment must have .* end_s=1\.0"
    ):
        run(corpus, small_i3d, tmp_path)


def test_no_videos_at_all(tools, small_i3d, tmp_path):
    corpus = tools.make_corpus([("A", 0.0, 1.0, None), ("A", 1, 2, np.nan)])
    features = extract_features(corpus, small_i3d, tmp_path)
    assert features.shape == (2, 32)
    assert np.isnan(features).all()


def test_default_store_is_in_the_cache_folder(
    tools, films, small_i3d, tmp_path, monkeypatch
):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(tmp_path / "cache"))
    corpus = tools.make_corpus([("My film/1", 0.0, 1.0, films["A"])])
    extract_features(corpus, small_i3d, progress=False)
    stored = list((tmp_path / "cache" / "features").glob("*.npz"))
    assert [re.sub("-.*", "", p.name) for p in stored] == ["My_film_1"]


def test_class_scores_are_no_features(corpus, tmp_path):
    model = build_i3d(include_top=True, image_size_px=32, width=1 / 32)
    with pytest.raises(ValueError, match=r"Mixed_5c.*shape \(None, 400\)"):
        run(corpus, model, tmp_path)


def test_progress_and_report_are_shown(corpus, small_i3d, tmp_path, capsys):
    extract_features(corpus, small_i3d, tmp_path)
    shown = capsys.readouterr().err
    assert "14 of 14 windows" in shown
    assert "windows/s" in shown
    assert "Features of 2 films" in shown
    assert "decoding" in shown
    extract_features(corpus, small_i3d, tmp_path)
    assert capsys.readouterr().err == ""


def test_a_stopped_run_keeps_finished_films(
    corpus, small_i3d, expected, tmp_path, monkeypatch
):
    film_windows = extraction.film_windows

    def stop_in_second_film(video, *arguments):
        for number, window in enumerate(film_windows(video, *arguments)):
            if video.path.endswith("B.avi") and number == 3:
                raise KeyboardInterrupt
            yield window

    monkeypatch.setattr(extraction, "film_windows", stop_in_second_film)
    with pytest.raises(KeyboardInterrupt):
        run(corpus, small_i3d, tmp_path, batch_windows=2)
    monkeypatch.setattr(extraction, "film_windows", film_windows)
    result = run(corpus, small_i3d, tmp_path, batch_windows=2)
    assert result.report.segments_stored == 3
    np.testing.assert_allclose(result.features, expected, rtol=1e-4, atol=1e-5)


def test_any_network_with_five_axes(films, tools, tmp_path):
    """Features of a network that is easy to compute: mean colours."""
    frames = keras.Input((None, 16, 16, 3))
    pool = keras.layers.AveragePooling3D((8, 4, 4))
    network = keras.Model(frames, pool(frames))
    corpus = tools.make_corpus([("A", 0.0, 0.64, films["A"])])
    received = run(corpus, network, tmp_path).features
    capture = cv2.VideoCapture(films["A"])
    colours = [
        cv2.resize(capture.read()[1], (16, 16)).mean(axis=(0, 1))[::-1]
        for _ in range(16)
    ]
    capture.release()
    expected = np.mean(colours, axis=0) / 127.5 - 1
    np.testing.assert_allclose(received, expected[None], atol=1e-5)


def test_real_clip_has_its_known_feature(tools, clip, real_variables, tmp_path):
    # Frozen; made with an independent PyTorch port (DESIGN.md).
    expected = np.load(
        clip.with_name("v_GGSY1Qvo990_pooled_mixed5c_frames0-96.npy")
    )
    i3d = build_i3d()
    weights.assign(i3d, real_variables)
    corpus = tools.make_corpus([("CLIP", 0.0, 96 / 19.62, str(clip))])
    config = dataclasses.replace(CONFIG, fps=None)
    result = run(corpus, i3d, tmp_path, config=config)
    assert result.report.windows == 11
    np.testing.assert_allclose(result.features[0], expected, atol=1e-3)
