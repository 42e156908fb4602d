import dataclasses
from pathlib import Path

import pytest
from absl import flags

from emotion_mt.cli.experiment_flags import (
    EXPERIMENT,
    TRAINING,
    experiment_from_flags,
    training_from_flags,
)
from emotion_mt.runs import Experiment
from emotion_mt.training import TrainingConfig


def parse(options, *arguments):
    values = flags.FlagValues()
    for name, define in options.items():
        define(name=name, flag_values=values)
    values(["program", *arguments])
    return values


def experiment(*arguments):
    return experiment_from_flags(parse(EXPERIMENT, *arguments))


def test_defaults_are_those_of_an_experiment():
    assert experiment() == Experiment()


def test_defaults_are_those_of_a_fit():
    assert training_from_flags(parse(TRAINING)) == TrainingConfig()


def test_every_flag_reaches_the_experiment():
    found = experiment(
        "--corpus=films",
        "--out=results",
        "--annotation=intended",
        "--dimension=arousal",
        "--seeds=3,1",
        "--modalities=text",
        "--l1=0.5,0",
        "--max_epochs=7",
        "--patience=3",
        "--monitor=val_bce",
        "--batch_size=5",
        "--learning_rate=0.25",
        "--baseline_validation=LOR",
        "--weights=w.npz",
        "--dtype=bfloat16",
        "--cache=c",
        "--workers=2",
        "--scheduler=host:1",
        "--dashboard",
        "--wait",
        "--skip_bad_films",
    )
    assert found == Experiment(
        corpus=Path("films"),
        out=Path("results"),
        annotation="intended",
        dimension="arousal",
        seeds=(3, 1),
        training=TrainingConfig(
            modalities=("text",),
            l1=(0.5, 0.0),
            max_epochs=7,
            patience=3,
            monitor="val_bce",
            batch_size=5,
            learning_rate=0.25,
        ),
        baseline_validation="LOR",
        weights="w.npz",
        dtype="bfloat16",
        cache=Path("c"),
        workers=2,
        scheduler="host:1",
        dashboard=True,
        wait=True,
        skip_bad_films=True,
    )


def test_simulation_flags():
    found = experiment("--corpus_seed=4", "--segments_per_movie=9")
    assert (found.corpus_seed, found.segments_per_movie) == (4, 9)
    assert found.out == Path("runs/simulated")


def test_results_are_named_after_the_corpus():
    assert experiment("--corpus=a/films").out == Path("runs/films")


def test_no_field_of_an_experiment_is_forgotten():
    fields = {field.name for field in dataclasses.fields(Experiment)}
    # `training` has flags of its own; `data` is where corpora are simulated.
    assert fields - set(EXPERIMENT) == {"training", "data"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds=0,0"], "--seeds must be different int numbers"),
        (["--seeds=x"], "Received: 'x'"),
        (["--l1=inf"], "--l1 must be different float numbers >= 0"),
        (["--modalities=visual,text"], "Received: 'visual,text'"),
        (["--corpus=x", "--corpus_seed=1"], "makes no sense with --corpus"),
    ],
)
def test_contradictions_are_refused(arguments, message):
    with pytest.raises(flags.Error, match=message):
        experiment(*arguments)


def test_only_a_flag_lets_videos_lie_outside():
    assert not experiment("--corpus=x").allow_outside
    assert experiment("--corpus=x", "--allow_outside").allow_outside
