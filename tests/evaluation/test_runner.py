import dataclasses
import json

import numpy as np
import pytest

from emotion_mt.corpus import folds
from emotion_mt.evaluation import records
from emotion_mt.evaluation.runner import describe, run_jobs
from emotion_mt.evaluation.specs import TEXT, table2_spec
from emotion_mt.training import TrainingConfig

TINY = TrainingConfig(
    modalities=("text",),
    max_epochs=2,
    patience=1,
    l1=(1e-5,),
    embedding_dim=4,
    text_filters=4,
    max_vocabulary=32,
    single_task_trunk_units=(8,),
    multi_task_trunk_units=(8,),
    multi_task_head_units=(4,),
)


@pytest.fixture
def jobs(small_corpus):
    """MT and three ST jobs on the first fold (film A is the test film)."""
    return table2_spec(TEXT).jobs(
        small_corpus.viewers, folds(small_corpus.movies)[:1], (0,), TINY
    )


def _contents(folder):
    """Result files without the seconds, which differ from run to run."""
    contents = {}
    for path in sorted(folder.iterdir()):
        record = json.loads(path.read_text())
        record["fit"].pop("seconds")
        contents[path.name] = record
    return contents


def test_runs_resumes_and_repeats(tmp_path, jobs, small_corpus):
    lines = []
    first = run_jobs(
        jobs, small_corpus, None, tmp_path / "a", workers=2, report=lines.append
    )
    assert not first.failures
    assert first.reused == 0
    assert len(first.records) == len(lines) == len(jobs) == 4
    # The order of records is that of the jobs, whichever ended first.
    assert [r["name"] for r in first.records] == [job.name for job in jobs]
    whole = _contents(tmp_path / "a")

    # Stopped in mid-run: one file is gone, one was written half.
    paths = sorted((tmp_path / "a").iterdir())
    paths[0].unlink()
    paths[1].write_text(paths[1].read_text()[:100])
    # Another number of workers changes nothing.
    second = run_jobs(jobs, small_corpus, None, tmp_path / "a", workers=1)
    assert second.reused == 2
    assert _contents(tmp_path / "a") == whole

    # A changed corpus leads to new fits.
    changed = small_corpus.replace(values=-small_corpus.values)
    third = run_jobs(jobs[1:2], changed, None, tmp_path / "a", workers=1)
    assert third.reused == 0
    assert len(list((tmp_path / "a").iterdir())) == 5


def test_record_holds_what_a_table_needs(tmp_path, jobs, small_corpus):
    outcome = run_jobs(
        jobs[:1], small_corpus, None, tmp_path, workers=1, weights_digest="w"
    )
    (record,) = outcome.records
    rows = small_corpus.rows(("A",))
    assert record["digests"]["corpus"] == small_corpus.digest()
    assert record["digests"]["weights"] == "w"
    assert record["segment_id"] == [f"A-{i}" for i in range(10)]
    for column, viewer in enumerate(small_corpus.viewers):
        np.testing.assert_array_equal(
            np.array(record["viewers"][viewer]["label"], float),
            small_corpus.labels[rows, column],
        )
        probabilities = np.array(record["viewers"][viewer]["probability"])
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
    frame = records.as_frame([record])
    assert list(frame["viewer"]) == list(small_corpus.viewers)
    assert "MT-text-F1-all-seed0: V1 " in describe(record)


def test_a_failing_job_leaves_the_others_alone(tmp_path, jobs, small_corpus):
    # V2 rated nothing in the training films, so its ST model cannot be fitted.
    values = small_corpus.values.copy()
    values[:, small_corpus.column("V2")] = np.nan
    corpus = small_corpus.replace(values=values)
    outcome = run_jobs(jobs, corpus, None, tmp_path, workers=1)
    assert [f.job.viewers for f in outcome.failures] == [("V2",)]
    assert "V2" in outcome.failures[0].message
    assert len(outcome.records) == 3
    mt = outcome.records[0]
    assert mt["viewers"]["V2"]["score"]["accuracy"] is None


def test_bad_arguments_are_refused(tmp_path, jobs, small_corpus):
    with pytest.raises(ValueError, match="`workers` must be at least 1"):
        run_jobs(jobs, small_corpus, None, tmp_path, workers=0)


def test_damaged_result_files_are_named(tmp_path):
    path = tmp_path / "job.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"job\.json: expected a result file"):
        records.read_record(path)
    path.write_text(json.dumps({"format": 99}))
    with pytest.raises(ValueError, match="Received format: 99"):
        records.read_record(path)


def test_ceiling_is_weighted_by_rated_segments(jobs, small_corpus):
    job = dataclasses.replace(
        jobs[1],
        split=dataclasses.replace(
            jobs[1].split, test=("A", "B"), train=("C",), validation=("D",)
        ),
    )
    values = small_corpus.values.copy()
    values[small_corpus.rows(("B",))[:5], 0] = np.nan
    corpus = small_corpus.replace(
        values=values,
        ceiling={"A": {"V1": 0.9}, "B": {"V1": 0.6}},
    )
    # Ten segments at 0.9 and five at 0.6.
    assert records._ceiling(corpus, job, "V1") == pytest.approx(0.8)
    assert records._ceiling(small_corpus, job, "V1") is None
