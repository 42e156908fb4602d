"""From films to Tables II-VI and the report, with the real I3D."""

import csv
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper
from emotion_mt.corpus import load_corpus
from emotion_mt.evaluation import SPECS, specs_for
from emotion_mt.runs import Experiment, run_tables
from emotion_mt.simulation import simulate_corpus
from emotion_mt.training import TrainingConfig

#: The layers are small, so that 187 fits take seconds; everything else is what
#: `make tables` does.
TRAINING = TrainingConfig(
    max_epochs=1,
    l1=(1e-5,),
    max_vocabulary=64,
    embedding_dim=4,
    text_filters=4,
    single_task_trunk_units=(8,),
    multi_task_trunk_units=(8,),
    multi_task_head_units=(4,),
)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "simulated-2-seed0"
    return simulate_corpus(folder, segments_per_movie=2, progress=False)


@pytest.fixture
def experiment(simulated, tmp_path, i3d_cache, monkeypatch):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(i3d_cache))
    return Experiment(
        out=tmp_path / "runs",
        data=simulated.parent,
        segments_per_movie=2,
        workers=2,
        training=TRAINING,
    )


def test_tables_of_a_simulated_corpus(experiment, capsys):
    # Table IV is Table III with the other input, and costs 119 fits.
    chosen = [spec for name, spec in SPECS.items() if name != "IV"]
    outcome = run_tables(experiment, chosen)
    assert not outcome.failures
    assert (len(outcome.records), outcome.reused) == (187, 0)
    rows = {
        2: ("Random", "Positive", "Negative", "Majority", "Ceiling"),
        3: ("Majority", "Ceiling", "Baseline-Text", "ST-Text", "MT-Text"),
        5: ("Positive", "Majority", "Ceiling", "Baseline", "MT"),
        6: ("Majority", "Ceiling", "MT", "MT-Text", "MT-Visual"),
    }
    for number, names in rows.items():
        text = (experiment.out / f"table{number}.md").read_text()
        assert "SIMULATED DATA" in text
        for name in names:
            assert f"**{name}**" in text
        table = pd.read_csv(experiment.out / f"table{number}.csv")
        own = table[
            (table["source"] == "ours") & (table["measure"] == "accuracy")
        ]
        assert own["simulated"].all()
        # The report and LaTeX show the same numbers, rounded once more.
        latex = (experiment.out / f"table{number}.tex").read_text()
        report = (experiment.out / "report.html").read_text()
        for value in (
            own.drop(columns=["row", "source", "measure", "simulated"])
            .to_numpy()
            .ravel()
        ):
            if not np.isnan(value):
                assert f"{value:.2f}" in latex
                assert f"{value:.2f}" in report
    shown = capsys.readouterr().out
    for part in ("simulate", "I3D", "histograms", "training"):
        assert part in shown.split("Where the time went")[-1]
    config = json.loads((experiment.out / "config.json").read_text())
    assert list(config["tables"]) == ["II", "III", "V", "VI"]
    assert [len(digest) for digest in config["weights_digest"]] == [64]

    # One table again, with nothing left to do: the report keeps all.
    again = run_tables(
        dataclasses.replace(experiment, workers=1), [SPECS["III"]]
    )
    assert again.reused == len(again.records) == 7 * 17
    report = (experiment.out / "report.html").read_text()
    for spec in chosen:
        assert f"Table {spec.number}." in report


def test_five_viewers_with_gaps_in_other_films(simulated, tmp_path):
    """A manifest: five films by other names, five viewers, 40 % missing."""
    corpus = load_corpus(simulated, dimension="arousal")
    rng = np.random.default_rng(0)
    with (
        open(tmp_path / "segments.csv", "w", newline="") as segments,
        open(tmp_path / "annotations.csv", "w", newline="") as ratings,
    ):
        segments, ratings = csv.writer(segments), csv.writer(ratings)
        segments.writerow(
            ["segment_id", "movie", "start_s", "end_s", "text", "video"]
        )
        ratings.writerow(["segment_id", "viewer", "value"])
        for row in corpus.segments.itertuples():
            if row.movie not in paper.MOVIES[:5]:
                continue
            times = (row.start_s, row.end_s)
            film = f"film {row.movie}"
            segments.writerow([row.segment_id, film, *times, row.text, ""])
            for viewer in paper.VIEWERS[:5]:
                if rng.random() > 0.4:
                    value = rng.uniform(-1, 1)
                    ratings.writerow([row.segment_id, f"P {viewer}", value])
    experiment = Experiment(
        corpus=tmp_path,
        out=tmp_path / "runs",
        dimension="arousal",
        workers=2,
        training=dataclasses.replace(TRAINING, modalities=("text",)),
    )
    outcome = run_tables(experiment, specs_for(("text",)))
    assert not outcome.failures
    table = pd.read_csv(tmp_path / "runs" / "table3.csv")
    columns = [*(f"P {viewer}" for viewer in paper.VIEWERS[:5]), "Vavg", "Mean"]
    assert list(table.columns[4:]) == columns
    assert {"Baseline-Text", "ST-Text", "MT-Text"} <= set(table["row"])
    assert "arousal" in (tmp_path / "runs" / "table3.md").read_text()
