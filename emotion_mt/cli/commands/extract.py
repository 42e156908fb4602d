"""`emotion-mt extract`: computes visual features into the cache."""

from __future__ import annotations

import dataclasses

import numpy as np
from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.experiment_flags import (
    CORPUS,
    FEATURES,
    RATINGS,
    corpus_experiment,
    optional_path,
)
from emotion_mt.cli.parsing import JSON, Command, text


def _run(values: flags.FlagValues) -> int:
    out = optional_path(values.out)
    if out is not None and out.suffix != ".npz":
        raise flags.IllegalFlagValueError(
            f"--out must end in .npz. Received: {out}"
        )
    from emotion_mt.runs import Run

    run = Run(corpus_experiment(values), console.say)
    features = run.features()
    missing = int(np.isnan(features).any(axis=1).sum())
    if out is not None:
        run.write_features(out)
    if values.json:
        assert run.report is not None, "features were extracted"
        console.write_json(
            {
                **dataclasses.asdict(run.report),
                "segments": len(run.corpus),
                "without_video": missing,
                "weights_digest": run.weights_digest,
                "out": None if out is None else str(out),
            }
        )
    else:
        print(run.report)
        if missing:
            print(f"{missing} segments have no video.")
        if out is not None:
            print(f"Written to {out}")
    return 0


COMMAND = Command(
    name="extract",
    summary="Compute the visual features of a corpus into the cache.",
    example="--corpus=data/tiny",
    options={
        **CORPUS,
        "out": text(
            "File (.npz) to write the features to, besides the cache: "
            "segment_id [N] and features, float32 [N, 1024], NaN where there "
            "is no video."
        ),
        **RATINGS,
        **FEATURES,
        **JSON,
    },
    run=_run,
    required=("corpus",),
)
