from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emotion_mt.corpus import (
    CorpusError,
    Scale,
    Trace,
    labels_from_values,
    read_trace,
)


def _write(path, text):
    path.write_text(text)
    return path


def _trace(time_ms, thousandths):
    """A trace whose decimal content is known exactly."""
    valence = np.array(thousandths) / 1000
    return Trace(
        Path("x.dat"),
        np.array(time_ms) / 1000,
        np.stack([valence, -valence], axis=1),
    )


# Few distinct values, so that sums of exactly zero are common.
THOUSANDTHS = st.sampled_from([-1000, -300, -100, 0, 0, 100, 200, 300, 1000])


@st.composite
def _traces_and_segments(draw):
    rows = st.tuples(st.integers(1, 90), THOUSANDTHS)
    steps, values = zip(
        *draw(st.lists(rows, min_size=1, max_size=30)), strict=True
    )
    times = np.cumsum(steps) - steps[0]
    edge = st.one_of(
        st.integers(-50, int(times[-1]) + 50), st.sampled_from(times.tolist())
    )
    edges = draw(st.lists(st.tuples(edge, edge), max_size=8))
    return times, values, [(min(pair), max(pair)) for pair in edges]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(_traces_and_segments())
def test_segment_means_and_labels_equal_exact_arithmetic(case):
    times, thousandths, segments = case
    trace = _trace(times, thousandths)
    start_s = [start / 1000 for start, _ in segments]
    end_s = [end / 1000 for _, end in segments]
    means = trace.segment_means("valence", start_s, end_s)
    negated = trace.segment_means("arousal", start_s, end_s)
    labels = labels_from_values(means)
    assert means.shape == (len(segments),)
    np.testing.assert_array_equal(negated, -means)
    for (start, end), mean, label in zip(segments, means, labels, strict=True):
        inside = [
            Fraction(value, 1000)
            for time, value in zip(times, thousandths, strict=True)
            if start <= time <= end
        ]
        if not inside:
            assert np.isnan(mean)
            assert np.isnan(label)
            continue
        exact = sum(inside) / len(inside)
        assert mean == pytest.approx(float(exact), abs=1e-9)
        assert label == (1.0 if exact > 0 else 0.0)


def test_zeros_after_a_long_history_stay_zero():
    # A running sum would leave rounding errors of the first samples here.
    thousandths = [100] * 5000 + [0] * 50
    trace = _trace(np.arange(5050) * 40, thousandths)
    assert trace.segment_means("valence", [200.0], [201.96]).tolist() == [0.0]


def test_unknown_dimension_is_refused():
    with pytest.raises(ValueError, match=r"`dimension` must be .*'dominance'"):
        _trace([0], [0]).segment_means("dominance", [0], [1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected rows of 3 .* Received an empty file"),
        (" \n\n", "expected rows of 3 .* Received an empty file"),
        ("0 0 0\n\n1 a 0\n", r", line 3: .* \(time_s val.*\), or .*: '1 a 0'"),
        ("0 0 0\n1 nan 0\n", ", line 2: expected 3 .*finite .*: '1 nan 0'"),
        ("0 0 0\n1 0 -inf\n", ", line 2: .* Received: '1 0 -inf'"),
        ("0 0 0\n1 0\n", ", line 2: expected 3 .* Received: '1 0'"),
        ("0 0\n1 0\n", r", line 1: .* Received: '0 0' \(and 1 more"),
        ("0 0 0 0\n", ", line 1: expected 3 .* Received: '0 0 0 0'"),
        ("0 0 0\n1 0\0 0\n", ", line 2: expected 3"),
        ("0,0,0\n", ", line 1: expected 3 .* Received: '0,0,0'"),
        ("seconds v a\n0 0 0\n", ", line 1: .*'seconds v"),
        ("when valence arousal\n0 0 0\n", "under the header 'when, val"),
        ("time,valence,valence\n0,0,1\n", "under the header 'time, val"),
        ("time,valence\n", "Received 0 rows under the header 'time, val"),
        ("time,valence\n0,0\n1,x\n", ", line 3: .* Received: '1,x'"),
        ("time,valence\n0,0\n1,0,5\n", ", line 3: .* Received: '1,0,5'"),
        ("time,valence,arousal\n0,0,\n", ", line 2: .* Received: '0,0,'"),
        ("time;arousal;valence\n0,5;0;0\n0,5;0;0\n", ", line 3: .* time af"),
        ("0 1_0 0\n", ", line 1: .* Received: '0 1_0 0'"),
        ("0 ０ 0\n", ", line 1: expected 3 blank.* Received: '0 ０ 0'"),
        ("0 0 0\n2 0 0\n1 0 0\n1 0 0\n", r", line 3: .* time after .*1 more"),
        ("0 0 0\n1 1.001 0\n", r"line 2: .* valence .*\[-1, 1\] \(.*--scale="),
        ("0 0 0\n0 2 0\n", ", line 2: expected a time"),
        ("0 0 -2\n", r", line 1: expected valence and arousal in \[-1, 1\]"),
    ],
)
def test_faulty_trace_is_refused(tmp_path, text, message):
    path = _write(tmp_path / "a.dat", text)
    with pytest.raises(CorpusError, match=message) as caught:
        read_trace(path)
    assert str(caught.value).startswith(str(path))
    # Faults of several kinds are all listed.
    assert len(caught.value.problems) == (2 if "0 2 0" in text else 1)


@pytest.mark.parametrize(
    ("header", "row", "end"),
    [
        ("", "  {0}\t{1}   {2} ", "\r\n\r\n"),
        ("time,valence,arousal", "{0},{1},{2}", "\n"),
        ("time_s\tvalence\tarousal", "{0}\t{1}\t{2}", "\r\n"),
        ("Arousal; note; Valence; Time", "{2};x;{1};{0}", "\r"),
        ('"time" "valence" "arousal"', "{0} {1} {2}", "\n\n"),
    ],
)
def test_separators_and_headers_do_not_matter(tmp_path, header, row, end):
    numbers = [("0", "0.5", "-1"), ("0.04", "-0.25", "1e0")]
    if ";" in header:
        numbers = [[n.replace(".", ",") for n in cells] for cells in numbers]
    lines = [header, *(row.format(*cells) for cells in numbers)]
    path = tmp_path / "a.csv"
    path.write_bytes((end.join(lines) + end).encode("utf-8-sig"))
    trace = read_trace(path)
    assert trace.time_s.tolist() == [0.0, 0.04]
    assert trace.values.tolist() == [[0.5, -1.0], [-0.25, 1.0]]
    assert trace.end_s == 0.04


def test_a_table_without_arousal_has_none(tmp_path):
    trace = read_trace(_write(tmp_path / "a.csv", "time,valence\n0,1\n1,0\n"))
    assert trace.values[:, 0].tolist() == [1.0, 0.0]
    assert np.isnan(trace.values[:, 1]).all()


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**7), st.integers(0, 800), st.integers(0, 800)
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([",", ";", "\t", " ", None]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_traces_come_back_as_they_were_written(
    tmp_path_factory, rows, separator, encoding
):
    times = np.cumsum([step for step, _, _ in rows])
    cells = [
        [f"{t / 1000:.3f}", f"{a / 100:.2f}", f"{b / 100:.2f}"]
        for t, (_, a, b) in zip(times, rows, strict=True)
    ]
    if separator:
        cells = [["time", "valence", "arousal"], *cells]
    text = "\n".join((separator or " ").join(row) for row in cells)
    if separator == ";":
        text = text.replace(".", ",")
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(text.encode(encoding))
    trace = read_trace(path, Scale(0, 8))
    np.testing.assert_array_equal(trace.time_s, times / 1000)
    # The middle of the scale is 0, exactly.
    exact = [[float(Fraction(x - 400, 400)) for x in row[1:]] for row in rows]
    np.testing.assert_allclose(trace.values, exact, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(trace.values > 0, np.array(exact) > 0)
