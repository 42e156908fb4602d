"""What a run says and leaves; with the I3D, see tests/integration."""

import dataclasses
import json

import pandas as pd
import pytest

from emotion_mt.cli.main import main
from emotion_mt.evaluation import SPECS
from emotion_mt.evaluation.specs import table2_spec
from emotion_mt.runs import Experiment, run_tables
from emotion_mt.storage.lock import locked


def test_a_second_run_ends_with_status_1(manifest, tmp_path, capsys):
    out = tmp_path / "run"
    flags = [f"--corpus={manifest}", f"--out={out}", "--modalities=text"]
    with locked(out):
        assert main(["tables", *flags]) == 1
    error = capsys.readouterr().err
    assert f"{out}: expected no other run in this folder" in error
    assert "process" in error
    assert {path.name for path in out.iterdir()} == {".lock"}


def test_a_corpus_with_one_viewer_has_no_table_of_several(manifest, tmp_path):
    ratings = manifest / "annotations.csv"
    kept = [x for x in ratings.read_text().splitlines() if ",V2," not in x]
    ratings.write_text("\n".join(kept) + "\n")
    lines = []
    experiment = Experiment(corpus=manifest, out=tmp_path / "run")
    with pytest.raises(ValueError, match="must have several viewers for Table"):
        run_tables(experiment, [SPECS["V"]], lines.append)
    assert lines[-1].startswith("Table V is left out")


@pytest.mark.usefixtures("unpainted")
def test_tables_of_a_folder_come_together(
    manifest, tmp_path, tiny_training, scheduler
):
    """One call per table, in one folder with one report."""
    out = tmp_path / "run"
    small = dataclasses.replace(tiny_training, max_epochs=1)
    folds = ["fold,movie,part"]
    for name, movies in (("one", "ABC"), ("two", "BCA")):
        parts = zip(movies, ("train", "validation", "test"), strict=True)
        folds += [f"{name},{movie},{part}" for movie, part in parts]
    (manifest / "folds.csv").write_text("\n".join(folds) + "\n")
    ratings = manifest / "annotations.csv"
    ratings.write_text(ratings.read_text().replace(",V1,", ",Ann B.,"))
    first = Experiment(
        corpus=manifest,
        out=out,
        dimension="arousal",
        scheduler=scheduler,
        training=dataclasses.replace(small, modalities=("text",)),
    )

    def tables_after(experiment, *specs):
        outcome = run_tables(experiment, specs or None, lambda _: None)
        config = json.loads((out / "config.json").read_text())
        report = (out / "report.html").read_text()
        for number in SPECS:
            shown = f"Table {number}." in report
            assert shown == (number in config["tables"])
        return list(config["tables"]), outcome

    second = table2_spec(("text",))
    made, outcome = tables_after(first, SPECS["III"])
    assert (made, outcome.failures) == (["III"], {})
    table = pd.read_csv(out / "table3.csv")
    assert list(table.columns[4:]) == ["Ann B.", "V2", "Vavg", "Mean"]
    assert {"Baseline-Text", "ST-Text", "MT-Text"} <= set(table["row"])
    assert "arousal" in (out / "table3.md").read_text()
    # Settings that decide no number may differ, and each table has its own
    # modalities; nothing is trained twice.
    how = {"scheduler": None, "workers": 2, "wait": True}
    other = dataclasses.replace(first, training=small, **how)
    made, outcome = tables_after(other, second)
    assert made == ["II", "III"]
    assert outcome.reused == len(outcome.records)
    config = json.loads((out / "config.json").read_text())
    assert config["weights_digest"] == []
    assert [split["name"] for split in config["splits"]["II"]][-1] == "two"

    # A table without its results, or made otherwise, is not in the report.
    lost = next((out / "jobs").glob("Baseline-*"))
    kept = lost.read_bytes()
    changed = {
        "corpus_digest": "other",
        "versions": {"emotion_mt": "9"},
        "experiment": {**config["experiment"], "seeds": [1]},
    }
    altered = [json.dumps({**config, k: v}) for k, v in changed.items()]
    lost.unlink()
    assert tables_after(first, second)[0] == ["II"]
    lost.write_bytes(kept)
    for content in (*altered, '{"experiment": ', "[]"):
        (out / "config.json").write_text(content)
        assert tables_after(first, second)[0] == ["II"]

    # All that the experiment allows, and a bundle.
    made, outcome = tables_after(first)
    assert made == ["II", "III"]
    assert outcome.reused == len(outcome.records)
    assert [path.name for path in (out / "bundles").iterdir()] == ["text"]
