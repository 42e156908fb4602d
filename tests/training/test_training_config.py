import dataclasses
import json
import math

import pytest

from emotion_mt import paper
from emotion_mt.models import MODALITIES
from emotion_mt.training import (
    MONITORS,
    BaselineConfig,
    FitConfig,
    TrainingConfig,
)

BOTH = pytest.mark.parametrize("kind", [TrainingConfig, BaselineConfig])


def test_defaults_are_the_papers():
    config = TrainingConfig()
    assert config.learning_rate == paper.LEARNING_RATE
    assert config.single_task_trunk_units == (1024, 512, 256)
    assert config.multi_task_trunk_units == (2048, 1024)
    assert config.multi_task_head_units == (512, 256, 128)
    baseline = BaselineConfig()
    assert (baseline.kernels, baseline.visual_kernels) == (100, (64, 96, 128))
    assert baseline.l1 == (0.0,)


def another(value):
    """A value that differs from a default and is as possible."""
    if isinstance(value, bool):
        return not value
    for known in (MONITORS, [(x,) for x in MODALITIES]):
        if value in known:
            return next(x for x in known if x != value)
    if isinstance(value, tuple):
        return value[:1] if len(value) > 1 else (0.5, 0.25)
    return value * 2


def changed(kind):
    fields = dataclasses.fields(kind)
    return kind(**{field.name: another(field.default) for field in fields})


@BOTH
def test_json_keeps_every_field(kind):
    config = changed(kind)
    revived = kind.from_json(json.loads(json.dumps(config.to_json())))
    assert revived == config
    for field in dataclasses.fields(kind):
        assert getattr(revived, field.name) != field.default, field.name
    assert hash(revived) == hash(config)
    with pytest.raises(ValueError, match=r"Received besides: \['momentum'\]"):
        kind.from_json({"momentum": 0.9})


def test_a_baseline_like_another_network():
    config = changed(TrainingConfig)
    baseline = BaselineConfig.like(config, ("visual",))
    common = {field.name for field in dataclasses.fields(FitConfig)}
    for field in dataclasses.fields(BaselineConfig):
        value = getattr(baseline, field.name)
        if field.name == "modalities":
            assert value == ("visual",)
        elif field.name in common and field.name != "l1":
            assert value == getattr(config, field.name)
        else:
            assert value == field.default


WHOLE = "a whole number of at least 1"


def refused(kind, change, expected):
    name = next(iter(change))
    with pytest.raises(ValueError, match=f"^`{name}` must be {expected}"):
        kind(**change)


@BOTH
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"modalities": ()}, "among"),
        ({"modalities": ("sound",)}, r"among .* Received: \('sound',\)"),
        ({"modalities": "text"}, "a list. Received: 'text'"),
        ({"modalities": ("text", "text")}, "among .* each once"),
        ({"batch_size": 0}, f"{WHOLE}. Received: 0"),
        ({"max_epochs": 1.5}, f"{WHOLE}. Received: 1.5"),
        (
            {"min_epochs": 9, "max_epochs": 8},
            "at most max_epochs=8. Received: 9",
        ),
        ({"patience": True}, f"{WHOLE}. Received: True"),
        ({"monitor": "auc"}, r"one of \('val_bce', .*\). Received: 'auc'"),
        ({"learning_rate": 0.0}, "a finite number above 0. Received: 0.0"),
        ({"learning_rate": math.nan}, "a finite number above 0"),
        ({"l1": ()}, "finite numbers of at least 0, one or more"),
        ({"l1": (-1.0,)}, r"finite numbers .* Received: \(-1.0,\)"),
        ({"l1": (math.nan,)}, "finite numbers"),
        ({"l1": 1e-5}, "a list"),
        ({"max_vocabulary": 2}, "a whole number of at least 3"),
        ({"embedding_dim": 0}, WHOLE),
        # Not even something that can be compared.
        ({"learning_rate": "1e-3"}, "a finite number"),
        ({"l1": ("a",)}, "finite numbers"),
        ({"modalities": (["text"],)}, "among"),
        ({"class_weighting": "no"}, "True or False. Received: 'no'"),
        ({"standardize_visual": None}, "True or False"),
    ],
)
def test_impossible_values(kind, change, expected):
    refused(kind, change, expected)


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        (TrainingConfig, {"text_filters": 0}, WHOLE),
        (TrainingConfig, {"text_widths": (0,)}, "whole numbers of at least 1"),
        (TrainingConfig, {"single_task_trunk_units": (1.5,)}, "whole numbers"),
        (TrainingConfig, {"multi_task_trunk_units": (True,)}, "whole numbers"),
        (TrainingConfig, {"multi_task_head_units": 4}, "a list. Received: 4"),
        (
            BaselineConfig,
            {"modalities": MODALITIES},
            "exactly one for the Baseline.*'visual'",
        ),
        (BaselineConfig, {"heights": (19,)}, "at most 18 words"),
        (BaselineConfig, {"kernels": 0}, WHOLE),
        (
            BaselineConfig,
            {"visual_kernels": (0,)},
            "whole numbers of at least 1",
        ),
        (BaselineConfig, {"visual_height": 0}, WHOLE),
    ],
)
def test_impossible_values_of_one_network(kind, change, expected):
    refused(kind, change, expected)


@BOTH
def test_embedding_rows(kind):
    """Vocabularies of about one size share a compiled model."""
    for size, rows in ((2, 256), (256, 256), (257, 512), (2108, 3072)):
        config = kind(modalities=("text",))
        arguments = config.model_arguments(("V1",), size, None)
        assert arguments["vocabulary_size"] == rows
