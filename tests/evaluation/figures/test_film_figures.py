"""Figures of single films: which predictions, segments and films they show."""

import copy

import numpy as np
from matplotlib.text import Text

from emotion_mt.evaluation.figures.films import (
    choose_films,
    choose_predictions,
    draw_film,
    draw_strip,
)


def changed(record, tests, answer, *, split="Baseline", seed=0):
    """The record as if of another split or seed, with one answer."""
    record = copy.deepcopy(record)
    record["job"] |= {"split": {"name": split, "test": tests}, "seed": seed}
    for content in record["viewers"].values():
        content["probability"] = [answer] * len(content["label"])
    return record


def of(records, architecture):
    return [r for r in records if r["job"]["architecture"] == architecture]


def test_mt_on_both_modalities_comes_first(made_up_run):
    _, both = made_up_run()
    _, text = made_up_run(modalities=("text",))
    chosen = choose_predictions([*text, *both])
    assert chosen.name == "MT on text and visual, seed 0"
    first = of(both, "MT")[0]
    found = chosen.probability.loc[first["segment_id"], "V1"]
    assert list(found) == first["viewers"]["V1"]["probability"]
    assert len(chosen.probability) == 36
    # Without MT, viewers of ST are put together.
    alone = choose_predictions(of(both, "ST"))
    assert alone.name.startswith("ST on")
    assert list(alone.probability) == ["V1", "V2", "Vavg"]
    assert not alone.probability.isna().any(axis=None)
    assert choose_predictions([]) is None


def test_lowest_seed_then_folds_come_first(made_up_run):
    mt = of(made_up_run()[1], "MT")
    baseline = changed(mt[0], ["A", "B"], 0.123)
    later = [changed(r, ["A"], 0.9, split="F1", seed=7) for r in mt]
    chosen = choose_predictions([*later, baseline, *mt])
    assert (~chosen.probability.isin([0.123, 0.9])).all(axis=None)
    assert "seed 0" in chosen.name
    assert "seed 7" in choose_predictions(later).name
    # Where the fold's job failed, the other split's answers are shown.
    chosen = choose_predictions([baseline, *mt[1:]])
    assert (chosen.probability["V1"] == 0.123).sum() == 12


def test_segments_are_spread_over_the_film_those_with_words_first(made_up_run):
    corpus, records = made_up_run(size=50)
    predictions = choose_predictions(records)

    def shown(corpus):
        data = draw_strip(corpus, predictions, "B").data
        return [int(name.removeprefix("B-")) for name in data["segment"]]

    assert shown(corpus) == [5, 15, 25, 35, 45]
    words = corpus.segments["text"]
    for text, expected in (
        (words.where(corpus.segments.index % 2 == 1, " "), [5, 15, 25, 35, 45]),
        (words.where(corpus.segments.index >= 90, ""), [41, 43, 45, 47, 49]),
        ("", [5, 15, 25, 35, 45]),
    ):
        segments = corpus.segments.assign(text=text)
        assert shown(corpus.replace(segments=segments)) == expected


def test_papers_films_are_shown_where_they_are(made_up_run):
    movies = ("BMI", "CHI", "CRA", "DEP", "FNE", "GLA", "LOR")
    corpus, records = made_up_run(movies=movies, size=3)
    predictions = choose_predictions(records)
    assert choose_films(corpus, predictions) == ("LOR", "CRA", "FNE", "CHI")
    # Few segments are all shown.
    assert len(draw_strip(corpus, predictions, "BMI").data) == 3
    # Without LOR's predictions, the first films that have some.
    fewer = [r for r in records if r["movie"][0] not in ("LOR", "BMI")]
    films = choose_films(corpus, choose_predictions(fewer))
    assert films == ("CHI", "CRA", "DEP", "FNE")


def test_cells_are_labels_and_answers(made_up_run):
    corpus, records = made_up_run(size=5, missing=0.5)
    for record in of(records, "MT"):
        record["viewers"]["V2"]["probability"][3] = None
    predictions = choose_predictions(records)
    drawing = draw_strip(corpus, predictions, "A")
    shown, drawn = drawing.data, texts(drawing)
    assert shown["segment"].tolist() == [f"A-{i}" for i in range(5)]
    assert shown["start"].tolist() == [f"0:0{i}" for i in range(5)]
    for row in range(5):
        for column, viewer in enumerate(corpus.viewers):
            value = corpus.values[row, column]
            answer = predictions.probability.loc[f"A-{row}", viewer]
            truth, said = (
                "–" if np.isnan(v) else "Pos" if v > middle else "Neg"
                for v, middle in ((value, 0), (answer, 0.5))
            )
            mark = " ✓" if truth == said else " ✗"
            expected = f"{truth} / {said}" + mark * ("–" not in (truth, said))
            assert shown[viewer][row] == expected
            assert expected in drawn
    assert shown["V2"][3].endswith("/ –")


def texts(drawing):
    return [t.get_text() for t in drawing.figure.findobj(Text)]


def test_picture_shows_frames_of_the_middle(made_up_run, film):
    corpus, records = made_up_run(size=5, video=str(film))
    drawing = draw_strip(corpus, choose_predictions(records), "A")
    frames = [i.get_array() for a in drawing.figure.axes for i in a.images]
    # Segment n lasts from n to n + 0.8 s, at 25 frames per second.
    middles = 25 * (np.arange(5) + 0.4)
    np.testing.assert_allclose([f.mean() for f in frames], middles, atol=1.5)
    assert "no video" not in texts(drawing)


def test_signs_in_subtitles_are_shown_as_they_are(made_up_run):
    text = "costs $5 or $6 <i>now</i> \\alpha_{{1}} 映"
    corpus, records = made_up_run(text=text)
    drawing = draw_strip(corpus, choose_predictions(records), "A")
    shown = " ".join(texts(drawing))
    assert "$5 or" in shown
    assert "□" in shown
    assert shown.count("no video") == 5
    assert drawing.data["subtitle"][0] == text.format()


def test_long_names_and_texts_stay_legible(made_up_run, legible, long_names):
    words = "INCOMPREHENSIBLE " * 12 + "x" * 90
    corpus, records = made_up_run(**long_names, size=6, text=words)
    predictions = choose_predictions(records)
    legible(draw_strip(corpus, predictions, long_names["movies"][0]).figure)
    legible(draw_film(corpus, predictions, "Vavg").figure)


def test_timeline_is_of_the_film_with_the_most_even_classes(made_up_run):
    """Film B has even classes, and gaps."""
    corpus, records = made_up_run()
    values = corpus.values.copy()
    values[:, 2] = 0.5
    rows = corpus.rows(["B"])
    values[rows[::2], 2] = -0.5
    values[rows[::5], 2] = np.nan
    corpus = corpus.replace(values=values)
    predictions = choose_predictions(records)
    only_a = choose_predictions([r for r in records if r["movie"][0] == "A"])
    caption = draw_film(corpus, only_a, "Vavg").caption
    assert caption.startswith("Film A, Vavg.")
    assert draw_film(corpus, predictions, "nobody") is None
    unrated = corpus.replace(values=np.full_like(values, np.nan))
    assert draw_film(unrated, predictions, "Vavg") is None

    drawing = draw_film(corpus, predictions, "Vavg")
    assert drawing.caption.startswith("Film B, Vavg.")
    ids = corpus.segments["segment_id"].iloc[rows]
    answer = predictions.probability.loc[ids, "Vavg"].to_numpy()
    truth = corpus.labels[rows, 2]
    rated = ~np.isnan(truth)
    right = (answer > 0.5) == (truth > 0)
    # The figure for print, and the page's timeline, say the same.
    (axes,) = drawing.figure.axes
    drawn = axes.get_lines()[1].get_ydata()
    np.testing.assert_array_equal(drawn, answer.repeat(2))
    heights = [b.get_height() for c in axes.containers for b in c]
    expected = sorted(corpus.values[rows, 2][rated] / 2)
    np.testing.assert_allclose(sorted(heights), expected)
    counts = {"right": rated & right, "wrong": rated & ~right}
    for name, chosen in {**counts, "not rated": ~rated}.items():
        assert f"{name}: {chosen.sum()}" in texts(drawing)
        assert f"{name}: {chosen.sum()}" in drawing.html
    assert drawing.html.count("<tr data-start") == len(rows)
    assert "SIMULATED DATA" in drawing.html
