import dataclasses
import json

import pytest

from emotion_mt import paper
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.specs import SPECS, TEXT, table2_spec
from emotion_mt.training import TrainingConfig

CONFIG = TrainingConfig()
FOLD = paper.FOLDS[0]


def test_plan_has_one_mt_and_one_st_per_viewer():
    jobs = table2_spec().jobs(paper.ALL_VIEWERS, paper.FOLDS, (0, 1), CONFIG)
    assert len(jobs) == 2 * 7 * (1 + 8)
    assert len(set(jobs)) == len(jobs)
    multi = [job for job in jobs if job.architecture == "MT"]
    assert len(multi) == 14
    assert all(job.viewers == paper.ALL_VIEWERS for job in multi)
    assert jobs[: len(multi)] == multi


def test_one_rater_has_no_mt():
    jobs = table2_spec(TEXT).jobs(("Expert",), paper.FOLDS, (0,), CONFIG)
    assert {job.architecture for job in jobs} == {"ST"}
    assert len(jobs) == 7
    assert {job.config.modalities for job in jobs} == {TEXT}


def test_baseline_split_needs_the_papers_films():
    five = SPECS["V"]
    assert five.splits(paper.MOVIES, "GLA")[0].test == ("CRA", "DEP")
    with pytest.raises(ValueError, match=r"Table V needs .* CRA, DEP"):
        five.splits(("BMI", "CHI", "FNE", "GLA", "LOR"), "GLA")
    jobs = five.jobs(
        paper.ALL_VIEWERS, five.splits(paper.MOVIES, "GLA"), (0,), CONFIG
    )
    assert [job.architecture for job in jobs] == ["MT"] * 3
    six = SPECS["VI"]
    assert set(jobs) == set(
        six.jobs(
            paper.ALL_VIEWERS, six.splits(paper.MOVIES, "GLA"), (0,), CONFIG
        )
    )


@pytest.mark.parametrize(
    ("architecture", "viewers", "message"),
    [
        ("ST", ("V1", "V2"), "ST needs exactly one viewer"),
        ("MT", ("V1",), "MT needs several viewers"),
        ("XY", ("V1",), "must be 'ST' or 'MT'. Received: 'XY'"),
    ],
)
def test_impossible_jobs_are_refused(architecture, viewers, message):
    with pytest.raises(ValueError, match=message):
        Job(architecture, viewers, FOLD, 0, CONFIG)


def test_key_changes_with_everything_that_decides_the_result():
    job = Job("ST", ("V1",), FOLD, 0, CONFIG)
    key = job.key("corpus", "features")
    assert key == dataclasses.replace(job).key("corpus", "features")
    others = [
        dataclasses.replace(job, seed=1).key("corpus", "features"),
        dataclasses.replace(job, viewers=("V2",)).key("corpus", "features"),
        dataclasses.replace(job, split=paper.FOLDS[1]).key(
            "corpus", "features"
        ),
        dataclasses.replace(
            job, config=dataclasses.replace(CONFIG, patience=3)
        ).key("corpus", "features"),
        job.key("other corpus", "features"),
        job.key("corpus", "other features"),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_file_name_is_safe_for_any_viewer():
    job = Job("ST", ("../Zoë/1 \n",), FOLD, 0, CONFIG)
    name = job.file_name("0123456789abcdef0123")
    assert "/" not in name
    assert "\n" not in name
    assert name.endswith("-0123456789abcdef.json")


def test_as_dict_is_json():
    job = Job("ST", ("V1",), FOLD, 0, CONFIG)
    assert json.loads(json.dumps(job.as_dict())) == job.as_dict()
