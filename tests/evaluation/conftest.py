"""Result files' contents without fitting anything."""

import dataclasses

import numpy as np
import pytest

from emotion_mt.evaluation.scores import score


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
