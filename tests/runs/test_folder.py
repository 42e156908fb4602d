import dataclasses
import json

import pytest

from emotion_mt import paper
from emotion_mt.evaluation import records
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.specs import SPECS, table2_spec
from emotion_mt.runs import folder as run_folder
from emotion_mt.training import TrainingConfig

SETTINGS = {
    "corpus": None,
    "seeds": [0],
    "workers": 2,
    "training": {"patience": 5, "modalities": ["text"]},
}


def make_part(folder, number, spec=None):
    """A table of two result files that are on disk."""
    job = Job("ST", ("V1",), paper.FOLDS[0], 0, TrainingConfig())
    contents = []
    for seed in (0, 1):
        job = dataclasses.replace(job, seed=seed)
        key = f"{number}{seed}" * 16
        record = {
            "format": records.FORMAT,
            "name": job.name,
            "key": key,
            "digests": {"weights": "w" if number == "II" else "none"},
            "job": job.as_dict(),
        }
        path = folder / run_folder.JOBS / job.file_name(key)
        path.parent.mkdir(exist_ok=True, parents=True)
        records.write_record(path, record)
        contents.append(record)
    return run_folder.TablePart(
        spec or SPECS[number], contents, ["a job that failed"]
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with Tables II (on text alone) and VI."""
    parts = [
        make_part(tmp_path, "II", table2_spec(("text",))),
        make_part(tmp_path, "VI"),
    ]
    run_folder.write_config(tmp_path, SETTINGS, "c", parts)
    return tmp_path, parts


def test_tables_made_before_are_found_again(folder):
    path, parts = folder
    found = run_folder.earlier_parts(path, SETTINGS, "c", without=["IV"])
    assert found == parts
    found = run_folder.earlier_parts(path, SETTINGS, "c", without=["VI"])
    assert found == parts[:1]
    config = json.loads((path / "config.json").read_text())
    assert config["weights_digest"] == ["w"]
    assert [split["name"] for split in config["splits"]["VI"]] == ["F1"]


def test_settings_that_decide_no_number_may_differ(folder):
    path, parts = folder
    training = {**SETTINGS["training"], "modalities": ["text", "visual"]}
    now = {
        **SETTINGS,
        "workers": 7,
        "wait": True,
        "dashboard": True,
        "training": training,
    }
    assert run_folder.earlier_parts(path, now, "c", without=[]) == parts


def test_tables_of_something_else_are_not_taken(folder, monkeypatch):
    path, _ = folder
    patient = {**SETTINGS, "training": {"patience": 6, "modalities": []}}
    for settings, digest in (
        (patient, "c"),
        ({**SETTINGS, "seeds": [0, 1]}, "c"),
        (SETTINGS, "other corpus"),
    ):
        assert not run_folder.earlier_parts(path, settings, digest, [])
    monkeypatch.setattr(run_folder, "versions", lambda: {"emotion_mt": "9"})
    assert not run_folder.earlier_parts(path, SETTINGS, "c", without=[])


def test_a_table_without_its_results_is_left_out(folder):
    path, parts = folder
    lost = next(
        (path / run_folder.JOBS).glob(f"*{parts[0].records[0]['key'][:16]}*")
    )
    lost.unlink()
    found = run_folder.earlier_parts(path, SETTINGS, "c", without=[])
    assert [part.spec.number for part in found] == ["VI"]


def test_a_new_folder_and_a_broken_config_have_no_tables(tmp_path):
    assert run_folder.earlier_parts(tmp_path, SETTINGS, "c", []) == []
    for broken in ('{"experiment": ', "{}", "[]"):
        (tmp_path / "config.json").write_text(broken)
        assert run_folder.earlier_parts(tmp_path, SETTINGS, "c", []) == []
