"""Does a GPU compute the same as the processor, and how fast is it?

    KERAS_BACKEND=jax python benchmarks/gpu_check.py

or with torch or tensorflow. It needs Keras, NumPy, lazy_loader and that
backend, and this repository: where emotion_mt is not installed, PYTHONPATH=.
in its folder. It prints a Markdown table for docs/performance.md:

- ST and MT with the paper's sizes, in float32 and mixed bfloat16: ten steps
  against the processor's, then the time of one over 2,300 made-up segments.
- The I3D with random weights in float32 and bfloat16, in batches of 16
  windows that lie on the card already: a network without decoding.
- The same network in plain PyTorch, where torch is installed.

The share is of the card's own matrix product in the same type. --tf32 leaves
the backend a shorter multiplication for float32, which is faster and may miss
the tolerance. The status is 1 where a result does.

--tiny checks this program, with networks of a few units, on any machine.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# JAX would take most of the card, and PyTorch shall have room beside it.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import gpu_backends
import numpy as np
import torch_peer
from absl import app, flags
from tqdm import tqdm

from emotion_mt import models
from emotion_mt.features.i3d import build_i3d

import keras  # isort: skip  After emotion_mt, which keeps its start quiet.
from keras import ops  # isort: skip

_TINY = flags.DEFINE_bool("tiny", False, "Check this program, quickly.")
_EPOCHS = flags.DEFINE_integer(
    "epochs", 3, "Epochs; the first compiles.", lower_bound=2
)
_TF32 = flags.DEFINE_bool("tf32", False, "Let float32 products be shortened.")
_REFERENCE = flags.DEFINE_string(
    "reference", None, "Write the processor's answers, and end; for itself."
)
#: Largest difference from the processor's float32, see `difference`.
TOLERANCE = 1e-3

#: Frames per window of the I3D; steps and windows that are compared.
FRAMES, CHECKED_STEPS, CHECKED_WINDOWS = 16, 10, 2

#: What hides a GPU from each backend.
_PROCESSOR_ONLY = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HIP_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
}


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large everything is; the defaults are the paper's."""

    segments: int = 2300
    batch_size: int = 32
    # Arguments of the models that are not the paper's.
    model: Mapping[str, Any] = dataclasses.field(
        default_factory=lambda: {"vocabulary_size": 4096}
    )
    width: float = 1.0
    image_size_px: int = 224
    windows: int = 16
    # Rows of the square matrices of the product.
    matrix: int = 8192
    rounds: int = 20


TINY = Sizes(
    segments=24,
    batch_size=4,
    model={
        **{"vocabulary_size": 32, "embedding_dim": 4, "text_filters": 4},
        **{"visual_features": 16, "trunk_units": (8, 4), "head_units": (4,)},
    },
    width=1 / 16,
    image_size_px=32,
    windows=2,
    matrix=64,
    rounds=2,
)


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of one network.

    Attributes:
        name: Of the network and `dtype`, unique.
        answers: What is compared with the processor's.
        dtype: What it computes in.
        step_s: Seconds per step; None where only the answers were wanted.
        items: Segments or windows per step.
        flop: Floating point operations per step, products and sums.
        peak_bytes: Memory so far; networks that need more come later.
        judged: False where another result is no fault: training in bfloat16
            leads elsewhere than in float32.
    """

    name: str
    answers: np.ndarray
    dtype: str = "float32"
    step_s: float | None = None
    items: int = 0
    flop: float = 0.0
    peak_bytes: int = 0
    judged: bool = True


def difference(row: Row, reference: np.ndarray) -> float:
    """Returns how far answers are from the processor's.

    In float32 as a share of the largest one; in bfloat16 what the cosine
    lacks of 1.
    """
    ours, theirs = row.answers.ravel(), reference.ravel()
    if not np.isfinite(ours).all():
        return math.inf
    if row.dtype == "float32":
        return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    lengths = np.linalg.norm(ours) * np.linalg.norm(theirs)
    return float(1 - np.dot(ours, theirs) / lengths)


def rows(sizes: Sizes, epochs: int | None) -> Iterator[Row]:
    """Yields what is measured; without `epochs` only float32's answers."""
    dtypes = ("bfloat16", "float32") if epochs else ("float32",)
    for name in ("ST", "MT"):
        for dtype in dtypes:
            yield train(name, dtype, sizes, epochs)
    for dtype in dtypes:
        yield run_i3d(dtype, sizes, timed=bool(epochs))
    for dtype in dtypes if epochs else ():
        yield from run_peer(dtype, sizes)


def train(name: str, dtype: str, sizes: Sizes, epochs: int | None) -> Row:
    """Trains ten steps for the answers, and epochs for the time."""
    network = models.EvokedEmotionModel
    build = network.single_task if name == "ST" else network.multi_task
    mixed = "mixed_" if dtype == "bfloat16" else ""
    model = build(**sizes.model, dtype=mixed + dtype)
    randomize(model)
    inputs, labels = made_up(model, sizes.segments)
    model.adapt(inputs)
    model.compile()
    how = {"batch_size": sizes.batch_size, "verbose": 0}
    few = slice(CHECKED_STEPS * sizes.batch_size)
    first = {key: array[few] for key, array in inputs.items()}
    losses = model.fit(first, labels[few], shuffle=False, **how).history["loss"]
    answers = np.append(model.predict(first, **how), losses)
    judged = dtype == "float32"
    row = Row(f"{name}, {dtype}", answers, dtype, judged=judged)
    if epochs is None:
        return row
    clock = Clock()
    model.fit(inputs, labels, epochs=epochs, callbacks=[clock], **how)
    steps = -(-sizes.segments // sizes.batch_size)
    return dataclasses.replace(
        row,
        step_s=min(clock.epochs_s[1:]) / steps,
        items=sizes.batch_size,
        # Forward, and backward to the inputs and to the weights.
        flop=3 * forward_flop(model) * sizes.batch_size,
        peak_bytes=gpu_backends.peak_bytes(),
    )


class Clock(keras.callbacks.Callback):
    """Takes the time of epochs."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs_s: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stops; Keras has fetched the loss, so the card is done."""
        self.epochs_s.append(time.perf_counter() - self._start)


def randomize(model: keras.Model) -> None:
    """Draws weights that are the same on every device and backend."""
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:
        inputs = math.prod(weight.shape[:-1])
        spread = math.sqrt(2 / inputs) if len(weight.shape) > 1 else 0.0
        weight.assign(random.normal(0, spread, weight.shape).astype("float32"))


def made_up(
    model: models.ViewerModel, count: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Returns inputs, and labels that depend on them and have gaps."""
    random = np.random.default_rng(1)
    tokens = (count, model.words)
    visual = random.normal(2, 3, (count, model.visual_features))
    inputs = {
        "tokens": random.integers(0, model.vocabulary_size, tokens, "int32"),
        "visual": visual.astype("float32"),
    }
    columns = (model.visual_features, len(model.viewers))
    scores = (visual - 2) @ random.normal(size=columns)
    labels = (scores > 0).astype("float32")
    labels[random.random(labels.shape) < 0.2] = np.nan
    return inputs, labels


def pooled_i3d(dtype: str, sizes: Sizes) -> keras.Model:
    """Returns the I3D, then the mean over time and space."""
    network = build_i3d(
        dtype=dtype, image_size_px=sizes.image_size_px, width=sizes.width
    )
    # A length that is known, so that operations can be counted.
    frames = keras.Input((FRAMES, *network.input.shape[2:]), name="frames")
    network = keras.models.clone_model(network, input_tensors=frames)
    pool = keras.layers.GlobalAveragePooling3D(dtype="float32", name="pooled")
    model = keras.Model(network.input, pool(network.output))
    randomize(model)
    return model


def windows(sizes: Sizes, count: int) -> np.ndarray:
    """Returns frames in [-1, 1], float32."""
    random = np.random.default_rng(2)
    shape = (count, FRAMES, sizes.image_size_px, sizes.image_size_px, 3)
    return random.random(shape, "float32") * 2 - 1


def run_i3d(dtype: str, sizes: Sizes, timed: bool) -> Row:
    """Runs Keras's I3D."""
    model = pooled_i3d(dtype, sizes)
    answers = model.predict_on_batch(windows(sizes, CHECKED_WINDOWS))
    row = Row(f"I3D, {dtype}", answers, dtype)
    if not timed:
        return row
    frames = ops.convert_to_tensor(windows(sizes, sizes.windows))
    return dataclasses.replace(
        row,
        step_s=median_s(lambda: model.predict_on_batch(frames), sizes.rounds),
        items=sizes.windows,
        flop=forward_flop(model) * sizes.windows,
        peak_bytes=gpu_backends.peak_bytes(),
    )


def run_peer(dtype: str, sizes: Sizes) -> Iterator[Row]:
    """Runs the same network as plain PyTorch, layer by layer."""
    try:
        import torch
    except ImportError:
        print(f"PyTorch, I3D, {dtype}: not run, torch is not installed")
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    gpu_backends.keep_float32(_TF32.value)
    model = pooled_i3d(dtype, sizes)
    kind = {"dtype": getattr(torch, dtype), "device": device}
    forward = torch_peer.in_torch(model, kind)

    def prepare(count: int) -> Any:
        frames = windows(sizes, count).transpose(0, 4, 1, 2, 3)
        layout = torch.channels_last_3d
        return torch.from_numpy(frames).to(**kind).to(memory_format=layout)

    frames = prepare(sizes.windows)
    yield Row(
        f"PyTorch, I3D, {dtype}",
        forward(prepare(CHECKED_WINDOWS)),
        dtype,
        step_s=median_s(lambda: forward(frames), sizes.rounds),
        items=sizes.windows,
        flop=forward_flop(model) * sizes.windows,
        peak_bytes=torch.cuda.max_memory_allocated()
        or gpu_backends.own_peak_bytes(),
    )


def forward_flop(model: keras.Model) -> float:
    """Returns the operations of dense layers and convolutions per item."""
    return sum(
        2.0 * math.prod(x.output.shape[1:]) * math.prod(x.kernel.shape[:-1])
        for x in model.layers
        if hasattr(x, "kernel")
    )


def median_s(run: Callable[[], Any], rounds: int) -> float:
    """Returns the seconds of a call that ends when its result is here."""
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def matrix_rate(dtype: str, sizes: Sizes) -> float:
    """Returns the FLOP/s of a product of large square matrices."""
    size = sizes.matrix
    random = np.random.default_rng(3).normal(0, size**-0.5, (size, size))
    matrix = ops.cast(ops.convert_to_tensor(random.astype("float32")), dtype)

    def run() -> np.ndarray:
        product = matrix
        for _ in range(10):
            product = ops.matmul(product, matrix)
        return ops.convert_to_numpy(ops.cast(product[0, 0], "float32"))

    return 10 * 2.0 * size**3 / median_s(run, sizes.rounds)


def processor_answers() -> dict[str, np.ndarray]:
    """Computes the answers in a process that sees no GPU."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "answers.npz")
        command = [sys.executable, *sys.argv, f"--reference={path}"]
        hidden = {**os.environ, **_PROCESSOR_ONLY}
        subprocess.run(command, check=True, env=hidden)
        with np.load(path) as file:
            return dict(file)


def line(row: Row, distance: float, rates: Mapping[str, float]) -> str:
    """Returns a row of the table."""
    assert row.step_s is not None
    share = row.flop / row.step_s / rates[row.dtype]
    far = " (too far)" if row.judged and distance > TOLERANCE else ""
    cells = (
        row.name,
        f"{distance:.1e}{far}",
        f"{1000 * row.step_s:.2f}",
        f"{row.items / row.step_s:,.0f}",
        f"{row.peak_bytes / 2**20:,.0f} MiB",
        f"{100 * share:.1f} %",
    )
    return f"| {' | '.join(cells)} |"


def main(_: list[str]) -> int:
    """Measures and prints."""
    sizes = TINY if _TINY.value else Sizes()
    device = gpu_backends.prepare(_TF32.value)
    if _REFERENCE.value is not None:
        answers = {row.name: row.answers for row in rows(sizes, None)}
        np.savez(_REFERENCE.value, **answers)
        return 0
    expected = processor_answers()
    about = {"backend": keras.config.backend(), "device": device}
    versions = {"keras": keras.__version__, "numpy": np.__version__}
    print(json.dumps({**about, **versions}))
    # The products come last: their memory would hide that of the networks.
    measured = [*tqdm(rows(sizes, _EPOCHS.value), "Networks", unit="")]
    rates = {x: matrix_rate(x, sizes) for x in ("float32", "bfloat16")}
    for dtype, rate in rates.items():
        print(f"Matrix product, {dtype}: {rate / 1e12:.3g} TFLOP/s")
    print(
        "| network | against the processor | ms per step | segments or "
        "windows per s | peak memory | share of the matrix product |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |"
    )
    far = False
    for row in measured:
        network = row.name.removeprefix("PyTorch, ").split(",")[0]
        distance = difference(row, expected[f"{network}, float32"])
        far |= row.judged and distance > TOLERANCE
        print(line(row, distance, rates))
    return int(far)


if __name__ == "__main__":
    app.run(main)
