"""Result files' contents without fitting anything."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_mt.corpus import LEFT_OUT_COLUMNS, Corpus
from emotion_mt.evaluation import references
from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.report_content import RunInfo
from emotion_mt.evaluation.scores import score
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


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
):
    """A record; `labels` and `probabilities`: viewer -> list, None missing."""
    viewers = {}
    for viewer, label in labels.items():
        as_array = np.array(label, dtype=float)
        answer = np.array(probabilities[viewer], dtype=float)
        viewers[viewer] = {
            "score": dataclasses.asdict(score(as_array, answer)),
            "ceiling": ceiling,
            "label": label,
            "probability": probabilities[viewer],
        }
    return {
        "format": 1,
        "name": f"{architecture}-{fold}",
        "key": "k",
        "job": {
            "architecture": architecture,
            "config": {"modalities": list(modalities)},
            "split": {"name": fold, "test": [f"film{fold}"]},
            "seed": seed,
        },
        "digests": {"corpus": corpus_digest},
        "corpus": {
            "name": "made-up",
            "annotation": "experienced",
            "dimension": "valence",
            "simulated": simulated,
        },
        "viewers": viewers,
    }


@pytest.fixture
def record():
    """The function `make_record`."""
    return make_record


@pytest.fixture
def two_viewer_records():
    """ST and MT of two viewers on two folds, accuracies known by hand."""
    v1 = {"F1": [1, 1, 0, 0], "F2": [1, 0, 1, 0]}
    v2 = {"F1": [1, 1, 1, 1], "F2": [0, None, None, 1]}
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
    records = []
    for fold in ("F1", "F2"):
        both = {"V1": v1[fold], "V2": v2[fold]}
        records.append(
            make_record(fold, both, answers["MT"][fold], architecture="MT")
        )
        records += [
            make_record(fold, {viewer: both[viewer]}, answers["ST"][fold])
            for viewer in both
        ]
    return records


def _history(rng, epochs):
    return {
        "bce": (0.7 - 0.05 * np.arange(epochs)).tolist(),
        "val_bce": (0.7 + 0.01 * rng.random(epochs)).tolist(),
    }


def _complete(record, corpus, rows, rng):
    """Adds what figures and reports read and tables do not."""
    best = 3
    trials = [
        {
            "l1": l1,
            "best_epoch": best,
            "score": 0.7,
            "history": _history(rng, epochs=6),
        }
        for l1 in (1e-6, 1e-5)
    ]
    segments = corpus.segments.iloc[rows]
    architecture = record["job"]["architecture"]
    return {
        **record,
        "name": f"{architecture}-{'+'.join(record['viewers'])}-"
        f"{record['job']['split']['name']}-seed{record['job']['seed']}",
        "versions": {"emotion_mt": "0.0", "python": "3.11"},
        "digests": {
            "corpus": corpus.digest(),
            "features": "f" * 64,
            "weights": "w" * 64,
        },
        "corpus": {
            "name": corpus.name,
            "annotation": corpus.annotation,
            "dimension": corpus.dimension,
            "simulated": corpus.simulated,
        },
        "fit": {
            "l1": 1e-5,
            "best_epoch": best,
            "trials": trials,
            "untrained_viewers": [],
            "left_out": {"train": {"no visual feature": 3}, "test": {}},
            "notes": [],
            "seconds": {"total": 2.0},
        },
        "segment_id": segments["segment_id"].tolist(),
        "movie": segments["movie"].tolist(),
    }


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
    seed=0,
):
    """A corpus and the records of ST and MT on every film, without a fit."""
    rng = np.random.default_rng(seed)
    count = size * len(movies)
    values = rng.uniform(-1, 1, (count, len(viewers)))
    values[:, :-1][rng.random((count, len(viewers) - 1)) < missing] = np.nan
    names = np.repeat(np.array(movies, dtype=object), size)
    start_s = np.tile(np.arange(size) * 1.0, len(movies))
    segments = pd.DataFrame(
        {
            "segment_id": [f"{m}-{i % size}" for i, m in enumerate(names)],
            "movie": names,
            "start_s": start_s,
            "end_s": start_s + 0.8,
            "text": [text.format(movie=movie) for movie in names],
            "video": video,
        }
    )
    left_out = pd.DataFrame(
        [("x-1", movies[0], 90.0, 91.0, "no rating at all")],
        columns=list(LEFT_OUT_COLUMNS),
    )
    corpus = Corpus(
        "made-up",
        segments,
        tuple(viewers),
        values.astype(np.float32),
        simulated=simulated,
        left_out=left_out,
    )
    records = []
    groups = [("MT", corpus.viewers)] if len(viewers) > 1 else []
    groups += [("ST", (viewer,)) for viewer in viewers]
    for number, movie in enumerate(movies, start=1):
        rows = corpus.rows([movie])
        for architecture, group in groups:
            labels, answers = {}, {}
            for viewer in group:
                column = corpus.labels[rows, corpus.column(viewer)]
                labels[viewer] = [
                    None if np.isnan(v) else float(v) for v in column
                ]
                answers[viewer] = rng.random(size).tolist()
            record = make_record(
                f"F{number}",
                labels,
                answers,
                architecture=architecture,
                modalities=modalities,
                simulated=simulated,
                ceiling=0.9 if simulated else None,
            )
            record["job"]["split"]["test"] = [movie]
            records.append(_complete(record, corpus, rows, rng))
    return corpus, records


@pytest.fixture
def made_up_run():
    """The function `make_run`."""
    return make_run


@pytest.fixture
def few_draws(monkeypatch):
    """Makes the row Random quick where its value does not matter."""
    monkeypatch.setattr(references, "_RANDOM_DRAWS", 2)


#: Sets a mark on the page if a browser runs it.
HOSTILE = (
    "<script>document.documentElement.dataset.evil = 1</script>"
    '<img src=x onerror="document.documentElement.dataset.evil = 1">'
)


@dataclasses.dataclass(frozen=True)
class HostileReport:
    """A report whose texts are all HTML or too long.

    Attributes:
        folder: Where it is.
        text: What stands in subtitles, names and messages.
        files: What `write_report` returned.
    """

    folder: Path
    text: str
    files: list


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory):
    """A whole report, with all figures, of hostile texts."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    viewers = (HOSTILE, "a_viewer_with_a_very_long_name@example", "Vavg")
    corpus, records = make_run(
        viewers, (f"film {HOSTILE}",), text=HOSTILE.replace("{", "{{")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(references, "_RANDOM_DRAWS", 2)
        table = build_table(SPECS["II"], records)
    info = RunInfo(
        {"out": "/a/path/without/blanks" * 8, "name": HOSTILE},
        {"job" * 40: HOSTILE},
        {HOSTILE: 1.0},
    )
    files = write_report(folder, corpus, [table], records, info)
    return HostileReport(folder, HOSTILE, files)
