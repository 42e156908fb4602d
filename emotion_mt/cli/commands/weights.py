"""`emotion-mt weights`: gets the weights of the I3D."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.experiment_flags import WEIGHTS
from emotion_mt.cli.parsing import JSON, Command


def _run(values: flags.FlagValues) -> int:
    from emotion_mt.features import load_i3d, model_digest
    from emotion_mt.features.files import cache_folder

    i3d = load_i3d(values.weights, cache_dir=values.cache)
    content = {
        "weights": values.weights,
        "cache": str(cache_folder(values.cache)),
        "digest": model_digest(i3d),
        "variables": i3d.count_params(),
    }
    if values.json:
        console.write_json(content)
    else:
        print(
            f"The I3D is ready: {content['variables']:,} weights from "
            f"{content['weights']}, digest {content['digest']}\n"
            f"Cache: {content['cache']}"
        )
    return 0


COMMAND = Command(
    name="weights",
    summary="Get and check the weights of the I3D, before going offline.",
    example="--weights=auto",
    options={**WEIGHTS, **JSON},
    run=_run,
)
