"""From films to tables and the report, with the real I3D."""

import json

import numpy as np
import pandas as pd
import pytest

from emotion_mt.evaluation import SPECS
from emotion_mt.runs import Experiment, run_tables


@pytest.fixture
def experiment(
    tmp_path, i3d_cache, short_films, tiny_training, scheduler, monkeypatch
):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(i3d_cache))
    return Experiment(
        corpus=short_films(tmp_path / "films", segments_per_movie=2),
        out=tmp_path / "runs",
        scheduler=scheduler,
        training=tiny_training,
    )


def test_tables_of_a_simulated_corpus(experiment, capsys):
    # Both kinds of input and of features, and MT and the Baseline, in five
    # fits; Tables II to IV need 63 to 119 (see tests/runs for those of text).
    outcome = run_tables(experiment, [SPECS["V"], SPECS["VI"]])
    assert not outcome.failures
    assert (len(outcome.records), outcome.reused) == (5, 0)
    report = (experiment.out / "report.html").read_text()
    for number, rows in {
        5: ("Positive", "Majority", "Ceiling", "Baseline", "MT"),
        6: ("Majority", "Ceiling", "MT", "MT-Text", "MT-Visual"),
    }.items():
        text = (experiment.out / f"table{number}.md").read_text()
        assert "SIMULATED DATA" in text
        assert all(f"**{row}**" in text for row in rows)
        table = pd.read_csv(experiment.out / f"table{number}.csv")
        ours = (table["source"] == "ours") & (table["measure"] == "accuracy")
        assert table[ours]["simulated"].all()
        # The report and LaTeX show the same numbers, rounded once more.
        latex = (experiment.out / f"table{number}.tex").read_text()
        values = table[ours].drop(columns="simulated").select_dtypes("number")
        shown = [f"{x:.2f}" for x in values.to_numpy().ravel() if x == x]
        assert len(shown) >= 2 * len(rows)
        assert all(value in latex and value in report for value in shown)
    parts = capsys.readouterr().out.split("Where the time went")[-1]
    for part in ("I3D", "histograms", "training"):
        assert part in parts
    config = json.loads((experiment.out / "config.json").read_text())
    assert list(config["tables"]) == ["V", "VI"]
    assert [len(digest) for digest in config["weights_digest"]] == [64]
    features = {record["digests"]["features"] for record in outcome.records}
    assert len(features - {"none"}) >= 2  # Of the I3D, and histograms.
    for record in outcome.records:
        for found in record["viewers"].values():
            assert np.isfinite(found["probability"]).all()
