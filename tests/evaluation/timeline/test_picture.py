"""The picture, read back from matplotlib's figure."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.image import imread

from emotion_mt.evaluation.timeline.picture import draw_timeline, plot_timeline


def lines(axes):
    """Viewer to the collection of its level pieces."""
    found = [c for c in axes.collections if isinstance(c, LineCollection)]
    return {c.get_label(): c for c in found}


def pieces(line):
    """(start, end, probability) of each."""
    return [(x0, x1, y) for (x0, y), (x1, _) in line.get_segments()]


def test_one_line_per_viewer_level_in_each_segment(predictions, tmp_path):
    # The order of the rows does not matter, nor does a way through a file.
    # Viewers and segments without a probability take no room.
    late = predictions.iloc[:1].assign(start_s=900, end_s=901)
    late[[f"{v}_probability" for v in ("Vavg", "V1", "V2")]] = np.nan
    table = pd.concat([late, predictions.assign(V3_probability=np.nan)])
    table.to_csv(tmp_path / "a.csv", index=False)
    figure = draw_timeline(pd.read_csv(tmp_path / "a.csv"))
    (axes,), (legend,) = figure.axes, figure.legends

    drawn = lines(axes)
    assert axes.get_xlim()[1] < 9
    assert list(drawn) == ["V1", "V2", "Vavg"]
    assert [text.get_text() for text in legend.get_texts()] == list(drawn)
    assert pieces(drawn["V1"]) == [(0, 2, 0.1), (2, 3, 0.9), (5, 8, 0.2)]
    assert pieces(drawn["V2"]) == [(0, 2, 0.5), (5, 8, 0.8)]
    # What joins them is faint.
    _, *faint = axes.get_lines()
    assert len(faint) == 3
    assert all(line.get_alpha() <= 0.4 for line in faint)
    joined = [(0, 0.5), (2, 0.5), (5, 0.8), (8, 0.8)]
    np.testing.assert_array_equal(faint[1].get_xydata(), joined)
    # The average is in front.
    average = drawn.pop("Vavg")
    for line in drawn.values():
        assert average.get_zorder() > line.get_zorder()
        assert average.get_linewidth() > line.get_linewidth()
    assert matplotlib.colors.same_color(average.get_color(), "black")


def test_ratings_are_bars_and_answers_strips(rated):
    figure = draw_timeline(rated)
    (axes,), (legend,) = figure.axes, figure.legends
    bars = [(b.get_x(), b.get_height()) for c in axes.containers for b in c]
    # From the middle, half as high: -1 to 1 becomes 0 to 1.
    assert sorted(bars) == [(0, 0.25), (2, -0.5)]
    spans = {
        c.get_label(): [tuple(p.vertices[0:3:2, 0]) for p in c.get_paths()]
        for c in axes.collections
        if not isinstance(c, LineCollection)
    }
    expected = {"right: 1": [(0, 2)], "wrong: 1": [(2, 4)]}
    assert spans == {**expected, "not rated: 1": [(4, 6)]}
    shown = {text.get_text() for text in legend.get_texts()}
    assert shown == {"rated positive", "rated negative", "Vavg", *spans}


def test_a_long_film_is_wrapped(make_table):
    starts = np.arange(0, 1800, 3.0)
    times = list(zip(starts, starts + 2.5, strict=True))
    values = np.linspace(0, 1, len(times))
    figure = draw_timeline(make_table(times, V1=values))
    limits = [axes.get_xlim() for axes in figure.axes]
    assert limits == [(i * 300.0, (i + 1) * 300.0) for i in range(6)]
    for axes, (left, right) in zip(figure.axes, limits, strict=True):
        found = [value for *_, value in pieces(lines(axes)["V1"])]
        inside = (starts >= left) & (starts < right)
        np.testing.assert_allclose(found, values[inside])
    # A very long one has no more than eight rows.
    times = [(i * 10.0, i * 10.0 + 9) for i in range(1200)]
    figure = draw_timeline(make_table(times, V1=[0.5] * 1200))
    assert len(figure.axes) == 8
    assert figure.axes[-1].get_xlim()[1] >= 11_999


def test_many_viewers_can_be_told_apart(make_table):
    viewers = {f"V{i}": [0.5] for i in range(20)}
    (axes,) = draw_timeline(make_table([(0, 1)], **viewers)).axes
    drawn = lines(axes).values()
    styles = {(str(x.get_color()), str(x.get_linestyle())) for x in drawn}
    assert len(styles) == 20


def test_an_added_viewer_has_the_widest_line(make_table):
    table = make_table([(0, 1)], V1=[0.2], You=[0.9], Vavg=[0.5])
    table.attrs["added"] = ["You"]
    (axes,) = draw_timeline(table).axes
    widths = {n: line.get_linewidth() for n, line in lines(axes).items()}
    assert max(widths, key=widths.get) == "You"


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_models_are_marked(predictions, simulated):
    predictions.attrs["simulated"] = simulated
    titled = draw_timeline(predictions, title="Clip $1").get_suptitle()
    note = "model trained on simulated data" if simulated else ""
    assert titled == "Clip $1" + f" – {note}" * simulated
    assert draw_timeline(predictions).get_suptitle() == note.capitalize()


@pytest.mark.parametrize("suffix", [".pdf", ".PNG"])
def test_files(predictions, tmp_path, suffix):
    path = plot_timeline(predictions, str(tmp_path / f"a{suffix}"), "Title")
    first = path.read_bytes()
    plot_timeline(predictions, path, "Title")
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]
    if suffix == ".pdf":
        assert first.startswith(b"%PDF")
        return
    image = imread(path)
    assert image.shape[:2] == (675, 1650)
    # Something is drawn on the white.
    assert 0.5 < image[..., :3].mean() < 0.999


def test_bad_input(predictions, make_table, tmp_path):
    with pytest.raises(ValueError, match=r"must end in .png or .pdf.*gif"):
        plot_timeline(predictions, tmp_path / "a.gif")
    for columns in (["start_s"], predictions.filter(like="_probability")):
        expected = r"needs the columns start_s, end_s and .*Received"
        with pytest.raises(ValueError, match=expected):
            draw_timeline(predictions.drop(columns=columns))
    with pytest.raises(ValueError, match="Received 3 rows without any"):
        draw_timeline(make_table([(0, 1)] * 3, V1=[np.nan] * 3))
    assert not list(tmp_path.iterdir())
