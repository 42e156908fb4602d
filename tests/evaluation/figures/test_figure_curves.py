import numpy as np
import pytest

from emotion_mt.evaluation.figures.curves import choose_fits, draw_curves


def test_curves_are_those_of_the_chosen_strength(made_up_run):
    _, records = made_up_run()
    drawing = draw_curves(records, "Vavg")
    panels = [a for a in drawing.figure.axes if a.axison]
    assert [p.get_title() for p in panels] == [
        f"F{i}, test: {m}" for i, m in ((1, "A"), (2, "B"), (3, "C"))
    ]
    mt = records[0]
    lines = {line.get_label(): line for line in panels[0].lines}
    trial = mt["fit"]["trials"][1]
    assert trial["l1"] == mt["fit"]["l1"]
    np.testing.assert_allclose(
        lines["MT, validation film"].get_ydata(), trial["history"]["val_bce"]
    )
    np.testing.assert_allclose(
        lines["MT, training films"].get_ydata(), trial["history"]["bce"]
    )
    (best,) = [
        c for c in panels[0].collections if c.get_label() == "MT, best epoch"
    ]
    epoch = trial["best_epoch"]
    np.testing.assert_allclose(
        best.get_offsets()[0],
        [epoch, trial["history"]["val_bce"][epoch - 1]],
    )


def test_st_of_the_average_viewer_is_shown(made_up_run):
    _, records = made_up_run()
    fits = choose_fits(records, "Vavg")
    assert list(fits) == ["F1", "F2", "F3"]
    assert list(fits["F1"]["ST"]["viewers"]) == ["Vavg"]
    assert "ST is that of Vavg" in draw_curves(records, "Vavg").caption


def test_without_a_validation_film_only_training_is_drawn(made_up_run):
    _, records = made_up_run()
    for record in records:
        for trial in record["fit"]["trials"]:
            trial["history"] = {
                "bce": trial["history"]["bce"],
                "val_bce": [None] * 6,
            }
    figure = draw_curves(records, "Vavg").figure
    labels = {line.get_label() for line in figure.axes[0].lines}
    assert labels == {"ST, training films", "MT, training films"}


def test_exploding_end_does_not_flatten_the_rest(made_up_run):
    _, records = made_up_run()
    for record in records:
        record["fit"]["trials"][1]["history"]["val_bce"][-1] = 1e6
    low, high = draw_curves(records, "Vavg").figure.axes[0].get_ylim()
    assert (low, high) == (0, pytest.approx(0.78, abs=0.02))


def test_no_history_no_curves(made_up_run):
    _, records = made_up_run()
    for record in records:
        record["fit"]["trials"] = []
    assert draw_curves(records, "Vavg") is None


def test_long_names_stay_legible(made_up_run, legible, long_names):
    _, records = made_up_run(**long_names, size=4)
    legible(draw_curves(records, "Vavg").figure)
