import dataclasses
import itertools

import pytest

from emotion_mt import paper
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.specs import (
    SPECS,
    TEXT,
    in_working_order,
    specs_for,
    table2_spec,
)
from emotion_mt.training import BaselineConfig, TrainingConfig

CONFIG = TrainingConfig()
FOLD = paper.FOLDS[0]


def test_one_rater_has_no_mt():
    jobs = table2_spec(TEXT).jobs(("Expert",), paper.FOLDS, (0,), CONFIG)
    found = {(job.architecture, job.config.modalities) for job in jobs}
    assert found == {("ST", TEXT)}
    assert len(jobs) == 7
    for name, table in (("text", "III"), ("visual", "IV")):
        assert [s.number for s in specs_for((name,))] == ["II", table]


def test_tables_five_and_six_share_the_fits_of_mt():
    five, six = SPECS["V"], SPECS["VI"]
    splits = five.splits(paper.MOVIES, "GLA")
    assert [split.test for split in splits] == [("CRA", "DEP")]
    jobs = five.jobs(paper.ALL_VIEWERS, splits, (0,), CONFIG)
    baseline = [job for job in jobs if job.architecture == "Baseline"]
    # The average viewer alone, and no multimodal Baseline.
    found = [(j.viewers, j.config.modalities) for j in baseline]
    assert found == [(("Vavg",), (name,)) for name in ("text", "visual")]
    others = six.jobs(paper.ALL_VIEWERS, splits, (0,), CONFIG)
    assert set(jobs) - set(baseline) == set(others)
    # Other corpora have them too.
    movies = ("one", "two", "three", "four", "five")
    (split,) = SPECS["V"].splits(movies)
    assert (split.name, split.test) == ("fixed", ("five",))
    assert split.validation == ("four",)
    jobs = SPECS["V"].jobs(("Ann", "Bob", "Vavg"), (split,), (0,), CONFIG)
    assert {j.architecture for j in jobs} == {"Baseline", "MT"}
    # One rater has neither MT nor an average.
    assert not SPECS["V"].jobs(("Expert",), (split,), (0,), CONFIG)


def test_tables_three_and_four_have_the_baseline_per_viewer():
    tables = ("III", ("text",), None), ("IV", ("visual",), "histograms")
    for number, modalities, kind in tables:
        spec = SPECS[number]
        splits = spec.splits(paper.MOVIES)
        jobs = spec.jobs(paper.ALL_VIEWERS, splits, (0,), CONFIG)
        assert len(jobs) == 7 * (8 + 8 + 1)
        baseline = [j for j in jobs if j.architecture == "Baseline"]
        assert {type(j.config) for j in baseline} == {BaselineConfig}
        assert {j.config.modalities for j in jobs} == {modalities}
        assert {j.feature_kind for j in baseline} == {kind}
        others = {j.feature_kind for j in jobs if j not in baseline}
        assert others == {"i3d" if kind else None}


def test_all_tables_share_their_jobs():
    parts = []
    for spec in specs_for(("text", "visual")):
        how = (spec.splits(paper.MOVIES), (0,), CONFIG)
        parts += spec.jobs(paper.ALL_VIEWERS, *how)
    ordered = in_working_order(list(dict.fromkeys(parts)))
    # II: 63; III and IV: 63 and 56 Baselines each; V and VI: 3 MT, 2 Baselines.
    assert len(ordered) == 63 + 2 * 119 + 3 + 2
    assert len(parts) == len(ordered) + 3
    kinds = [(j.architecture, j.config.modalities) for j in ordered]
    # Each kind of model stands together, MT first.
    assert len(set(kinds)) == len(list(itertools.groupby(kinds)))
    order = [name for name, _ in dict.fromkeys(kinds)]
    assert order == ["MT"] * 3 + ["ST"] * 3 + ["Baseline"] * 2


@pytest.mark.parametrize(
    ("architecture", "viewers", "message"),
    [
        ("ST", ("V1", "V2"), "ST needs exactly one viewer"),
        ("MT", ("V1",), "MT needs several viewers"),
        ("Baseline", ("V1", "V2"), "Baseline needs exactly one viewer"),
        ("Baseline", ("V1",), "Baseline needs a BaselineConfig"),
        ("XY", ("V1",), "must be one of .* Received: 'XY'"),
    ],
)
def test_impossible_jobs_are_refused(architecture, viewers, message):
    with pytest.raises(ValueError, match=message):
        Job(architecture, viewers, FOLD, 0, CONFIG)


def test_key_changes_with_everything_that_decides_the_result():
    job = Job("ST", ("V1",), FOLD, 0, CONFIG)
    key = job.key("corpus", "features")
    assert key == dataclasses.replace(job).key("corpus", "features")
    changes = {"seed": 1, "viewers": ("V2",), "split": paper.FOLDS[1]}
    changes["config"] = dataclasses.replace(CONFIG, patience=3)
    others = [
        job.key("other corpus", "features"),
        job.key("corpus", "other features"),
    ]
    for field, value in changes.items():
        changed = dataclasses.replace(job, **{field: value})
        others.append(changed.key("corpus", "features"))
    assert len({key, *others}) == 1 + len(changes) + 2
    # A file's name is safe for any viewer.
    job = Job("ST", ("../Zoë/1 \n",), FOLD, 0, CONFIG)
    name = job.file_name("0123456789abcdef0123")
    assert "/" not in name
    assert "\n" not in name
    assert name.endswith("-0123456789abcdef.json")
