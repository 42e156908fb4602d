import numpy as np

from emotion_mt.evaluation.figures import choose_predictions, draw_strip
from emotion_mt.evaluation.figures.segments import (
    choose_films,
    choose_segments,
    describe_segments,
)


def texts(drawing):
    return [t.get_text() for t in drawing.figure.axes[0].texts]


def test_segments_are_spread_over_the_film(made_up_run):
    corpus, records = made_up_run(size=50)
    predictions = choose_predictions(records)
    rows = choose_segments(corpus, predictions, "B", count=5)
    np.testing.assert_array_equal(rows, 50 + np.array([5, 15, 25, 35, 45]))


def test_segments_with_words_come_first(made_up_run):
    corpus, records = made_up_run()
    predictions = choose_predictions(records)
    text = corpus.segments["text"].where(corpus.segments.index % 2 == 0, " ")
    segments = corpus.segments.assign(text=text)
    rows = choose_segments(corpus.replace(segments=segments), predictions, "A")
    assert (rows % 2 == 0).all()
    silent = corpus.segments.assign(text="")
    rows = choose_segments(corpus.replace(segments=silent), predictions, "A")
    assert len(rows) == 5


def test_few_segments_are_all_shown(made_up_run):
    corpus, records = made_up_run(size=3)
    predictions = choose_predictions(records)
    rows = choose_segments(corpus, predictions, "A")
    np.testing.assert_array_equal(rows, [0, 1, 2])
    assert len(draw_strip(corpus, predictions, "A").data) == 3


def test_papers_films_are_shown_where_they_are(made_up_run):
    movies = ("BMI", "CHI", "CRA", "DEP", "FNE", "GLA", "LOR")
    corpus, records = made_up_run(movies=movies, size=3)
    films = choose_films(corpus, choose_predictions(records))
    assert films == ("LOR", "CRA", "FNE", "CHI")
    # Without LOR's predictions, the first films that have some.
    fewer = [r for r in records if r["movie"][0] not in ("LOR", "BMI")]
    films = choose_films(corpus, choose_predictions(fewer))
    assert films == ("CHI", "CRA", "DEP", "FNE")


def test_cells_are_labels_and_answers(made_up_run):
    corpus, records = made_up_run(missing=0.5)
    predictions = choose_predictions(records)
    predictions.probability.loc["A-3", "V2"] = np.nan
    shown = describe_segments(corpus, predictions, np.array([3, 7]))
    assert shown["segment"].tolist() == ["A-3", "A-7"]
    assert shown["start"].tolist() == ["0:03", "0:07"]
    for place, row in enumerate((3, 7)):
        for column, viewer in enumerate(corpus.viewers):
            value = corpus.values[row, column]
            answer = predictions.probability.loc[f"A-{row}", viewer]
            truth, said = (
                "–" if np.isnan(v) else "Pos" if v > middle else "Neg"
                for v, middle in ((value, 0), (answer, 0.5))
            )
            mark = " ✓" if truth == said else " ✗"
            expected = f"{truth} / {said}" + mark * ("–" not in (truth, said))
            assert shown[viewer][place] == expected
    assert shown["V2"][0].endswith("/ –")


def test_picture_shows_frames_of_the_middle(made_up_run, film):
    corpus, records = made_up_run(size=5, video=str(film))
    drawing = draw_strip(corpus, choose_predictions(records), "A")
    frames = [image.get_array() for image in drawing.figure.axes[0].images]
    # Segment n lasts from n to n + 0.8 s, at 25 frames per second.
    middles = 25 * (np.arange(5) + 0.4)
    np.testing.assert_allclose([f.mean() for f in frames], middles, atol=1.5)
    assert "no video" not in texts(drawing)


def test_without_video_a_grey_box_says_so(made_up_run):
    corpus, records = made_up_run()
    drawing = draw_strip(corpus, choose_predictions(records), "A")
    assert texts(drawing).count("no video") == 5
    assert not drawing.figure.axes[0].images


def test_right_and_wrong_are_marked_by_symbols_too(made_up_run):
    corpus, records = made_up_run(size=40)
    drawing = draw_strip(corpus, choose_predictions(records), "A")
    found = texts(drawing)
    assert any(t.endswith("✓") for t in found)
    assert any(t.endswith("✗") for t in found)


def test_signs_in_subtitles_are_shown_as_they_are(made_up_run):
    text = "costs $5 or $6 <i>now</i> \\alpha_{{1}} 映"
    corpus, records = made_up_run(text=text)
    drawing = draw_strip(corpus, choose_predictions(records), "A")
    shown = " ".join(texts(drawing))
    assert "$5 or" in shown
    assert "□" in shown
    assert drawing.data["subtitle"][0] == text.format()


def test_long_names_and_texts_stay_legible(made_up_run, legible, long_names):
    words = "incomprehensible " * 12 + "x" * 90
    corpus, records = made_up_run(**long_names, size=6, text=words)
    drawing = draw_strip(
        corpus, choose_predictions(records), long_names["movies"][0]
    )
    legible(drawing.figure)
    # The subtitle stays in its column, clear of its neighbour's.
    renderer = drawing.figure.canvas.get_renderer()
    boxes = [
        t.get_window_extent(renderer)
        for t in drawing.figure.axes[0].texts
        if t.get_text().startswith(("incompr", "xxx"))
    ]
    assert max(box.width for box in boxes) <= 1.2 * 100
