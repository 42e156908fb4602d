"""`emotion-mt extract`: computes visual features into the cache."""

from __future__ import annotations

import dataclasses

from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.experiment_flags import (
    define_corpus_flag,
    define_i3d_flags,
    define_rating_flags,
    define_skip_flag,
    optional_path,
)
from emotion_mt.cli.parsing import Command


def _define(values: flags.FlagValues) -> None:
    define_corpus_flag(values)
    flags.DEFINE_string(
        "out",
        None,
        "File (.npz) to write the features to, besides the cache: segment_id "
        "[N] and features, float32 [N, 1024], NaN where there is no video.",
        flag_values=values,
    )
    define_rating_flags(values)
    define_i3d_flags(values)
    define_skip_flag(values)
    console.define_json_flag(values)


def _run(values: flags.FlagValues) -> int:
    out = optional_path(values.out)
    if out is not None and out.suffix != ".npz":
        raise flags.IllegalFlagValueError(
            f"--out must end in .npz. Received: {out}"
        )
    from emotion_mt import workflows

    corpus = workflows.open_corpus(
        values.corpus,
        values.annotation,
        values.dimension,
        skip_bad_films=values.skip_bad_films,
        allow_outside=values.allow_outside,
    )
    visual = workflows.open_features(
        corpus, values.weights, values.dtype, optional_path(values.cache)
    )
    if out is not None:
        workflows.write_features(out, corpus, visual)
    if values.json:
        console.write_json(
            {
                **dataclasses.asdict(visual.report),
                "segments": len(corpus),
                "without_video": visual.missing,
                "weights_digest": visual.weights_digest,
                "out": None if out is None else str(out),
            }
        )
    else:
        print(visual.report)
        if visual.missing:
            print(f"{visual.missing} segments have no video.")
        if out is not None:
            print(f"Written to {out}")
    return 0


COMMAND = Command(
    name="extract",
    summary="Compute the visual features of a corpus into the cache.",
    example="--corpus=data/tiny",
    define=_define,
    run=_run,
    required=("corpus",),
)
