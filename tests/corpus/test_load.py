import json

import pytest

from emotion_mt.corpus import CorpusError, load_corpus


@pytest.mark.parametrize("on_problem", ["raise", "skip"])
def test_what_is_no_corpus_is_refused(tmp_path, writer, on_problem):
    file = tmp_path / "a.zip"
    file.write_text("x")
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "holiday.mp4").write_bytes(b"x")
    # Nothing usable is refused even if problems are skipped.
    writer.film("BMI", valences=(0.5,))
    writer.trace_path("BMI").write_text("x\n")
    for folder, *parts in (
        (tmp_path / "gone", "an existing folder. Received: nothing there"),
        (file, "expected an existing folder. Received: a file"),
        (videos, "COGNIMUSE's traces and subtitles, or seg", "holiday.mp4"),
        (writer.root, "line 1: expected 3"),
    ):
        with pytest.raises(CorpusError) as caught:
            load_corpus(folder, on_problem=on_problem)
        assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("annotation", "felt"),
        ("dimension", "dominance"),
        ("on_problem", "ignore"),
        ("movies", "BMI"),
        ("movies", ()),
        *(("scale", ends) for ends in ((1, 1), (2, 1), (0, float("inf")))),
    ],
)
def test_arguments_that_make_no_sense_are_refused(writer, argument, value):
    writer.film("BMI")
    with pytest.raises(ValueError, match=f"`{argument}` must be .*Received: "):
        load_corpus(writer.root, **{argument: value})


CEILING = {"valence": {"BMI": {"V1": 0.9, "Vavg": 1}}, "dominance": {}}


def _simulated(writer, content):
    writer.film("BMI")
    writer.intended("BMI", 0.5)
    path = writer.root / "simulation.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text)
    return writer.root


def test_simulation_marks_the_corpus_and_carries_the_ceiling(writer):
    root = _simulated(writer, {"seed": 0, "ceiling": CEILING})
    corpus = load_corpus(root)
    assert corpus.simulated
    assert corpus.ceiling == {"BMI": {"V1": 0.9, "Vavg": 1.0}}
    arousal = load_corpus(root, dimension="arousal")
    assert (arousal.simulated, arousal.ceiling) == (True, None)
    intended = load_corpus(root, annotation="intended")
    assert (intended.simulated, intended.ceiling) == (True, None)
    (root / "simulation.json").write_text('{"seed": 0}')
    bare = load_corpus(root)
    assert (bare.simulated, bare.ceiling) == (True, None)


@pytest.mark.parametrize(
    "content",
    [
        '{"seed": 0,\n',
        "[]",
        "[" * 20_000,
        {"ceiling": 1},
        {"ceiling": {"valence": []}},
        {"ceiling": {"valence": {"BMI": 0.5}}},
        {"ceiling": {"valence": {"BMI": {"V1": 90}}}},
        {"ceiling": {"valence": {"BMI": {"V1": "high"}}}},
    ],
)
def test_faulty_simulation_file_is_refused(writer, content):
    message = r"simulation\.json: expected .*\. Received: "
    with pytest.raises(CorpusError, match=message):
        load_corpus(_simulated(writer, content))


def test_several_corpora_in_one_folder_are_told_apart(tmp_path):
    for name in ("b", "a"):
        path = tmp_path / name / "segments.csv"
        path.parent.mkdir()
        path.write_text("x")
    with pytest.raises(CorpusError, match="one corpus each is in ") as caught:
        load_corpus(tmp_path)
    assert f"is in {tmp_path / 'a'}, {tmp_path / 'b'}" in str(caught.value)


def test_a_manifest_beside_traces_is_what_counts(writer):
    writer.film("BMI")
    (writer.root / "segments.csv").write_text(
        "segment_id,movie,start_s,end_s,text,video\ns1,A,0,1,Hi,\n"
    )
    (writer.root / "annotations.csv").write_text(
        "segment_id,viewer,value\ns1,Ann,1\n"
    )
    corpus = load_corpus(writer.root)
    assert corpus.movies == ("A",)
    assert "2 traces are not read, for example " in corpus.notes[-1]
