import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper
from emotion_mt.evaluation import comparison
from emotion_mt.evaluation.specs import SPECS, TEXT, table2_spec
from emotion_mt.evaluation.tables import build_table


def table2(records, **kw):
    return build_table(table2_spec(), records, **kw)


def test_rows_are_means_over_folds_then_viewers(two_viewer_records):
    table = table2(two_viewer_records)
    rows = table.rows
    names = ["Random", "Positive", "Negative", "Majority", "ST", "MT"]
    assert list(rows.index) == names
    assert list(rows.columns) == ["V1", "V2", "Mean"]
    np.testing.assert_allclose(rows.loc["ST"], [62.5, 75, 68.75])
    np.testing.assert_allclose(rows.loc["MT"], [87.5, 75, 81.25])
    np.testing.assert_allclose(rows.loc["Positive"], [50, 75, 62.5])
    np.testing.assert_allclose(rows.loc["Negative"], [50, 25, 37.5])
    # ST on V1: 75 and 50 percent.
    spread = table.spread["folds"].loc["ST", "V1"]
    assert spread == pytest.approx(np.std([75, 50], ddof=1))
    assert np.isnan(table.spread["seeds"].loc["ST", "V1"])


def test_random_row_is_near_one_half_and_repeats(two_viewer_records):
    first = table2(two_viewer_records).rows.loc["Random"]
    again = table2(two_viewer_records[::-1]).rows.loc["Random"]
    assert first["Mean"] == pytest.approx(50, abs=6)
    np.testing.assert_array_equal(first[["V1", "V2"]], again[["V1", "V2"]])
    # Another viewer leaves its numbers alone.
    only_v1 = [r for r in two_viewer_records if list(r["viewers"]) == ["V1"]]
    assert table2(only_v1).rows.loc["Random", "V1"] == first["V1"]


def test_one_class_film_is_named_and_left_out(two_viewer_records):
    table = table2(two_viewer_records)
    # V2's film F1 is all positive: only F2 counts, where ST is 2/2 right and
    # MT recalls the one positive and not the one negative.
    balanced = table.measures["balanced_accuracy"]["V2"]
    np.testing.assert_allclose(balanced[["ST", "MT"]], [100, 50])
    assert any("filmF1 for V2 (all positive)" in n for n in table.notes)


def test_single_rater_and_what_was_not_rated(record):
    table = table2([record("F1", {"Expert": [1, 0]}, {"Expert": [1.0, 0.0]})])
    assert list(table.rows.columns) == ["Expert", "Mean"]
    assert "MT" not in table.rows.index
    assert any("the corpus has one rater" in note for note in table.notes)
    assert any("paper's rows are left out" in note for note in table.notes)
    labels = {"V1": [1, 0], "V2": [None, None]}
    answers = {"V1": [0.9, 0.1], "V2": [0.9, 0.1]}
    table = table2([record("F1", labels, answers, architecture="MT")])
    np.testing.assert_array_equal(table.rows.loc["MT"], [100, np.nan, 100])
    assert "Not rated, so not scored: filmF1 by V2." in table.notes


def test_seeds_are_averaged_before_folds(record):
    def st(fold, seed, answer):
        return record(fold, {"V1": [1, 0]}, {"V1": answer}, seed=seed)

    # Fold F1 has two seeds (1.0 and 0.5), fold F2 one (0.0).
    records = [
        st("F1", 0, [0.9, 0.1]),
        st("F1", 1, [0.9, 0.9]),
        st("F2", 0, [0.1, 0.9]),
    ]
    assert table2(records).rows.loc["ST", "V1"] == pytest.approx(37.5)


def test_paper_rows_stand_under_the_papers_viewers(record):
    labels = {key: [1, 0] for key in paper.ALL_VIEWERS}
    answers = {key: [0.9, 0.1] for key in paper.ALL_VIEWERS}
    known = {"architecture": "MT", "simulated": True, "ceiling": 0.9}
    table = table2([record("F1", labels, answers, **known)])
    assert table.published.loc["MT", "Vavg"] == 77.8
    assert table.published.loc["MT", "Mean"] == 73.61
    assert any("prints 73.61" in n and "73.89" in n for n in table.notes)
    assert any("not as a comparison" in note for note in table.notes)
    np.testing.assert_allclose(table.rows.loc["Ceiling"], 90)
    text = record("F1", labels, answers, architecture="MT", modalities=["text"])
    table = build_table(table2_spec(TEXT), [text])
    assert list(table.published.index) == ["Random", "Positive", "Negative"]


def test_mixed_or_missing_records_are_refused(record):
    one = record("F1", {"V1": [1, 0]}, {"V1": [1.0, 0.0]})
    other = record("F1", {"V1": [1, 0]}, {"V1": [1.0, 0.0]}, corpus_digest="d")
    with pytest.raises(ValueError, match="Received: 2 corpora"):
        table2([one, other])
    with pytest.raises(ValueError, match="Received 0 records"):
        table2([])
    with pytest.raises(ValueError, match="none of them for this table"):
        build_table(SPECS["III"], [one])
    # Jobs that failed are named below the table.
    notes = table2([one], failed=["MT-F1"]).notes
    assert any(n.startswith("INCOMPLETE") and "MT-F1" in n for n in notes)


def test_comparison_is_paired_by_film(two_viewer_records):
    table = table2(two_viewer_records)
    comparison = table.comparisons["accuracy"]
    # MT - ST per film: V1 +25 and +25, V2 +50 and -50; means +37.5, -12.5.
    rows = comparison.rows
    np.testing.assert_allclose(rows["difference"], [25, 0, 12.5])
    np.testing.assert_allclose(rows["p"], [0.5, 1, 1])
    assert rows.loc["V1", "p_holm"] == 1
    assert rows.loc["Mean", "low"] == pytest.approx(-12.5)
    assert rows.loc["Mean", "high"] == pytest.approx(37.5)
    assert comparison.sentence() == table.notes[0]
    assert table.notes[0].startswith(
        "In accuracy, MT is ahead of ST by 12.5 points on average (95 % "
        "interval over films -12.5 to +37.5, exact sign-flip test over 2 films "
        "p = 1.000), ahead in 1 of 2 columns. These numbers do not support"
    )
    # V2 has both classes in F2 only: ST is right, MT recalls one of two.
    balanced = table.comparisons["balanced_accuracy"]
    np.testing.assert_allclose(balanced.rows["difference"], [25, -50, -12.5])
    assert table.notes[1].startswith(
        "In balanced accuracy, MT is behind ST by 12.5 points on average"
    )
    # It is the difference of the rows, also where a film lacks a viewer.
    for measure, one in table.comparisons.items():
        rows = table.measures[measure]
        np.testing.assert_allclose(
            one.rows["difference"], rows.loc["MT"] - rows.loc["ST"]
        )


@pytest.mark.parametrize("films", [7, 12])
def test_clear_difference_is_called_one(record, films, monkeypatch):
    monkeypatch.setattr(comparison, "EXACT_FILMS", 10)
    records = []
    labels = {key: [1, 0, 1, 0] for key in ("V1", "V2")}
    good = {key: [0.9, 0.1, 0.9, 0.1] for key in ("V1", "V2")}
    for i in range(films):
        poor = [0.9, 0.1, 0.1, 0.9 if i % 2 else 0.1]
        records.append(record(f"F{i}", labels, good, architecture="MT"))
        records += [record(f"F{i}", {v: labels[v]}, {v: poor}) for v in labels]
    found = table2(records).comparisons["accuracy"]
    sentence = found.sentence()
    # Of more than `EXACT_FILMS` films not all sign patterns are looked at.
    assert ("exact sign-flip test" in sentence) == (films == 7)
    p = found.rows.loc["V1", ["p", "p_holm"]]
    if films == 7:
        np.testing.assert_allclose(p, [2 / 128, 4 / 128])
    assert 2 / 2**films <= p["p"] < 0.05
    assert "support that MT is better on average" in sentence
    assert "V1, V2" in sentence


def test_one_film_says_nothing_about_others(record):
    labels = {"V1": [1, 0], "V2": [1, 0]}
    answers = {"V1": [0.9, 0.1], "V2": [0.9, 0.1]}
    records = [record("F1", labels, answers, architecture="MT")]
    records += [record("F1", {v: labels[v]}, {v: answers[v]}) for v in labels]
    assert table2(records).notes[0] == (
        "In accuracy, MT is equal to ST on average, ahead in 0 of 2 columns, "
        "on one test film: that says nothing about other films."
    )


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ([-9, 3, -2.1], "behind ST by 2.7 points on average, ahead in 1"),
        ([9, 3, -2.7], "ahead of ST by 3.1 points on average, ahead in 2"),
        ([1, -1, 0], "equal to ST on average, ahead in 1"),
        ([1, -1.1, 0], "equal to ST on average, ahead in 1"),
    ],
)
def test_who_is_ahead_is_said_in_plain_english(differences, said):
    text = comparison.standing("MT", "ST", pd.Series(differences))
    assert text == f"MT is {said} of 3 columns"


@pytest.fixture
def one_split_records(record):
    """MT on each input and Vavg's Baseline; accuracies known by hand."""
    good, fair, bad = [0.9, 0.9, 0.1, 0.9], [0.9] * 4, [0.1] * 4
    records = []
    for architecture, viewers, modalities, answer in (
        ("MT", paper.ALL_VIEWERS, ("text",), fair),
        ("MT", paper.ALL_VIEWERS, ("visual",), bad),
        ("MT", paper.ALL_VIEWERS, ("text", "visual"), good),
        ("Baseline", ("Vavg",), ("text",), bad),
        ("Baseline", ("Vavg",), ("visual",), fair),
    ):
        labels, answers = (
            dict.fromkeys(viewers, x) for x in ([1, 1, 0, 1], answer)
        )
        how = {"architecture": architecture, "modalities": modalities}
        records.append(record("Baseline", labels, answers, **how))
    return records


def test_table_v_has_modalities_as_columns(one_split_records):
    five = build_table(SPECS["V"], one_split_records)
    # A mean over inputs would mean nothing.
    assert list(five.rows.columns) == ["Text", "Visual", "Multimodal"]
    assert list(five.rows.index) == ["Positive", "Majority", "Baseline", "MT"]
    np.testing.assert_allclose(five.rows.loc["MT"], [75, 25, 100])
    np.testing.assert_allclose(five.rows.loc["Baseline"], [25, 75, np.nan])
    np.testing.assert_allclose(five.rows.loc["Majority"], 75)
    assert five.published.loc["MT", "Multimodal"] == 89.5
    assert list(five.published.loc["Baseline"]) == [65.1, 82.8, 83.2]
    assert not five.comparisons
    assert five.notes[:3] == (
        "In accuracy, MT is equal to Baseline on average, ahead in 1 of 2 "
        "columns.",
        "In balanced accuracy, MT is equal to Baseline on average, ahead in 0 "
        "of 2 columns.",
        "One split with the test films filmBaseline: that says nothing about "
        "other films.",
    )
    assert any("65.10 %" in note for note in five.notes)


def test_table_vi_has_no_average(one_split_records):
    six = build_table(SPECS["VI"], one_split_records)
    assert list(six.rows.columns) == [*paper.VIEWERS, "Mean"]
    assert list(six.rows.index) == ["Majority", "MT", "MT-Text", "MT-Visual"]
    np.testing.assert_allclose(six.rows.loc["MT-Visual"], 25)
    assert not six.comparisons
    assert six.notes[0] == (
        "In accuracy, MT is ahead of MT-Text by 25.0 points on average, ahead "
        "in 7 of 7 columns; MT is ahead of MT-Visual by 75.0 points on "
        "average, ahead in 7 of 7 columns."
    )


def test_table_iii_has_the_baseline_and_compares_mt_with_st(record):
    labels = {"V1": [1, 0], "V2": [0, 0]}
    right, wrong = ({"V1": [x, 0.1], "V2": [0.1, 0.1]} for x in (0.9, 0.1))
    records = [
        record(
            fold,
            {viewer: labels[viewer] for viewer in group},
            answers,
            architecture=architecture,
            modalities=("text",),
        )
        for fold in ("F1", "F2")
        for architecture, answers, group in (
            ("MT", right, ("V1", "V2")),
            *(
                (kind, wrong, (v,))
                for kind in ("ST", "Baseline")
                for v in labels
            ),
        )
    ]
    three = build_table(SPECS["III"], records)
    rows = ["Majority", "Baseline-Text", "ST-Text", "MT-Text"]
    assert list(three.rows.index) == rows
    np.testing.assert_allclose(three.rows.loc["Baseline-Text"], [50, 100, 75])
    comparison = three.comparisons["accuracy"]
    assert (comparison.ours, comparison.other) == ("MT-Text", "ST-Text")
    assert comparison.rows.loc["V1", "difference"] == 50


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("corpus", "dimension", "arousal"),
        ("corpus", "annotation", "intended"),
        ("split", "name", "fixed"),
    ],
)
def test_the_papers_rows_are_for_experienced_valence_of_its_films(
    one_split_records, part, key, value
):
    assert len(build_table(SPECS["V"], one_split_records).published) == 2
    for record in one_split_records:
        {"corpus": record["corpus"], **record["job"]}[part][key] = value
    table = build_table(SPECS["V"], one_split_records)
    assert table.published.empty
    assert any("rows are left out" in note for note in table.notes)
