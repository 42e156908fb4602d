import pathlib
import re
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from emotion_mt.features import (
    Extraction,
    FeatureConfig,
    VideoError,
    build_i3d,
    extract,
    extract_features,
    extract_histograms,
    extraction,
    store,
    weights,
)


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


@pytest.fixture(scope="module")
def expected(corpus, network):
    """Features of the corpus, one window at a time."""
    features = np.full((len(corpus), 4), np.nan, np.float32)
    for row, segment in corpus.segments.iterrows():
        if pd.isna(segment.video):
            continue
        capture = cv2.VideoCapture(segment.video)
        frames = []
        while (decoded := capture.read())[0]:
            small = cv2.resize(decoded[1], (16, 16))[..., ::-1]
            frames.append(small.astype(np.float32) / 127.5 - 1)
        capture.release()
        first, stop = round(segment.start_s * 25), round(segment.end_s * 25)
        if stop - first < 16:
            first = (first + stop) // 2 - 8
            stop = first + 16
        mixed_5c = [
            np.asarray(network(np.stack(frames[s : s + 16])[None]))
            for s in range(first, stop - 15, 8)
        ]
        features[row] = np.max(np.mean(mixed_5c, axis=(1, 2, 3, 4)), axis=0)
    return features


def run(corpus, i3d, folder, **more):
    return extract(corpus, i3d, folder, progress=False, **more)


@pytest.mark.parametrize("batch_windows", [1, 4, 100])
def test_features_equal_a_plain_computation(
    corpus, network, expected, tmp_path, batch_windows
):
    result = run(corpus, network, tmp_path, batch_windows=batch_windows)
    assert isinstance(result, Extraction)
    assert result.features.dtype == np.float32
    assert result.features.shape == (7, 4)
    assert np.isnan(result.features[3]).all()
    np.testing.assert_allclose(result.features, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(result.features[5], result.features[6])
    report = result.report
    assert (report.films, report.segments_computed) == (2, 5)
    # 3 + 3 + 1 windows of A, 6 + 1 of B; the repeated segment costs nothing.
    assert report.windows == 14
    assert 0 < report.decode_s < report.total_s
    assert 0 < report.network_s < report.total_s


def part_of(corpus, rows):
    segments = corpus.segments.iloc[rows].reset_index(drop=True)
    return corpus.replace(segments=segments, values=corpus.values[rows])


def test_only_new_segments_are_computed(corpus, network, tmp_path):
    run(part_of(corpus, [0, 1, 2, 4]), network, tmp_path)
    first = run(corpus, network, tmp_path)
    report = first.report
    assert (report.segments_stored, report.segments_computed) == (4, 1)
    assert report.windows == 1
    second = run(corpus, network, tmp_path)
    np.testing.assert_array_equal(first.features, second.features)
    assert second.report.windows == second.report.segments_computed == 0
    assert "5 segments from the store, 0 computed" in str(second.report)


@pytest.mark.parametrize(
    "change",
    [
        *("weights", "dtype", "video", "segment", "version"),
        *({"stride_frames": 4}, {"resize": "crop"}, {"fps": None}),
    ],
)
def test_what_makes_features_stale(
    tools, films, network, tmp_path, monkeypatch, change
):
    path = tmp_path / "film.avi"
    shutil.copy(films["A"], path)
    corpus = tools.make_corpus([("A", 0.0, 1.3, str(path))])
    before = run(corpus, network, tmp_path / "store").features
    with monkeypatch.context() as patch:
        other, more = network, {}
        if change == "weights":
            other = tools.quick_network(seed=1)
        elif change == "dtype":
            other = tools.quick_network(dtype="mixed_bfloat16")
        elif change == "version":
            patch.setattr(store, "VERSION", store.VERSION + 1)
        elif change == "video":
            shutil.copy(films["B"], path)
        elif change == "segment":
            corpus = tools.make_corpus([("A", 0.04, 1.34, str(path))])
        else:
            more["config"] = FeatureConfig(**change)
        result = run(corpus, other, tmp_path / "store", **more)
        assert result.report.segments_computed == 1
        # The rate of the film is that of the paper.
        same = change in ("version", {"fps": None})
        assert np.array_equal(result.features, before) == same
        fresh = run(corpus, other, tmp_path / "fresh", **more)
        np.testing.assert_array_equal(result.features, fresh.features)
    # The features of before are still there.
    shutil.copy(films["A"], path)
    corpus = tools.make_corpus([("A", 0.0, 1.3, str(path))])
    again = run(corpus, network, tmp_path / "store")
    assert again.report.segments_computed == 0
    np.testing.assert_array_equal(again.features, before)


def test_a_moved_film_keeps_its_features(tools, films, network, tmp_path):
    for stored, name in ((0, "here.avi"), (2, "there.avi")):
        path = tmp_path / name
        shutil.copy(films["A"], path)
        rows = [("A", 0.0, 1.3, str(path)), ("A", 8.0, 9.0, str(path))]
        report = run(tools.make_corpus(rows), network, tmp_path / "s").report
        assert report.segments_stored == stored
        (problem,) = report.problems
        assert problem.startswith(f"{path}: expected frames up to 9")


def test_bad_films_are_listed_and_the_others_kept(
    tools, films, corpus, network, expected, tmp_path
):
    store = tmp_path / "store"
    rows = [(name, 0.0, 1.0, films[name]) for name in ("TXT", "GONE")]
    good = corpus.segments[corpus.segments["movie"] == "A"]
    rows += [("A", s.start_s, s.end_s, s.video) for s in good.itertuples()]
    with pytest.raises(VideoError) as caught:
        run(tools.make_corpus(rows), network, store)
    gone, received, where = caught.value.problems
    assert re.search(r"gone\.avi: .* Received: no such file", gone)
    assert re.search(r"text\.avi: expected .* Received a file of", received)
    assert f"all other films are in {store}" in where
    # The good film is in the store.
    result = run(tools.make_corpus(rows[2:]), network, store)
    assert result.report.windows == 0
    np.testing.assert_allclose(
        result.features, expected[:3], rtol=1e-4, atol=1e-5
    )


def test_segments_without_frames_are_named_and_have_no_feature(
    tools, films, network, expected, tmp_path, capsys
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
        result = run(corpus, network, tmp_path / "store")
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
    extract_features(corpus, network, tmp_path / "store")
    assert capsys.readouterr().err.count(beyond[0]) == 1


def test_problems_are_those_of_the_segments_at_hand(
    tools, films, network, tmp_path
):
    """They follow the segments, whatever was decoded before."""
    times = [(0.0, 1.0), (1.0, 6.0), (2.0, 7.0), (8.0, 9.0)]
    corpus = tools.make_corpus([("A", *pair, films["A"]) for pair in times])
    for rows, expected in (
        ([0, 2], ["expected frames up to 7.00 .* of 2 .*; 1 segments reach"]),
        ([0, 1, 2, 3], ["up to 9.00 .* of 4 segments .* 100 .*; 3 segments"]),
        ([0, 1], ["up to 6.00 s, .* of 2 segments ends.*; 1 segments reach"]),
        ([0], []),
    ):
        found = run(part_of(corpus, rows), network, tmp_path).report.problems
        assert len(found) == len(expected)
        assert all(map(re.search, expected, found))


@pytest.mark.parametrize(
    "times", [(1.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (0.0, np.inf), (np.nan, 1)]
)
def test_times_that_make_no_sense(tools, films, network, tmp_path, times):
    corpus = tools.make_corpus([("A", 0.0, 1.0, films["A"])])
    # A corpus that is made so refuses what is not finite.
    corpus.segments.loc[0, ["start_s", "end_s"]] = times
    message = r"A\.avi: a segment must have 0 <= start_s < end_s"
    with pytest.raises(VideoError, match=message):
        extract_histograms(corpus, tmp_path, progress=False)
    if np.isfinite(times).all():
        with pytest.raises(VideoError, match=message):
            run(corpus, network, tmp_path)


def test_no_videos_at_all(tools, network, tmp_path):
    corpus = tools.make_corpus([("A", 0.0, 1.0, None), ("A", 1, 2, np.nan)])
    features = extract_features(corpus, network, tmp_path)
    assert features.shape == (2, 4)
    assert np.isnan(features).all()


def test_class_scores_are_no_features(corpus, tmp_path):
    model = build_i3d(include_top=True, image_size_px=32, width=1 / 32)
    with pytest.raises(ValueError, match=r"Mixed_5c.*shape \(None, 400\)"):
        run(corpus, model, tmp_path)


def test_default_store_progress_and_report(
    tools, films, network, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(tmp_path))
    corpus = tools.make_corpus([("My film/1", 0.0, 1.0, films["A"])])
    extract_features(corpus, network)
    shown = capsys.readouterr().err
    for part in ("2 of 2 windows", "windows/s", "Features of 1 films", "decod"):
        assert part in shown
    (stored,) = (tmp_path / "features").glob("*.npz")
    assert re.sub("-.*", "", stored.name) == "My_film_1"
    extract_features(corpus, network)
    assert capsys.readouterr().err == ""


def test_a_stopped_run_keeps_finished_films(
    corpus, network, expected, tmp_path, monkeypatch
):
    film_windows = extraction.film_windows

    def stop_in_second_film(video, *arguments):
        for number, window in enumerate(film_windows(video, *arguments)):
            if video.path.endswith("B.avi") and number == 3:
                raise KeyboardInterrupt
            yield window

    monkeypatch.setattr(extraction, "film_windows", stop_in_second_film)
    with pytest.raises(KeyboardInterrupt):
        run(corpus, network, tmp_path, batch_windows=2)
    monkeypatch.setattr(extraction, "film_windows", film_windows)
    result = run(corpus, network, tmp_path, batch_windows=2)
    assert result.report.segments_stored == 3
    np.testing.assert_allclose(result.features, expected, rtol=1e-4, atol=1e-5)


def test_real_clip_has_its_known_feature(tools, clip, real_variables, tmp_path):
    # Frozen; made with an independent PyTorch port (DESIGN.md).
    expected = np.load(
        clip.with_name("v_GGSY1Qvo990_pooled_mixed5c_frames0-96.npy")
    )
    i3d = build_i3d()
    weights.assign(i3d, real_variables)
    corpus = tools.make_corpus([("CLIP", 0.0, 96 / 19.62, str(clip))])
    config = FeatureConfig(fps=None)
    result = run(corpus, i3d, tmp_path, config=config)
    assert result.report.windows == 11
    np.testing.assert_allclose(result.features[0], expected, atol=1e-3)
