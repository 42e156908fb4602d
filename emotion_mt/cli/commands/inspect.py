"""`emotion-mt inspect`: what is in a corpus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.experiment_flags import CORPUS, RATINGS
from emotion_mt.cli.parsing import JSON, Command

if TYPE_CHECKING:
    import pandas as pd

    from emotion_mt.corpus import Corpus, Inspection


def _run(values: flags.FlagValues) -> int:
    from emotion_mt.corpus import inspect_corpus

    inspection = inspect_corpus(
        values.corpus,
        values.annotation,
        values.dimension,
        allow_outside=values.allow_outside,
    )
    if values.json:
        console.write_json(_content(inspection))
    else:
        print(inspection.render(), end="")
    return 0


def describe_corpus(corpus: Corpus) -> dict[str, Any]:
    """Returns what a corpus is, as plain JSON."""
    return {
        "name": corpus.name,
        "simulated": corpus.simulated,
        "annotation": corpus.annotation,
        "dimension": corpus.dimension,
        "digest": corpus.digest(),
        "movies": list(corpus.movies),
        "viewers": list(corpus.viewers),
        "segments": len(corpus),
    }


def _content(inspection: Inspection) -> dict[str, Any]:
    return {
        "corpus": describe_corpus(inspection.corpus),
        "films": _records(inspection.films),
        "counts": _records(inspection.counts),
        "left_out": _records(inspection.left_out),
        "problems": list(inspection.problems),
        "notes": list(inspection.notes),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict per row; null where there is no number."""
    return json.loads(frame.to_json(orient="records"))


COMMAND = Command(
    name="inspect",
    summary="Tell what is in a corpus, and what is missing.",
    example="--corpus=data/tiny",
    options={**CORPUS, **RATINGS, **JSON},
    run=_run,
    required=("corpus",),
)
