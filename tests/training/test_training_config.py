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

OURS, BASELINE = (TrainingConfig,), (BaselineConfig,)
ALL = (*OURS, *BASELINE)
BOTH = pytest.mark.parametrize("kind", ALL)


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


@pytest.mark.parametrize(
    ("kinds", "change", "expected"),
    [
        (ALL, {"modalities": ()}, "among"),
        (ALL, {"modalities": ("sound",)}, r"among .* Received: \('sound',\)"),
        (ALL, {"modalities": "text"}, "a list. Received: 'text'"),
        (ALL, {"modalities": ("text", "text")}, "among .* each once"),
        (ALL, {"batch_size": 0}, f"{WHOLE}. Received: 0"),
        (ALL, {"max_epochs": 1.5}, f"{WHOLE}. Received: 1.5"),
        (ALL, {"min_epochs": 9, "max_epochs": 8}, "at most max_epochs=8. .*9"),
        (ALL, {"patience": True}, f"{WHOLE}. Received: True"),
        (ALL, {"monitor": "auc"}, r"one of \('val_bce', .*\). Received: 'auc'"),
        (ALL, {"learning_rate": 0.0}, "a finite number above 0. Received: 0.0"),
        (ALL, {"learning_rate": math.nan}, "a finite number above 0"),
        (ALL, {"l1": ()}, "finite numbers of at least 0, one or more"),
        (ALL, {"l1": (-1.0,)}, r"finite numbers .* Received: \(-1.0,\)"),
        (ALL, {"l1": (math.nan,)}, "finite numbers"),
        (ALL, {"l1": 1e-5}, "a list"),
        (ALL, {"max_vocabulary": 2}, "a whole number of at least 3"),
        (ALL, {"embedding_dim": 0}, WHOLE),
        # Not even something that can be compared.
        (ALL, {"learning_rate": "1e-3"}, "a finite number"),
        (ALL, {"l1": ("a",)}, "finite numbers"),
        (ALL, {"modalities": (["text"],)}, "among"),
        (ALL, {"class_weighting": "no"}, "True or False. Received: 'no'"),
        (ALL, {"standardize_visual": None}, "True or False"),
        (OURS, {"text_filters": 0}, WHOLE),
        (OURS, {"text_widths": (0,)}, "whole numbers of at least 1"),
        (OURS, {"single_task_trunk_units": (1.5,)}, "whole numbers"),
        (OURS, {"multi_task_trunk_units": (True,)}, "whole numbers"),
        (OURS, {"multi_task_head_units": 4}, "a list. Received: 4"),
        (BASELINE, {"modalities": MODALITIES}, "exactly one for the Baseline"),
        (BASELINE, {"heights": (19,)}, "at most 18 words"),
        (BASELINE, {"kernels": 0}, WHOLE),
        (BASELINE, {"visual_kernels": (0,)}, "whole numbers of at least 1"),
        (BASELINE, {"visual_height": 0}, WHOLE),
    ],
)
def test_impossible_values(kinds, change, expected):
    name = next(iter(change))
    for kind in kinds:
        with pytest.raises(ValueError, match=f"^`{name}` must be {expected}"):
            kind(**change)


@BOTH
def test_embedding_rows(kind):
    """Vocabularies of about one size share a compiled model."""
    for size, rows in ((2, 256), (256, 256), (257, 512), (2108, 3072)):
        config = kind(modalities=("text",))
        arguments = config.model_arguments(("V1",), size, None)
        assert arguments["vocabulary_size"] == rows
