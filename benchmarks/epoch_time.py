"""How long an epoch of ST and MT takes, against another checkout.

    git worktree add ../before COMMIT
    python benchmarks/epoch_time.py --other=../before

Fits each network for a few epochs on 1,920 made-up segments in one thread, in a
process of its own for each checkout in turn, and prints the best seconds per
epoch of each and their ratio as a Markdown table, and what building (tracing,
compiling) takes once. Only ratios of one run count.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from absl import app, flags

_OTHER = flags.DEFINE_string("other", None, "The other checkout.")
_EPOCHS = flags.DEFINE_integer("epochs", 3, "Epochs of each fit.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Processes per checkout.")
_CHILD = flags.DEFINE_bool("child", False, "Measure, and print JSON.")

#: Segments of a training movie; five of the seven movies train.
_SEGMENTS = 384

KINDS = {
    f"{architecture}, {' and '.join(modalities)}": (architecture, modalities)
    for architecture in ("ST", "MT")
    for modalities in (("text", "visual"), ("text",), ("visual",))
}


def measure(epochs: int) -> dict[str, Any]:
    """Fits each kind twice; the second fit has nothing to build."""
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from jobs import made_up_corpus

    import emotion_mt as emt

    corpus = made_up_corpus(_SEGMENTS)
    random = np.random.default_rng(0)
    features = random.standard_normal((len(corpus), 1024)).astype("float32")
    found = {}
    for name, (architecture, modalities) in KINDS.items():
        config = emt.TrainingConfig(
            modalities=modalities,
            l1=(1e-5,),
            max_epochs=epochs,
            patience=epochs + 1,
        )
        viewers = corpus.viewers if architecture == "MT" else ("Vavg",)
        first, second = (
            emt.fit_split(
                corpus, features, emt.paper.FOLDS[0], viewers, config
            ).seconds
            for _ in range(2)
        )
        found[name] = {
            "build": first["build"],
            "epoch": min(first["fit"], second["fit"]) / epochs,
        }
    return found


def run_child(checkout: pathlib.Path) -> dict[str, Any]:
    """Measures a checkout with the program of this one."""
    command = [sys.executable, __file__, "--child", f"--epochs={_EPOCHS.value}"]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command,
        env={**os.environ, **threads, "PYTHONPATH": str(checkout.resolve())},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main(argv: list[str]) -> None:
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    if _CHILD.value:
        print(json.dumps(measure(_EPOCHS.value)))
        return
    here = pathlib.Path(__file__).parents[1]
    checkouts = [here, *([pathlib.Path(_OTHER.value)] if _OTHER.value else [])]
    runs: list[list[dict[str, Any]]] = [[] for _ in checkouts]
    for round_ in range(_ROUNDS.value):
        for own, checkout in zip(runs, checkouts, strict=True):
            print(f"round {round_ + 1}: {checkout}", file=sys.stderr)
            own.append(run_child(checkout))
    print("| network | s per epoch: here, other | ratio | s to build |")
    print("| --- | ---: | ---: | ---: |")
    for name in KINDS:
        epochs = [min(run[name]["epoch"] for run in own) for own in runs]
        builds = [min(run[name]["build"] for run in own) for own in runs]
        print(
            f"| {name} | {', '.join(f'{s:.2f}' for s in epochs)} | "
            f"{epochs[0] / epochs[-1]:.2f} | "
            f"{', '.join(f'{s:.1f}' for s in builds)} |"
        )


if __name__ == "__main__":
    app.run(main)
