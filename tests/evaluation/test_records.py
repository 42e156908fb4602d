"""Result files, without fitting anything."""

import dataclasses
import math

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job
from emotion_mt.training import TrainingConfig, Trial

DIGESTS = {"corpus": "c", "features": "none", "weights": "none"}


def make(guesses, corpus, test=("A",), untrained=()):
    """The record of MT on films that were not rated alike."""
    split = paper.Split("F1", ("D",), ("C",), test)
    config = TrainingConfig(modalities=("text",))
    job = Job("MT", corpus.viewers, split, 0, config)
    size = len(corpus.rows(test)), len(corpus.viewers)
    probabilities = np.random.default_rng(0).random(size, dtype=np.float32)
    for viewer in untrained:
        probabilities[:, corpus.column(viewer)] = np.nan
    history = {"bce": (0.7, 0.6), "val_bce": (np.float32(0.5), math.nan)}
    result = dataclasses.replace(
        guesses(job, corpus),
        trials=(Trial(1e-5, 1, math.nan, history),),
        probabilities=probabilities,
        untrained_viewers=untrained,
    )
    return records.make_record(job, "key", corpus, DIGESTS, result)


def test_record_holds_what_a_table_needs(guesses, small_corpus, tmp_path):
    record = make(guesses, small_corpus, untrained=("V2",))
    path = tmp_path / "job.json"
    records.write_record(path, record)
    assert "NaN" not in path.read_text()
    assert records.read_record(path) == record

    rows = small_corpus.rows(("A",))
    assert record["segment_id"] == [f"A-{i}" for i in range(10)]
    assert record["fit"]["trials"] == [
        {
            "l1": 1e-5,
            "best_epoch": 1,
            "score": None,
            "history": {"bce": [0.7, 0.6], "val_bce": [0.5, None]},
        }
    ]
    assert record["fit"]["class_weights"] == [[1.0, 1.0]] * 3
    frame = records.as_frame([record])
    assert len(frame) == 30
    for viewer, answers in frame.groupby("viewer"):
        labels = small_corpus.labels[rows, small_corpus.column(viewer)]
        if viewer == "V2":
            # Nothing was learned about V2, so nothing is scored.
            labels = np.full(10, np.nan)
            assert answers["probability"].isna().all()
            assert record["viewers"]["V2"]["score"]["accuracy"] is None
        np.testing.assert_array_equal(answers["label"], labels)
        assert list(answers["segment_id"]) == record["segment_id"]
    assert set(frame["modalities"]) == {"text"}
    assert set(frame["test"]) == {"A"}


def test_ceiling_is_weighted_by_rated_segments(guesses, small_corpus):
    values = small_corpus.values.copy()
    values[small_corpus.rows(("B",))[:5], 0] = np.nan
    ceiling = {
        movie: dict.fromkeys(small_corpus.viewers, share)
        for movie, share in (("A", 0.9), ("B", 0.6))
    }
    corpus = small_corpus.replace(values=values, ceiling=ceiling)
    # Ten segments at 0.9 and five at 0.6.
    found = make(guesses, corpus, test=("A", "B"))["viewers"]["V1"]["ceiling"]
    assert found == pytest.approx(0.8)
    assert make(guesses, small_corpus)["viewers"]["V1"]["ceiling"] is None


def test_damaged_result_files_are_named(tmp_path):
    path = tmp_path / "job.json"
    for content, said in (
        ("{", "JSON"),
        ("[1]", "of format"),
        ('{"format": 99}', "Received format: 99"),
    ):
        path.write_text(content)
        expected = rf"job\.json: expected a result file.*{said}"
        with pytest.raises(ValueError, match=expected):
            records.read_record(path)
    records.write_record(path, {"format": records.FORMAT, "name": "a"})
    path.write_text(path.read_text().replace('"a"', '"b"'))
    with pytest.raises(ValueError, match="Received an altered one"):
        records.read_record(path)
