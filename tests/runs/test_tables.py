"""What a run says and leaves; with the I3D, see tests/integration."""

import dataclasses
import json

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


def test_tables_of_a_folder_come_together(manifest, tmp_path, small_config):
    """One call per table, in one folder with one report."""
    out = tmp_path / "run"
    small = dataclasses.replace(small_config, max_epochs=1)
    first = Experiment(
        corpus=manifest,
        out=out,
        workers=2,
        training=dataclasses.replace(small, modalities=("text",)),
    )

    def tables_after(experiment, spec):
        outcome = run_tables(experiment, [spec], lambda _: None)
        config = json.loads((out / "config.json").read_text())
        report = (out / "report.html").read_text()
        for number in SPECS:
            shown = f"Table {number}." in report
            assert shown == (number in config["tables"])
        return list(config["tables"]), outcome

    second = table2_spec(("text",))
    made, outcome = tables_after(first, SPECS["III"])
    assert (made, outcome.failures) == (["III"], {})
    # Settings that decide no number may differ, and each table has its own
    # modalities; nothing is trained twice.
    other = dataclasses.replace(first, workers=1, wait=True, training=small)
    made, outcome = tables_after(other, second)
    assert made == ["II", "III"]
    assert outcome.reused == len(outcome.records)
    config = json.loads((out / "config.json").read_text())
    assert config["weights_digest"] == []
    assert [split["name"] for split in config["splits"]["II"]][-1] == "F4"

    # A table without its results, or made otherwise, is not in the report.
    lost = next((out / "jobs").glob("Baseline-*"))
    kept = lost.read_bytes()
    lost.unlink()
    assert tables_after(first, second)[0] == ["II"]
    lost.write_bytes(kept)
    changed = {
        "corpus_digest": "other",
        "versions": {"emotion_mt": "9"},
        "experiment": {**config["experiment"], "seeds": [1]},
    }
    altered = [json.dumps({**config, k: v}) for k, v in changed.items()]
    for content in (*altered, '{"experiment": ', "{}", "[]"):
        (out / "config.json").write_text(content)
        assert tables_after(first, second)[0] == ["II"]
