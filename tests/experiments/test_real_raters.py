"""Real raters: the rows of the tables, against numbers worked out by hand."""

import collections
import dataclasses
import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.cli.main import run
from emotion_mt.corpus import RATERS
from emotion_mt.evaluation.records import make_record, write_record
from emotion_mt.runs.worker import JobInput

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXPERIMENTS))
        yield importlib.import_module("real_raters")


@pytest.fixture(scope="module")
def rows(script):
    return importlib.import_module("rater_rows")


@pytest.fixture(scope="module")
def cache(shared, tmp_path_factory):
    if not (shared / "raters").is_dir():
        pytest.skip("real ratings (../shared/raters) are absent")
    folder = tmp_path_factory.mktemp("cache")
    for name in RATERS:
        shutil.copytree(shared / "raters" / name, folder / "raters" / name)
    return folder


@pytest.fixture(scope="module")
def finished(guesses):
    """Makes records of all jobs; writes them as a run would, to a folder."""

    def make(corpus, jobs, folder=None):
        shared = JobInput(corpus, {})
        records = []
        for job in jobs:
            digests, key = shared.digests_of(job), shared.key_of(job)
            result = guesses(job, corpus)
            records.append(make_record(job, key, corpus, digests, result))
            if folder is not None:
                write_record(folder / job.file_name(key), records[-1])
        return records

    return make


def by_hand(labels, answers):
    """Balanced accuracy, AUC and accuracy over the rated segments."""
    kept = ~np.isnan(labels) & ~np.isnan(answers)
    labels, answers = labels[kept], answers[kept]
    high, low = answers[labels == 1], answers[labels == 0]
    balanced = ((high > 0.5).mean() + (low <= 0.5).mean()) / 2
    above = (high[:, None] > low).mean() + (high[:, None] == low).mean() / 2
    return balanced, above, ((answers > 0.5) == (labels == 1)).mean()


def by_hand_of(record, viewer):
    content = record["viewers"][viewer]
    names = ("label", "probability")
    return by_hand(*(np.array(content[name], float) for name in names))


def cell(table, **where):
    found = table
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


CONFIG = emt.TrainingConfig(modalities=("text",), patience=5)


def test_every_part_is_left_out_with_every_model(script, small_corpus):
    jobs = script.all_jobs(small_corpus, (4, 1), CONFIG)
    kinds = collections.Counter((job.architecture, job.seed) for job in jobs)
    # Four parts, three columns. MT is there twice; the Baseline has one seed.
    counts = {("ST", seed): 12 for seed in (4, 1)}
    counts |= {("MT", seed): 8 for seed in (4, 1)}
    assert kinds == {**counts, ("Baseline", 4): 12}
    mts = [job.config for job in jobs if job.architecture == "MT"]
    layers = {c.multi_task_trunk_units + c.multi_task_head_units for c in mts}
    mt = paper.MT_TRUNK_UNITS + paper.MT_HEAD_UNITS
    assert layers == {mt, paper.ST_TRUNK_UNITS}


def test_scores_are_means_over_seeds(script, rows, small_corpus, finished):
    jobs = script.all_jobs(small_corpus, (0, 1), CONFIG)
    records = finished(small_corpus, jobs)
    found = script.all_scores(small_corpus, records)
    measures = list(rows.MEASURES)
    small = dataclasses.replace(CONFIG, **rows.SMALL)
    for row, config in (("MT", CONFIG), (rows.SMALL_MT, small)):
        where = {"architecture": "MT", "config": config.to_json()}
        expected = [
            by_hand_of(record, "V1")
            for record in records
            if record["job"].items() >= where.items()
            and record["job"]["split"]["name"] == "F2"
        ]
        assert len(expected) == 2
        numbers = cell(found, row=row, fold="F2", column="V1")[measures]
        expected = np.mean(expected, axis=0)
        np.testing.assert_allclose(numbers.astype(float), expected)
    chance = found[found["row"].isin(("Chance", "Majority"))]
    assert set(chance["auc"].dropna()) == {0.5}
    majority = cell(found, row="Majority", fold="F1", column="V1")["accuracy"]
    share = np.nanmean(small_corpus.labels[small_corpus.rows(["A"]), 0])
    assert majority == pytest.approx(max(share, 1 - share))


def test_what_other_raters_say(rows, small_corpus):
    third = -small_corpus.values[:, 0] / 2
    values = np.column_stack([*small_corpus.values.T[:2], third, third])
    corpus = small_corpus.replace(
        viewers=("V1", "V2", "V3", "Vavg"), values=values.astype(np.float32)
    )
    found = rows.scored(rows.rater_answers(corpus))
    assert paper.AVERAGE not in set(found["column"])
    part = corpus.rows(["A"])
    labels, said = corpus.labels[part], (corpus.values[part] + 1.0) / 2
    # V3 says the opposite of V1.
    one = np.mean([by_hand(labels[:, 0], said[:, c]) for c in (1, 2)], axis=0)
    together = by_hand(labels[:, 0], np.nanmean(said[:, 1:3], axis=1))
    for name, expected in {rows.ONE: one, rows.ALL: together}.items():
        row = cell(found, row=name, fold="F1", column="V1")
        numbers = row[list(rows.MEASURES)].astype(float)
        np.testing.assert_allclose(numbers, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "unseen"), [("TFIDF", {"F2"}), ("SAME", {"F1", "F2"})]
)
def test_tfidf_sees_no_held_out_part(rows, small_corpus, name, unseen):
    """Part B is tested on in F2, and validates in F1."""
    row = getattr(rows, name)
    before = rows.tfidf_answers(small_corpus, row)
    part = small_corpus.rows(["B"])
    values = small_corpus.values.copy()
    values[part] = -values[part]
    after = rows.tfidf_answers(small_corpus.replace(values=values), row)
    same = before["probability"] == after["probability"]
    untouched = same.groupby(before["fold"]).all()
    assert set(untouched.index[untouched]) == unseen


def test_tfidf_has_the_words_that_st_has(rows, small_corpus):
    texts = small_corpus.segments["text"]
    longer = small_corpus.segments.assign(
        text=[f"{'so ' * 18}{text}" for text in texts]
    )
    corpus = small_corpus.replace(segments=longer)
    cut = rows.tfidf_answers(corpus, rows.SAME)
    assert cut.groupby(["fold", "column"])["probability"].nunique().max() == 1
    whole = rows.tfidf_answers(corpus, rows.TFIDF)
    assert whole["probability"].nunique() > 10


def test_alpha_is_krippendorffs(script, small_corpus):
    values = small_corpus.values[:, :2].astype(float).round(2)
    both = values[np.isfinite(values).all(axis=1)]
    # Two raters: squared differences within segments over those of all pairs.
    within = ((both[:, 0] - both[:, 1]) ** 2).mean()
    flat = both.ravel()
    among = ((flat[:, None] - flat) ** 2).sum() / flat.size / (flat.size - 1)
    said = script.agreement(small_corpus)
    assert f"alpha is {1 - within / among:.3f} for values" in said
    values = small_corpus.values[:, :2]
    shared = values[np.isfinite(values).all(axis=1)]
    correlation = np.corrcoef(shared.T)[0, 1]
    assert f"correlate with {correlation:.3f} on average" in said


def test_a_finished_run_is_read_again(
    script, cache, tmp_path, capsys, finished
):
    corpus = emt.load_raters("sherlock", cache)
    jobs = script.all_jobs(corpus, (0,), CONFIG)
    folder = tmp_path / "out" / "sherlock" / "jobs"
    folder.mkdir(parents=True)
    records = finished(corpus, jobs, folder)
    given = ["--corpora=sherlock", "--seeds=0", f"--cache={cache}"]
    assert run(script.COMMAND, [*given, f"--out={tmp_path / 'out'}"]) == 0
    printed = capsys.readouterr().out
    page = (tmp_path / "out" / "real_raters.md").read_text(encoding="utf-8")
    assert page in printed
    assert f"{len(jobs)} fits, {len(jobs)} of them from before" in page
    assert "4 raters, 986 segments in 8 parts, 0.10% missing" in page
    assert "correlate with 0.509 on average" in page
    assert "held-out part is easier" in page
    assert "Epochs kept" in page
    picture = tmp_path / "out" / "real_raters.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    # The mean over parts of the AUC of ST for R2, by hand.
    own = {"architecture": "ST", "viewers": ["R2"]}
    mine = [r for r in records if r["job"].items() >= own.items()]
    expected = np.mean([by_hand_of(record, "R2")[1] for record in mine])
    table = page.split("**AUC (× 100)")[1]
    line = next(x for x in table.splitlines() if x.startswith("| ST |"))
    assert line.split("|")[3].strip() == f"{100 * expected:.1f}"


def test_another_corpus_is_refused(script, tmp_path, capsys):
    given = ["--corpora=titanic", f"--out={tmp_path}"]
    assert run(script.COMMAND, given) == 1
    said = capsys.readouterr().err
    assert "must be one of ('studyforrest', 'sherlock')" in said
