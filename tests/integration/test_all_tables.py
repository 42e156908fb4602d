"""From nothing to Table II on simulated films, with the real I3D."""

import dataclasses

import pytest

from emotion_mt import paper
from emotion_mt.evaluation import Experiment, run_tables
from emotion_mt.evaluation.specs import table2_spec
from emotion_mt.training import TrainingConfig


@pytest.fixture
def experiment(tmp_path, i3d_cache, monkeypatch):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(i3d_cache))
    return Experiment(
        out=tmp_path / "runs",
        data=tmp_path / "data",
        segments_per_movie=3,
        workers=2,
        # The layers are small so that 63 fits take seconds; everything else
        # is what `make tables` does.
        training=TrainingConfig(
            max_epochs=2,
            l1=(1e-5,),
            max_vocabulary=64,
            embedding_dim=4,
            text_filters=4,
            single_task_trunk_units=(8,),
            multi_task_trunk_units=(8,),
            multi_task_head_units=(4,),
        ),
    )


def test_table_ii_of_a_simulated_corpus(experiment, capsys):
    outcome = run_tables(experiment, [table2_spec()])
    assert not outcome.failures
    assert len(outcome.records) == 7 + 7 * 8
    text = (experiment.out / "table2.md").read_text()
    assert "SIMULATED DATA" in text
    for row in ("Random", "Positive", "Negative", "Ceiling", "ST", "MT"):
        assert f"**{row}**" in text
    for row in ("ST", "MT"):
        assert f"*{row}, paper*" in text
    for viewer in (*paper.ALL_VIEWERS, "Mean"):
        assert viewer in text
    shown = capsys.readouterr().out
    for part in ("simulate", "I3D", "training"):
        assert part in shown.split("Where the time went")[1]
    record = outcome.records[0]
    assert record["corpus"]["simulated"]
    assert len(record["digests"]["weights"]) == 64

    # Again, with nothing left to do: the same table.
    again = run_tables(
        dataclasses.replace(experiment, workers=1), [table2_spec()]
    )
    assert again.reused == 63
    assert (experiment.out / "table2.md").read_text() == text
