"""Properties of every reader of a corpus.

A parser returns what its documentation says or raises its own error, whatever
it is given. `make test` tries few cases; EMOTION_MT_CASES=10000 tries many.
"""

import csv
import io
import tempfile
import warnings
from pathlib import Path

import hypothesis
import numpy as np
from hypothesis import given, settings, strategies as st

from emotion_mt.corpus import CorpusError, load_corpus
from emotion_mt.corpus.subtitles import read_subtitles
from emotion_mt.corpus.textfiles import plain_line
from emotion_mt.corpus.traces import read_trace

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


def times(start, length, point, between=" --> "):
    both = []
    for ms in (start, start + length):
        minutes, left = divmod(ms, 60_000)
        seconds = f"{left // 1000:02d}{point}{left % 1000:03d}"
        both.append(f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds}")
    return between.join(both)


#: A header, and a cue of number, start and length in ms, and text.
FORMATS = {
    "srt": ("", lambda i, a, b, text: f"{i}\n{times(a, b, ',')}\n{text}\n\n"),
    "vtt": (
        "WEBVTT\n\nNOTE 1 --\n\n",
        lambda i, a, b, text: f"{i}\n{times(a, b, '.')} line:0\n{text}\n\n",
    ),
    # Hundredths, and one digit for the hours will do.
    "ass": (
        "[Script Info]\n[Events]\nFormat: Start,End,Text\n",
        lambda _, a, b, text: f"Dialogue: {times(a, b, '.', ',')},{text}\n",
    ),
}


@many
@given(
    shown,
    st.sampled_from([*FORMATS]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_subtitles_come_back_as_they_were_written(cues, kind, encoding, end):
    # Nobody can tell automatic captions from words that begin alike.
    cues = [(a, b, f".{i} {text}") for i, (a, b, text) in enumerate(cues)]
    header, cue = FORMATS[kind]
    text = header + "".join(cue(i, *c) for i, c in enumerate(cues, 1))
    subtitles = read(read_subtitles, text.replace("\n", end).encode(encoding))
    assert subtitles.format == kind
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
CELLS = ["../x", *("s1", "s2", "A", "B", "V1"), *("0", "1", "2.5", "-1")]
CELLS += ['"', "", "\0", ",", ","]


@many
@given(
    files([SEGMENT_HEADER, "s1,A,0,1,x,\n", "s2,A,1,2,,\n", *CELLS]),
    files([RATING_HEADER, "s1,V1,1\n", "s2,V1,-0.5\n", *CELLS]),
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
