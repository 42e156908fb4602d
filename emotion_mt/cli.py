"""Flags in, one call down, text out: what the scripts in experiments/ share.

Exit status: 0 for success, 1 when something failed, 2 for wrong usage.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags

from emotion_mt import paper
from emotion_mt.evaluation import Experiment
from emotion_mt.training import TrainingConfig

FLAGS = flags.FLAGS

_DEFAULTS = Experiment()


def define_experiment_flags() -> None:
    """Defines the flags that every table script takes."""
    training = _DEFAULTS.training
    flags.DEFINE_string(
        "corpus",
        None,
        "Folder of the corpus: COGNIMUSE in either layout, or segments.csv "
        "and annotations.csv. Without it a corpus is simulated.",
    )
    flags.DEFINE_string(
        "out",
        None,
        "Folder of the results; default runs/<name of the corpus folder>, or "
        "runs/simulated. The same folder continues a run that was stopped.",
    )
    flags.DEFINE_enum(
        "annotation",
        _DEFAULTS.annotation,
        ["experienced", "intended"],
        "Which ratings: what the viewers experienced, or what an expert "
        "thinks the film intends.",
    )
    flags.DEFINE_enum(
        "dimension",
        _DEFAULTS.dimension,
        ["valence", "arousal"],
        "Which dimension of the ratings is predicted.",
    )
    flags.DEFINE_list(
        "modalities",
        list(training.modalities),
        "Input of the models: text, visual, or both, separated by a comma.",
    )
    flags.DEFINE_list(
        "seeds",
        [str(seed) for seed in _DEFAULTS.seeds],
        "Seeds, separated by commas. Every model is fitted once per seed and "
        "the table averages over them.",
    )
    flags.DEFINE_list(
        "l1",
        [str(strength) for strength in training.l1],
        "L1 strengths to try, separated by commas; the one with the lowest "
        "loss on the validation film is kept.",
    )
    flags.DEFINE_integer(
        "max_epochs",
        training.max_epochs,
        "Epochs at most.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "patience",
        training.patience,
        "Epochs without a lower validation loss before fitting stops.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "batch_size", training.batch_size, "Segments per step.", lower_bound=1
    )
    flags.DEFINE_float(
        "learning_rate",
        training.learning_rate,
        "Adam's learning rate.",
        lower_bound=0.0,
    )
    flags.DEFINE_enum(
        "baseline_validation",
        _DEFAULTS.baseline_validation,
        list(paper.BASELINE_TRAIN),
        "Validation film of the Baseline split (Tables V and VI), which the "
        "paper does not name.",
    )
    flags.DEFINE_string(
        "weights",
        _DEFAULTS.weights,
        "Kinetics-400 weights of the I3D: auto, or one of the sources that "
        "`load_i3d` documents.",
    )
    flags.DEFINE_string(
        "dtype",
        _DEFAULTS.dtype,
        "Arithmetic of the I3D: float32, or bfloat16 where the processor has "
        "it.",
    )
    flags.DEFINE_string(
        "cache",
        None,
        "Folder of weights and features; default $EMOTION_MT_CACHE or "
        "~/.cache/emotion_mt.",
    )
    flags.DEFINE_integer(
        "workers",
        None,
        "Training processes; default one per core, or one where there is a "
        "GPU. The results do not depend on it.",
        lower_bound=1,
    )
    flags.DEFINE_bool(
        "skip_bad_films",
        _DEFAULTS.skip_bad_films,
        "Go on without films whose files are broken. They are listed.",
    )
    flags.DEFINE_integer(
        "corpus_seed",
        _DEFAULTS.corpus_seed,
        "Seed of the simulated corpus; not with --corpus.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "segments_per_movie",
        _DEFAULTS.segments_per_movie,
        "Segments per film of the simulated corpus, on average; not with "
        "--corpus.",
        lower_bound=2,
    )


def _numbers(name: str, kind: Callable[[str], float]) -> tuple:
    """Reads a comma-separated flag as numbers, each at most once."""
    texts: list[str] = FLAGS[name].value or []
    try:
        numbers = tuple(kind(text) for text in texts)
    except ValueError:
        numbers = ()
    if (
        not numbers
        or len(set(numbers)) < len(numbers)
        or any(not 0 <= number < float("inf") for number in numbers)
    ):
        raise flags.IllegalFlagValueError(
            f"--{name} must be different {kind.__name__} numbers >= 0, "
            f"separated by commas. Received: {','.join(texts)!r}"
        )
    return numbers


def experiment_from_flags() -> Experiment:
    """Returns the experiment that the command line describes.

    Raises:
        flags.Error: If flags contradict each other or make no sense.
    """
    modalities = tuple(FLAGS.modalities)
    if modalities not in (("text", "visual"), ("text",), ("visual",)):
        raise flags.IllegalFlagValueError(
            "--modalities must be text,visual or text or visual. "
            f"Received: {','.join(modalities)!r}"
        )
    if FLAGS.corpus is not None:
        for name in ("corpus_seed", "segments_per_movie"):
            if FLAGS[name].present:
                raise flags.IllegalFlagValueError(
                    f"--{name} is for the simulated corpus and makes no "
                    f"sense with --corpus. Received: {FLAGS[name].value}"
                )
    corpus = None if FLAGS.corpus is None else Path(FLAGS.corpus)
    name = "simulated" if corpus is None else corpus.resolve().name
    return Experiment(
        corpus=corpus,
        out=Path(FLAGS.out or Path("runs") / name),
        annotation=FLAGS.annotation,
        dimension=FLAGS.dimension,
        seeds=_numbers("seeds", int),
        training=TrainingConfig(
            modalities=modalities,
            l1=_numbers("l1", float),
            max_epochs=FLAGS.max_epochs,
            patience=FLAGS.patience,
            batch_size=FLAGS.batch_size,
            learning_rate=FLAGS.learning_rate,
        ),
        baseline_validation=FLAGS.baseline_validation,
        weights=FLAGS.weights,
        dtype=FLAGS.dtype,
        cache=None if FLAGS.cache is None else Path(FLAGS.cache),
        workers=FLAGS.workers,
        skip_bad_films=FLAGS.skip_bad_films,
        corpus_seed=FLAGS.corpus_seed,
        segments_per_movie=FLAGS.segments_per_movie,
    )


def _parse(argv: Sequence[str]) -> list[str]:
    """Parses flags; wrong usage ends with status 2 and a short message."""
    if {"--help", "-help", "-h", "-?"} & set(argv):
        print(sys.modules["__main__"].__doc__ or "")
        print(FLAGS.module_help(sys.modules[__name__]))
        sys.exit(0)
    try:
        rest = FLAGS(argv)
    except flags.Error as error:
        _leave(2, str(error))
    if len(rest) > 1:
        _leave(2, f"Only --flags are taken. Received: {' '.join(rest[1:])}")
    return rest


def _leave(status: int, message: str) -> NoReturn:
    print(f"{message}\nSee --help.", file=sys.stderr)
    sys.exit(status)


def run(main: Callable[[], int]) -> None:
    """Runs a script's `main` and turns its outcome into an exit status.

    Args:
        main: Called with the flags parsed; returns the exit status.
    """

    def guarded(_: list[str]) -> int:
        try:
            return main()
        except flags.Error as error:
            _leave(2, str(error))
        except (ValueError, OSError, RuntimeError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(
                "Stopped. The same command continues where it was.",
                file=sys.stderr,
            )
            return 130
        return 0

    # absl shows every library's messages; those of the PDF writer are noise.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    app.run(guarded, flags_parser=_parse)
