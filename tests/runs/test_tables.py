"""What a run says and leaves without fitting anything; the rest is in
tests/integration."""

import pytest

from emotion_mt.cli.main import main
from emotion_mt.evaluation import SPECS
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
