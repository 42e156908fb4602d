import dataclasses
import json

import pytest

from emotion_mt import paper, training


def test_defaults_are_the_paper_s():
    config = training.TrainingConfig()
    assert config.learning_rate == paper.LEARNING_RATE
    assert config.single_task_trunk_units == (1024, 512, 256)
    assert config.multi_task_trunk_units == (2048, 1024)
    assert config.multi_task_head_units == (512, 256, 128)
    assert (config.batch_size, config.max_epochs, config.patience) == (
        32,
        200,
        20,
    )


def other(value):
    """A value that differs from a default and is as possible."""
    if isinstance(value, str):
        return {"evoked": "baseline", "parallel": "stacked"}[value]
    if value == (0.0,):
        return (1e-3, 1e-2)
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return value[:1]
    return value * 2


def test_json_keeps_every_field():
    changed = training.TrainingConfig(
        **{
            field.name: other(field.default)
            for field in dataclasses.fields(training.TrainingConfig)
        }
    )
    text = json.dumps(changed.to_json())
    revived = training.TrainingConfig.from_json(json.loads(text))
    assert revived == changed
    for field in dataclasses.fields(training.TrainingConfig):
        assert getattr(revived, field.name) != field.default, field.name
    assert hash(revived) == hash(changed)


def test_unknown_entries_are_refused():
    with pytest.raises(ValueError, match=r"Received besides: \['momentum'\]"):
        training.TrainingConfig.from_json({"momentum": 0.9})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modalities": ()}, "`modalities` must be among"),
        ({"modalities": ("sound",)}, r"Received: \('sound',\)"),
        ({"modalities": "text"}, "`modalities` must be a list"),
        ({"modalities": ("text", "text")}, "each once"),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least"),
        ({"max_epochs": 1.5}, "`max_epochs` must be a whole number"),
        ({"patience": True}, "`patience` must be a whole number"),
        ({"max_vocabulary": 2}, "`max_vocabulary` must be a whole number abov"),
        ({"text_widths": (0,)}, "`text_widths` must be whole numbers"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a finite number"),
        ({"l1": ()}, "`l1` must be finite numbers of at least 0, one or more"),
        ({"l1": (-1.0,)}, r"`l1` must be.*Received: \(-1.0,\)"),
        ({"l1": 1e-5}, "`l1` must be a list"),
        ({"network": "other"}, r"`network` must be one of.*'other'"),
        (
            {"network": "baseline"},
            r"`modalities` must be exactly one for the Baseline.*'visual'",
        ),
        ({"baseline_arrangement": ""}, "`baseline_arrangement` must be one of"),
        ({"baseline_heights": ()}, "`baseline_heights` must be one whole"),
        ({"baseline_heights": (19,)}, "must be at most 18 words in parallel"),
        ({"baseline_kernels": 0}, "`baseline_kernels` must be a whole number"),
        ({"baseline_visual_kernels": (0,)}, "kernels` must be whole numbers"),
        ({"baseline_l1": (-1.0,)}, "`baseline_l1` must be finite numbers"),
    ],
)
def test_impossible_values(change, message):
    with pytest.raises(ValueError, match=message):
        training.TrainingConfig(**change)


@pytest.mark.parametrize(
    ("size", "rows"),
    [(2, 256), (256, 256), (257, 512), (513, 1024), (2108, 3072)],
)
def test_embedding_rows(size, rows):
    assert training.TrainingConfig().embedding_rows(size) == rows
