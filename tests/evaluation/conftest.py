"""Result files' contents without fitting anything."""

import dataclasses
import types

import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper
from emotion_mt.corpus import LEFT_OUT_COLUMNS, Corpus
from emotion_mt.evaluation import rendering
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.scores import score
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


def make_trial(l1):
    """One L1 strength; the third epoch was kept."""
    slopes = {"bce": -0.05, "val_bce": 100 * l1}
    history = {n: (0.7 + s * np.arange(6)).tolist() for n, s in slopes.items()}
    return {"l1": l1, "best_epoch": 3, "score": 0.7, "history": history}


def make_record(
    fold,
    labels,
    probabilities,
    *,
    architecture="ST",
    modalities=("text", "visual"),
    seed=0,
    simulated=False,
    ceiling=None,
    corpus_digest="c",
    test=None,
):
    """A record; `labels` and `probabilities`: viewer -> list, None missing."""
    test = f"film{fold}" if test is None else test
    viewers = {}
    for viewer, label in labels.items():
        answers = probabilities[viewer]
        found = score(np.array(label, float), np.array(answers, float))
        viewers[viewer] = {
            "score": dataclasses.asdict(found),
            "ceiling": ceiling,
            "label": label,
            "probability": answers,
        }
    size = len(next(iter(labels.values())))
    return {
        "format": 1,
        "name": f"{architecture}-{'+'.join(labels)}-{fold}-seed{seed}",
        "key": "k",
        "job": {
            "architecture": architecture,
            "config": {"modalities": list(modalities)},
            "split": {"name": fold, "test": [test]},
            "seed": seed,
        },
        "versions": {"emotion_mt": "0.0", "python": "3.11"},
        "digests": {"corpus": corpus_digest, "features": "f" * 64},
        "corpus": {
            "name": "made-up",
            "annotation": "experienced",
            "dimension": "valence",
            "simulated": simulated,
        },
        "fit": {
            "l1": 1e-5,
            "best_epoch": 3,
            "trials": [make_trial(1e-6), make_trial(1e-5)],
            "untrained_viewers": [],
            "left_out": {"train": {"no visual feature": 3}, "test": {}},
            "notes": [],
            "seconds": {"total": 2.0},
        },
        "segment_id": [f"{test}-{number}" for number in range(size)],
        "movie": [test] * size,
        "viewers": viewers,
    }


@pytest.fixture(scope="session")
def record():
    """The function `make_record`."""
    return make_record


@pytest.fixture
def two_viewer_records():
    """ST and MT of two viewers on two folds, accuracies known by hand."""
    labels = {
        "F1": {"V1": [1, 1, 0, 0], "V2": [1, 1, 1, 1]},
        "F2": {"V1": [1, 0, 1, 0], "V2": [0, None, None, 1]},
    }
    yes, no = 0.9, 0.1
    answers = {
        # V1: 3/4 and 2/4; V2: 2/4 and 2/2.
        "ST": {
            "F1": {"V1": [yes, yes, no, yes], "V2": [yes, yes, no, no]},
            "F2": {"V1": [yes, yes, no, no], "V2": [no, no, no, yes]},
        },
        # V1: 4/4 and 3/4; V2: 4/4 and 1/2.
        "MT": {
            "F1": {"V1": [yes, yes, no, no], "V2": [yes] * 4},
            "F2": {"V1": [yes, yes, yes, no], "V2": [yes] * 4},
        },
    }
    groups = [("MT", ("V1", "V2")), ("ST", ("V1",)), ("ST", ("V2",))]
    return [
        make_record(
            fold,
            {viewer: labels[fold][viewer] for viewer in group},
            answers[architecture][fold],
            architecture=architecture,
        )
        for fold in labels
        for architecture, group in groups
    ]


def make_run(
    viewers=("V1", "V2", "Vavg"),
    movies=("A", "B", "C"),
    *,
    size=12,
    missing=0.0,
    simulated=True,
    video=None,
    text="some words of film {movie}",
    modalities=("text", "visual"),
):
    """A corpus and the records of ST and MT on every film, without a fit."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, (size * len(movies), len(viewers)))
    values[:, :-1][rng.random(values[:, :-1].shape) < missing] = np.nan
    start_s = np.tile(np.arange(size) * 1.0, len(movies))
    segments = pd.DataFrame(
        {
            "segment_id": [f"{m}-{i}" for m in movies for i in range(size)],
            "movie": np.repeat(np.array(movies, dtype=object), size),
            "start_s": start_s,
            "end_s": start_s + 0.8,
            "text": [text.format(movie=m) for m in movies for _ in range(size)],
            "video": video,
        }
    )
    gone = [("x-1", movies[0], 90.0, 91.0, "no rating at all")]
    corpus = Corpus(
        "made-up",
        segments,
        tuple(viewers),
        values.astype(np.float32),
        simulated=simulated,
        left_out=pd.DataFrame(gone, columns=list(LEFT_OUT_COLUMNS)),
    )
    groups = [("ST", (viewer,)) for viewer in viewers]
    if len(viewers) > 1:
        groups.insert(0, ("MT", corpus.viewers))
    records = []
    for number, movie in enumerate(movies, start=1):
        labels = corpus.labels[corpus.rows([movie])].astype(object)
        labels[np.isnan(labels.astype(float))] = None
        for architecture, group in groups:
            columns = {v: labels[:, corpus.column(v)].tolist() for v in group}
            record = make_record(
                f"F{number}",
                columns,
                {viewer: rng.random(size).tolist() for viewer in group},
                architecture=architecture,
                modalities=modalities,
                simulated=simulated,
                ceiling=0.9 if simulated else None,
                corpus_digest=corpus.digest(),
                test=movie,
            )
            records.append(record)
    return corpus, records


@pytest.fixture(scope="session")
def made_up_run():
    """The function `make_run`."""
    return make_run


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """All files of a run on the paper's viewers: folder, table and corpus.

    Two fits have said something, V2 was not learned by one, a job failed.
    """
    folder = tmp_path_factory.mktemp("written")
    corpus, records = make_run(paper.ALL_VIEWERS, size=6)
    for record in records[:2]:
        record["fit"]["notes"] = ["Early stopping had nothing to look at."]
    records[0]["fit"]["untrained_viewers"] = ["V2"]
    corpus = corpus.replace(
        notes=("V2 has no trace for film B",),
        problems=("D/subtitle.srt: expected cues",),
    )
    table = build_table(SPECS["II"], records)
    rendering.write_table(folder, "table2", table)
    files = write_report(
        folder,
        corpus,
        [table],
        records,
        experiment={"out": "runs/x", "training": {"l1": [1e-06, 1e-05]}},
        failures={"ST-text-F9": "ValueError: `x` must be <small>"},
        seconds={"decode": 12.34, "training": 5.0},
    )
    return types.SimpleNamespace(
        folder=folder, corpus=corpus, table=table, files=files
    )


#: Sets a mark on the page if a browser runs it.
HOSTILE = (
    "<script>document.documentElement.dataset.evil = 1</script>"
    '<img src=x onerror="document.documentElement.dataset.evil = 1">'
)


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory):
    """A whole report, with all figures, whose texts are `text` or too long."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    viewers = (HOSTILE, "a_viewer_with_a_very_long_name@example", "Vavg")
    corpus, records = make_run(
        viewers, (f"film {HOSTILE}",), text=HOSTILE.replace("{", "{{")
    )
    files = write_report(
        folder,
        corpus,
        [build_table(SPECS["II"], records)],
        records,
        experiment={"out": "/a/path/without/blanks" * 8, "name": HOSTILE},
        failures={"job" * 40: HOSTILE},
        seconds={HOSTILE: 1.0},
    )
    return types.SimpleNamespace(folder=folder, text=HOSTILE, files=files)
