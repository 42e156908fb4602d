"""The figures of a report: what they show, and that it can be read."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection

from emotion_mt import paper
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.figures.corpus import (
    draw_correlations,
    draw_counts,
    mean_correlations,
)
from emotion_mt.evaluation.figures.models import (
    draw_accuracies,
    draw_curves,
    draw_differences,
)
from emotion_mt.evaluation.report import save_figures
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


def table2(records):
    return build_table(SPECS["II"], records)


@pytest.fixture
def records(made_up_run):
    """Records of two viewers and their average on three films."""
    return made_up_run()[1]


def test_all_figures_are_written_and_repeat(tmp_path, made_up_run, film):
    contents = []
    for name, size in (("one", 10), ("two", 20)):
        corpus, records = made_up_run(movies=("A",), video=str(film))
        # Whatever the user's own style is.
        with mpl.rc_context({"font.size": size, "axes.grid": True}):
            drawings = save_figures(
                tmp_path / name, corpus, [table2(records)], records
            )
        files = (tmp_path / name).iterdir()
        contents.append({path.name: path.read_bytes() for path in files})
    stems = [
        *("accuracies-table-II", "difference-table-II", "figure3", "figure4"),
        *("figure5a", "timeline", "training-curves"),
    ]
    assert [d.stem for d in drawings] == stems
    assert [d.table for d in drawings[:3]] == ["II", "II", ""]
    for drawing in drawings:
        assert drawing.caption
        assert drawing.figure.get_suptitle().startswith("SIMULATED DATA. ")
    assert contents[0] == contents[1]
    magic = {"png": b"\x89PNG", "pdf": b"%PDF"}
    assert set(contents[0]) == {f"{s}.{end}" for s in stems for end in magic}
    for name, content in contents[0].items():
        assert content.startswith(magic[name[-3:]])


def test_without_records_the_corpus_is_drawn(tmp_path, made_up_run):
    corpus, _ = made_up_run(viewers=("Expert",), simulated=False)
    (drawing,) = save_figures(tmp_path, corpus, [], [])
    # A single viewer has nobody to agree with.
    assert drawing.stem == "figure4"
    assert "SIMULATED" not in drawing.figure.get_suptitle()


@pytest.mark.parametrize(("viewers", "films"), [(1, 7), (8, 7), (3, 30)])
def test_many_names_stay_legible(made_up_run, legible, viewers, films):
    movies = [*paper.MOVIES, *(f"film {i}" for i in range(30))][:films]
    names = tuple(f"V{i}" for i in range(1, viewers + 1))
    corpus, _ = made_up_run(names, tuple(movies), size=6, missing=0.4)
    legible(draw_counts(corpus).figure)


def test_long_names_stay_legible(made_up_run, legible, long_names):
    corpus, records = made_up_run(**long_names, size=6, missing=0.4)
    for drawing in (
        draw_counts(corpus),
        draw_correlations(corpus),
        draw_accuracies(table2(records)),
        draw_differences(table2(records)),
        draw_curves(records, "Vavg"),
    ):
        legible(drawing.figure)


def test_short_names_differ_and_keep_both_ends():
    names = [f"participant_{i}@university.example" for i in range(12)]
    short = style.short_names([*names, "V1", "a\n映\tb"])
    assert len(set(short)) == 14
    assert short[-2:] == ["V1", "a □ b"]
    assert short[3].startswith("4: ")
    assert max(map(len, short)) <= 18
    (name,) = style.short_names(["The Lord of the Rings: Return"])
    first, last = name.split("…")
    assert first.startswith("The Lord")
    assert last.endswith("Return")


# Tables as pictures.


def points(axes, label):
    """Points of the scatter with a label, [n, 2]."""
    (found,) = [c for c in axes.collections if c.get_label() == label]
    return np.ma.filled(np.ma.asarray(found.get_offsets(), float), np.nan)


def bars_of(axes):
    """Ends of the horizontal bars."""
    (lines,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    return [segment[:, 0] for segment in lines.get_segments()]


def test_large_marks_are_the_rows_of_the_table(records):
    for record in records:
        if "V1" in record["viewers"]:
            record["viewers"]["V1"]["label"] = [None] * 12
    table = table2(records)
    assert np.isnan(table.rows.loc["MT", "V1"])
    (axes,) = draw_accuracies(table).figure.axes
    for name in ("ST", "MT"):
        found = points(axes, name)[:, 0]
        np.testing.assert_allclose(found, table.rows.loc[name])
    draw_differences(table).figure.canvas.draw()


def test_each_row_has_a_colour_and_a_marker_of_its_own(made_up_run):
    inputs = (("text",), ("visual",), ("text", "visual"))
    six = []
    for modalities in inputs:
        _, records = made_up_run(paper.ALL_VIEWERS, modalities=modalities)
        six += [r for r in records if r["job"]["architecture"] == "MT"]
    (axes,) = draw_accuracies(build_table(SPECS["VI"], six)).figure.axes
    names = ("MT", "MT-Text", "MT-Visual")
    labelled = [c for c in axes.collections if c.get_label() in names]
    assert len(labelled) == 3
    colours = {tuple(c.get_facecolor()[0]) for c in labelled}
    shapes = {c.get_paths()[0].vertices.tobytes() for c in labelled}
    assert len(colours) == len(shapes) == 3


def test_differences_are_those_of_the_comparison(records):
    table = table2(records)
    (axes,) = draw_differences(table).figure.axes
    rows = table.comparisons["accuracy"].rows
    # Means are larger than single films.
    (marks,) = [
        c.get_offsets()[:, 0]
        for c in axes.collections
        if isinstance(c, PathCollection) and all(c.get_sizes() > 30)
    ]
    np.testing.assert_allclose(marks, rows["difference"])
    np.testing.assert_allclose(bars_of(axes), rows[["low", "high"]])
    # One film has no interval to draw.
    one = [r for r in records if r["job"]["split"]["name"] == "F1"]
    drawing = draw_differences(table2(one))
    assert not bars_of(drawing.figure.axes[0])
    assert "1 test film;" in drawing.caption


# Figures of the corpus.


def pearson(a, b):
    """Pearson's correlation by its definition."""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())


def test_correlations_are_means_over_films_of_shared_segments(made_up_run):
    corpus, _ = made_up_run(missing=0.3)
    mean, count = mean_correlations(corpus)
    expected = []
    for movie in corpus.movies:
        both = corpus.values[corpus.rows([movie])][:, :2].astype(float)
        expected.append(pearson(*both[~np.isnan(both).any(axis=1)].T))
    assert mean.loc["V1", "V2"] == pytest.approx(np.mean(expected))
    assert mean.loc["V2", "V1"] == mean.loc["V1", "V2"]
    np.testing.assert_allclose(np.diag(mean), 1)
    assert (count == 3).all(axis=None)


def test_films_without_a_correlation_are_left_out_and_counted(made_up_run):
    corpus, _ = made_up_run()
    values = corpus.values.copy()
    # Film A: V2 never changes. Film B: V2 rated two segments only.
    values[corpus.rows(["A"]), 1] = 0.3
    values[corpus.rows(["B"])[2:], 1] = np.nan
    corpus = corpus.replace(values=values)
    mean, count = mean_correlations(corpus)
    assert count.loc["V1", "V2"] == 1
    expected = pearson(*values[corpus.rows(["C"])][:, :2].T.astype(float))
    assert mean.loc["V1", "V2"] == pytest.approx(expected)
    assert count.loc["V1", "Vavg"] == 3
    # Films A and B for each of V2's pairs: with V1, Vavg and itself.
    caption = draw_correlations(corpus).caption
    assert "6 films × pairs of viewers are left out" in caption
    # A viewer without any correlation gets a dash.
    values[:, 0] = np.nan
    drawing = draw_correlations(corpus.replace(values=values))
    assert list(drawing.data["V1"]) == ["–", "–", "–"]


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_bars_are_the_counts_of_the_labels(made_up_run, missing):
    corpus, _ = made_up_run(missing=missing)
    drawing = draw_counts(corpus)
    panels = [a for a in drawing.figure.axes if a.axison]
    assert [panel.get_title() for panel in panels] == ["V1", "V2", "Vavg"]
    assert ("not rated" in drawing.caption) == bool(missing)
    for column, panel in enumerate(panels):
        found = {
            container.get_label(): [bar.get_height() for bar in container]
            for container in panel.containers
        }
        films = [
            corpus.values[corpus.rows([movie]), column]
            for movie in corpus.movies
        ]
        expected = {
            "positive": [(values > 0).sum() for values in films],
            "negative": [(values <= 0).sum() for values in films],
        }
        if missing:
            expected["not rated"] = [np.isnan(v).sum() for v in films]
        assert found == expected


# Training curves.


def test_curves_are_those_of_the_chosen_strength(records):
    drawing = draw_curves(records, "Vavg")
    panels = [a for a in drawing.figure.axes if a.axison]
    titles = [f"F{i}, test: {m}" for i, m in ((1, "A"), (2, "B"), (3, "C"))]
    assert [p.get_title() for p in panels] == titles
    assert "ST is that of Vavg" in drawing.caption
    fit = records[0]["fit"]
    trial = fit["trials"][1]
    assert trial["l1"] == fit["l1"]
    lines = {line.get_label(): line for line in panels[0].lines}
    named = {"validation film": "val_bce", "training films": "bce"}
    for label, name in named.items():
        curve = lines[f"MT, {label}"].get_ydata()
        np.testing.assert_allclose(curve, trial["history"][name])
    epoch = trial["best_epoch"]
    (best,) = points(panels[0], "MT, best epoch")
    expected = [epoch, trial["history"]["val_bce"][epoch - 1]]
    np.testing.assert_allclose(best, expected)


def test_curves_with_holes_and_exploding_ends(records):
    histories = [record["fit"]["trials"][1]["history"] for record in records]
    for history in histories:
        history["val_bce"][-1] = 1e6
    low, high = draw_curves(records, "Vavg").figure.axes[0].get_ylim()
    assert (low, high) == (0, pytest.approx(0.78, abs=0.02))
    # Without a validation film only training is drawn.
    for history in histories:
        history["val_bce"] = [None] * 6
    figure = draw_curves(records, "Vavg").figure
    labels = {line.get_label() for line in figure.axes[0].lines}
    assert labels == {"ST, training films", "MT, training films"}
    for record in records:
        record["fit"]["trials"] = []
    assert draw_curves(records, "Vavg") is None
