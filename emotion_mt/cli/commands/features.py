"""`emotion-mt weights` and `extract`: the I3D, and what it sees in films."""

from __future__ import annotations

import numpy as np
from absl import flags

from emotion_mt.cli import console, experiment_flags
from emotion_mt.cli.parsing import JSON, Command, text


def _weights(values: flags.FlagValues) -> int:
    from emotion_mt.features import load_i3d, model_digest
    from emotion_mt.storage.cache import cache_folder

    i3d = load_i3d(values.weights, cache_dir=values.cache)
    content = {
        "weights": values.weights,
        "cache": str(cache_folder(values.cache)),
        "digest": model_digest(i3d),
        "variables": i3d.count_params(),
    }
    return console.write_result(
        values,
        content,
        f"The I3D is ready: {content['variables']:,} weights from "
        f"{content['weights']}, digest {content['digest']}\n"
        f"Cache: {content['cache']}",
    )


def _extract(values: flags.FlagValues) -> int:
    out = values.out
    if out is not None and not out.endswith(".npz"):
        raise flags.IllegalFlagValueError(
            f"--out must end in .npz. Received: {out}"
        )
    from emotion_mt.runs import Run

    run = Run(experiment_flags.corpus_experiment(values), console.say)
    if run.own_features:
        raise ValueError(
            f"{values.corpus}: expected a corpus without features of its own, "
            "which take the place of the I3D's. Received one with"
        )
    missing = int(np.isnan(run.features()).any(axis=1).sum())
    if out is not None:
        run.write_features(out)
    if values.json:
        console.write_json(
            {
                **vars(run.report),
                "segments": len(run.corpus),
                "without_video": missing,
                "weights_digest": run.weights_digest,
                "out": out,
            }
        )
        return 0
    # `Run` has said what was done.
    if missing:
        print(f"{missing} segments have no visual feature.")
    if out is not None:
        print(f"Written to {out}")
    return 0


WEIGHTS = Command(
    name="weights",
    summary="Get and check the weights of the I3D, before going offline.",
    example="--weights=auto",
    options={**experiment_flags.WEIGHTS, **JSON},
    run=_weights,
)

EXTRACT = Command(
    name="extract",
    summary="Compute the visual features of a corpus into the cache.",
    example="--corpus=data/tiny",
    options={
        "out": text(
            "File (.npz) for the features, besides the cache: segment_id [N], "
            "features, float32 [N, 1024], NaN where there is no video."
        ),
        **experiment_flags.FEATURES,
        **JSON,
    },
    run=_extract,
    required=("corpus",),
)
