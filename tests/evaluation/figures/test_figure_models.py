import numpy as np
from matplotlib.collections import LineCollection, PathCollection

from emotion_mt import paper
from emotion_mt.evaluation.figures.models import (
    draw_accuracies,
    draw_differences,
)
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


def table2(records):
    return build_table(SPECS["II"], records)


def points(axes, label):
    """Points of the scatter with a label, [n, 2]."""
    (found,) = [c for c in axes.collections if c.get_label() == label]
    return np.asarray(found.get_offsets())


def is_bar(collection):
    return isinstance(collection, LineCollection)


def is_square(collection):
    """Whether it is a mean, which is larger than single films."""
    return isinstance(collection, PathCollection) and all(
        collection.get_sizes() > 30
    )


def test_large_marks_are_the_rows_of_the_table(made_up_run):
    _, records = made_up_run()
    table = table2(records)
    (axes,) = draw_accuracies(table).figure.axes
    for name in ("ST", "MT"):
        np.testing.assert_allclose(
            points(axes, name)[:, 0], table.rows.loc[name]
        )


def test_each_row_has_a_colour_and_a_marker_of_its_own(made_up_run):
    _, records = made_up_run(viewers=paper.ALL_VIEWERS, size=4)
    records = [r for r in records if r["job"]["architecture"] == "MT"]
    six = [
        {**r, "job": {**r["job"], "config": {"modalities": list(modalities)}}}
        for r in records
        for modalities in (("text",), ("visual",), ("text", "visual"))
    ]
    (axes,) = draw_accuracies(build_table(SPECS["VI"], six)).figure.axes
    labelled = [
        c
        for c in axes.collections
        if c.get_label() in ("MT", "MT-Text", "MT-Visual")
    ]
    assert len(labelled) == 3
    colours = {tuple(c.get_facecolor()[0]) for c in labelled}
    shapes = {c.get_paths()[0].vertices.tobytes() for c in labelled}
    assert len(colours) == len(shapes) == 3


def test_differences_are_those_of_the_comparison(made_up_run):
    _, records = made_up_run()
    table = table2(records)
    (axes,) = draw_differences(table).figure.axes
    rows = table.comparisons["accuracy"].rows
    marks = [c for c in axes.collections if is_square(c)]
    np.testing.assert_allclose(
        [c.get_offsets()[0, 0] for c in marks], rows["difference"]
    )
    bars = [c.get_segments()[0][:, 0] for c in axes.collections if is_bar(c)]
    np.testing.assert_allclose(bars, rows[["low", "high"]])


def test_one_film_has_no_interval_to_draw(made_up_run):
    _, records = made_up_run()
    one = [r for r in records if r["job"]["split"]["name"] == "F1"]
    table = table2(one)
    drawing = draw_differences(table)
    (axes,) = drawing.figure.axes
    assert not [c for c in axes.collections if is_bar(c)]
    assert "1 test film;" in drawing.caption


def test_viewer_who_rated_nothing_breaks_nothing(made_up_run):
    _, records = made_up_run()
    for record in records:
        for viewer, content in record["viewers"].items():
            if viewer == "V1":
                content["label"] = [None] * len(content["label"])
    table = table2(records)
    assert np.isnan(table.rows.loc["MT", "V1"])
    (axes,) = draw_accuracies(table).figure.axes
    assert np.ma.is_masked(points(axes, "MT")[0]) or np.isnan(
        np.ma.filled(points(axes, "MT")[0, 0], np.nan)
    )
    draw_differences(table).figure.canvas.draw()


def test_long_names_stay_legible(made_up_run, legible, long_names):
    _, records = made_up_run(**long_names)
    table = table2(records)
    legible(draw_accuracies(table).figure)
    legible(draw_differences(table).figure)
