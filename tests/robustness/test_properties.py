"""Properties of every parser, and of labels, windows and splits.

A parser returns what its documentation says or raises its own error, whatever
it is given. `make test` tries few cases; EMOTION_MT_CASES=10000 tries many.
"""

import csv
import dataclasses
import hashlib
import io
import json
import math
import tempfile
import warnings
from fractions import Fraction
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt import paper
from emotion_mt.corpus import (
    CorpusError,
    labels_from_values,
    load_corpus,
    splits as splits_lib,
)
from emotion_mt.corpus.corpus import MEAN_DECIMALS
from emotion_mt.corpus.subtitles import read_subtitles
from emotion_mt.corpus.textfiles import plain_line, read_text
from emotion_mt.corpus.traces import Trace, read_trace
from emotion_mt.features import FeatureConfig
from emotion_mt.features.windows import count_windows, segment_ticks

many = settings(settings.get_profile("robustness"))

#: Bytes of three kinds: any, any text in some encoding, and lines made of
#: pieces that the parsers look for.
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32")
texts = st.text(max_size=200)


def files(pieces):
    """Files that are nearly right."""
    lines = st.lists(
        st.lists(st.sampled_from(pieces) | st.text(max_size=6), max_size=6).map(
            "".join
        ),
        max_size=20,
    ).map("\n".join)
    encoded = st.builds(
        lambda text, encoding, end: text.replace("\n", end).encode(
            encoding, "surrogatepass"
        ),
        lines | texts,
        st.sampled_from(ENCODINGS),
        st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]),
    )
    return st.binary(max_size=200) | encoded


def read(reader, content):
    """What a reader makes of a file; None if it refuses it as it should."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(content)
        result, problems = attempt(lambda: reader(path))
    for problem in problems:
        assert str(path) in problem
        assert "expected" in problem
        assert "Received" in problem
        assert problem.isprintable()
    return result


def attempt(call):
    """Returns a result, or None and what is wrong with the input."""
    try:
        # A warning is an error, as everywhere in these tests.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return call(), ()
    except CorpusError as error:
        return None, error.problems


# --- Parsers -----------------------------------------------------------------

NUMBERS = ["0", "1", "0.04", "-1", "1e308", "-1e308", "nan", "inf", "1_0", "٣"]


@many
@given(files([*NUMBERS, " ", "\t", "\n", "#", ","]))
def test_traces_are_right_or_refused(content):
    trace = read(read_trace, content)
    if trace is not None:
        assert trace.values.shape == (len(trace.time_s), 2)
        assert len(trace.time_s) > 0
        assert np.isfinite(trace.time_s).all()
        assert (np.abs(trace.values) <= 1).all()
        assert (trace.time_s[1:] > trace.time_s[:-1]).all()


@many
@given(st.binary(max_size=100) | texts.map(str.encode))
def test_any_file_is_text_or_refused(content):
    found = read(read_text, content)
    if found is not None:
        assert not found.text.startswith("\ufeff") or content.count(0)
        marked = content.startswith(b"\xef\xbb\xbf")
        if found.encoding == "utf-8" and not marked and not found.notes:
            assert found.text.encode() == content


CUE_PIECES = [
    "1\n", "\n\n", "00:00:01,000", " --> ", "00:00:02.500", "-->", "WEBVTT\n",
    "00:01.000 --> 00:02.000\n", "00:00:01,000 --> 00:00:02,000\n",
    "[Script Info]\n", "[V4+ Styles]\n", "[Events]\n", "Format: ",
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,", "Comment: ", "{\\i1}",
    "{\\p1}", "{", "}", "<i>", "</i>", "<br", ">", "&amp;", "&#0;", "\\N",
    "NOTE", "STYLE\n", "<00:00:01.000>", "9" * 30, "\u202b", "\0",
    "\u2028", "\x0c",
]  # fmt: skip


@many
@given(files(CUE_PIECES))
def test_subtitles_are_right_or_refused(content):
    subtitles = read(read_subtitles, content)
    if subtitles is not None:
        assert [c.number for c in subtitles.cues] == list(
            range(1, len(subtitles.cues) + 1)
        )
        for cue in subtitles.usable:
            assert 0 <= cue.start_s < cue.end_s
            assert cue.text == plain_line(cue.text)
            assert "\0" not in cue.text


# What a cue may say without being markup, or the times of the next cue.
words = st.text(
    st.characters(
        blacklist_categories=("Cs", "Cc"), blacklist_characters="<>{}\\&-:"
    ),
    max_size=30,
)
#: Start in ms, and the break before the words: a cue is told apart from those
#: before by what it says.
shown = st.lists(
    st.tuples(st.integers(0, 359_000_000), st.integers(1, 99_999), words),
    min_size=1,
    max_size=5,
)


def clock(ms, point):
    seconds = ms // 1000
    return (
        f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:"
        f"{seconds % 60:02d}{point}{ms % 1000:03d}"
    )


def in_srt(cues):
    return "".join(
        f"{i}\n{clock(a, ',')} --> {clock(a + b, ',')}\n{text}\n\n"
        for i, (a, b, text) in enumerate(cues, 1)
    )


def in_vtt(cues):
    return "WEBVTT\n\nNOTE 1 --\n\n" + "".join(
        f"{i}\n{clock(a, '.')} --> {clock(a + b, '.')} line:0\n{text}\n\n"
        for i, (a, b, text) in enumerate(cues, 1)
    )


def in_ass(cues):
    # Hundredths, and one digit for the hours will do.
    return "[Script Info]\n[Events]\nFormat: Start,End,Text\n" + "".join(
        f"Dialogue: {clock(a, '.')},{clock(a + b, '.')},{text}\n"
        for a, b, text in cues
    )


@many
@given(
    shown,
    st.sampled_from([in_srt, in_vtt, in_ass]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_subtitles_come_back_as_they_were_written(cues, write, encoding, end):
    # Nobody can tell automatic captions from words that begin alike.
    cues = [(a, b, f".{i} {text}") for i, (a, b, text) in enumerate(cues)]
    content = write(cues).replace("\n", end).encode(encoding)
    subtitles = read(read_subtitles, content)
    assert [(cue.start_s, cue.end_s, cue.text) for cue in subtitles.cues] == [
        (a / 1000, (a + b) / 1000, plain_line(text)) for a, b, text in cues
    ]
    assert subtitles.problems == ()


cells = st.text(
    st.characters(
        blacklist_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")
    ),
    min_size=1,
    max_size=12,
).map(lambda text: plain_line(text) or "x")


@many
@given(
    st.dictionaries(cells, st.tuples(cells, words), min_size=1, max_size=6),
    st.lists(cells, min_size=1, max_size=3, unique=True),
    st.data(),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_manifests_come_back_as_they_were_written(
    segments, viewers, data, separator, encoding, end
):
    ratings = {
        (id_, viewer): data.draw(st.integers(-100, 100))
        for id_ in segments
        for viewer in viewers
    }
    # The mean over a table's columns is called so.
    hypothesis.assume("mean" not in {v.casefold() for v in viewers})

    def write(path, *rows):
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=separator, lineterminator=end).writerows(
            rows
        )
        path.write_bytes(text.getvalue().encode(encoding))

    with tempfile.TemporaryDirectory() as folder:
        write(
            Path(folder, "segments.csv"),
            SEGMENT_HEADER.strip().split(","),
            *(
                [id_, movie, i, i + 0.5, text, ""]
                for i, (id_, (movie, text)) in enumerate(segments.items())
            ),
        )
        write(
            Path(folder, "annotations.csv"),
            RATING_HEADER.strip().split(","),
            *([*key, value / 100] for key, value in ratings.items()),
        )
        corpus = load_corpus(folder)
    table = corpus.segments.set_index("segment_id")
    assert {
        id_: (row["movie"], row["text"]) for id_, row in table.iterrows()
    } == {id_: (m, plain_line(t)) for id_, (m, t) in segments.items()}
    for (id_, viewer), value in ratings.items():
        row = table.index.get_loc(id_)
        found = corpus.values[row, corpus.column(viewer)]
        assert found == np.float32(value / 100)


SEGMENT_HEADER = "segment_id,movie,start_s,end_s,text,video\n"
RATING_HEADER = "segment_id,viewer,value\n"
CELLS = [
    "s1",
    "s2",
    "A",
    "B",
    "V1",
    "0",
    "1",
    "2.5",
    "-1",
    '"',
    "",
    "\0",
    "../x",
]


@many
@given(
    files([SEGMENT_HEADER, "s1,A,0,1,x,\n", "s2,A,1,2,,\n", *CELLS, ",", ","]),
    files([RATING_HEADER, "s1,V1,1\n", "s2,V1,-0.5\n", *CELLS, ",", ","]),
    st.booleans(),
)
def test_manifests_are_right_or_refused(segments, ratings, with_headers):
    if with_headers:
        segments = SEGMENT_HEADER.encode() + b"s1,A,0,1,x,\n" + segments
        ratings = RATING_HEADER.encode() + b"s1,V1,1\n" + ratings
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "segments.csv").write_bytes(segments)
        Path(folder, "annotations.csv").write_bytes(ratings)
        corpus, problems = attempt(
            lambda: load_corpus(folder, on_problem="skip")
        )
    assert (corpus is None) <= bool(problems)
    assert all(
        folder in p and "expected" in p and p.isprintable() for p in problems
    )
    if corpus is None:
        return
    assert corpus.values.shape == (len(corpus), len(corpus.viewers))
    rated = corpus.values[~np.isnan(corpus.values)]
    assert (np.abs(rated) <= 1).all()
    assert (~np.isnan(corpus.values)).any(axis=1).all()
    times = corpus.segments[["start_s", "end_s"]].to_numpy()
    assert (times[:, 0] < times[:, 1]).all()
    assert (times >= 0).all()
    assert corpus.segments["video"].isna().all()


#: Deeper than Python goes.
NESTED = b"[" * 20_000

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["9" * 5000, "keras", "..", "/etc/passwd"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


#: Arguments of a small model.
ARGUMENTS = {
    **{"viewers": ["V1"], "trunk_units": [2], "head_units": []},
    **{"modalities": ["visual"], "vocabulary_size": None, "words": 9},
    **{"visual_features": 3, "embedding_dim": 2, "text_filters": 2},
    **{"text_widths": [2], "l1": 0.5, "seed": 1, "dtype": "float32"},
    **{"name": "m", "frozen": []},
}


def forged_bundle(entries, arguments):
    """bundle.json changed by a forger, who can compute the digests too."""
    # Both files are empty.
    files = ("weights.npy", "README.md")
    content = {
        **{"format": "emotion_mt bundle", "version": 2, "versions": {}},
        "model": {
            "class_name": "EvokedEmotionModel",
            "config": {**ARGUMENTS, **arguments},
            "variables": [],
        },
        **{"vocabulary": None, "feature_config": None, "weights_digest": None},
        **{"untrained_viewers": [], "training": {}, "scores": {}},
        "files": dict.fromkeys(files, hashlib.sha256().hexdigest()),
        **entries,
    }
    text = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({**content, "sha256": digest}).encode()


@many
@given(
    st.binary(max_size=50)
    | json_values.map(json.dumps).map(str.encode)
    | st.sampled_from([NESTED, b"9" * 5000])
    | st.builds(
        forged_bundle,
        st.dictionaries(
            st.sampled_from(
                ["format", "version", "versions", "model", "files", "scores"]
            ),
            json_values,
            max_size=2,
        ),
        st.dictionaries(
            st.sampled_from([*ARGUMENTS, "trainable"]),
            json_values | st.lists(st.integers(-2, 2**70)),
            max_size=2,
        ),
    )
)
def test_no_bundle_is_refused_as_one(content):
    from emotion_mt.inference import BundleError, load_bundle

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bundle.json").write_bytes(content)
        for name in ("weights.npy", "README.md"):
            Path(folder, name).touch()
        with pytest.raises(BundleError) as caught:
            load_bundle(folder)
    assert folder in str(caught.value)
    assert "expected" in str(caught.value)


@many
@given(
    st.binary(max_size=50)
    | json_values.map(json.dumps).map(str.encode)
    | st.sampled_from([NESTED, b"9" * 5000, b'{"format": 2}'])
)
def test_what_is_no_record_is_refused(content):
    from emotion_mt.evaluation.records import read_record

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.json")
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match="expected a result file"
        ) as caught:
            read_record(path)
    assert str(path) in str(caught.value)


@many
@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_records_come_back_bit_for_bit(content):
    from emotion_mt.evaluation import records

    # Surrogates and NaN are not written; a run has none.
    text = json.dumps({**content, "format": records.FORMAT})
    if "NaN" in text or "Infinity" in text or "\\ud" in text:
        return
    content = json.loads(text)
    content.pop("sha256", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.json")
        records.write_record(path, content)
        assert records.read_record(path) == content
        # Any byte that is changed is noticed, unless it is a blank.
        data = bytearray(path.read_bytes())
        place = len(text) % len(data)
        if not data[place : place + 1].isspace():
            data[place] ^= 1
            path.write_bytes(data)
            with pytest.raises(ValueError, match="expected a result file"):
                records.read_record(path)


# --- Labels, windows, splits -------------------------------------------------


@many
@given(st.lists(st.just(math.nan) | st.floats(-1, 1), max_size=20))
def test_labels_follow_the_sign(values):
    labels = labels_from_values(np.array(values, np.float32))
    for value, label in zip(np.array(values, np.float32), labels, strict=True):
        assert math.isnan(label) if math.isnan(value) else label == (value > 0)


@many
@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(-1000, 1000)),
        min_size=1,
        unique_by=lambda row: row[0],
        max_size=20,
    ),
    st.integers(-10, 1010),
    st.integers(0, 300),
)
def test_segment_means_are_exact(rows, start, length):
    rows = sorted(rows)
    trace = Trace(
        Path("x"),
        np.array([t for t, _ in rows], float),
        np.array([[v / 1000, 0] for _, v in rows]),
    )
    (mean,) = trace.segment_means("valence", [start], [start + length])
    inside = [
        Fraction(v, 1000) for t, v in rows if start <= t <= start + length
    ]
    if not inside:
        assert math.isnan(mean)
    else:
        exact = sum(inside) / len(inside)
        assert abs(mean - exact) <= Fraction(1, 10**MEAN_DECIMALS)
        assert (mean > 0) == (exact > 0)


@many
@given(
    st.floats(0, 1e6, exclude_max=True),
    st.floats(1e-6, 1e4),
    st.sampled_from([24000 / 1001, 25.0, 29.97, 50.0, 1.0, 120.0]),
    st.integers(8, 32),
    st.integers(1, 16),
)
def test_windows_lie_in_their_segment(start_s, length_s, fps, size, stride):
    config = FeatureConfig(window_frames=size, stride_frames=stride)
    end_s = start_s + length_s
    if not start_s < end_s:
        return
    first, stop = segment_ticks((start_s, end_s), fps, size)
    assert first >= 0
    assert stop - first >= size
    windows = count_windows((start_s, end_s), fps, config)
    last = first + (windows - 1) * stride + size
    assert last <= stop < last + stride
    # Not widened: all ticks are on the screen during the segment.
    if stop - first > size:
        assert first / fps >= start_s - 1e-3
        assert (stop - 1) / fps < end_s + 1e-3


@many
@given(
    st.lists(
        st.text(min_size=1, max_size=4) | st.sampled_from(paper.MOVIES),
        unique=True,
        max_size=12,
    )
)
def test_splits_share_no_film(movies):
    if len(movies) < 3:
        with pytest.raises(ValueError, match="at least three films"):
            splits_lib.folds(movies)
        return
    folds = splits_lib.folds(movies)
    assert sorted(m for fold in folds for m in fold.test) == sorted(movies)
    for split in (*folds, splits_lib.fixed_split(movies)):
        parts = [*split.train, *split.validation, *split.test]
        assert len(set(parts)) == len(parts)
        assert set(parts) <= set(movies)
        assert all(dataclasses.astuple(split)[1:])
