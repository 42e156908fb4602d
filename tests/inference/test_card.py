import re

import numpy as np
import pytest

from emotion_mt import paper

TRAINING = {
    "corpus": {
        **{"name": "made-up", "digest": "ab12", "simulated": True},
        **{"annotation": "experienced", "dimension": "arousal"},
    },
    "split": {
        **{"name": "F3", "train": ("A", "B")},
        **{"validation": (), "test": ("C",)},
    },
    "seed": 7,
    "config": {"l1": (1e-6,), "batch_size": 32},
}


@pytest.fixture
def card(saved):
    """Saves a bundle and returns its card."""

    def make(modalities, **changes):
        return (saved(modalities, **changes) / "README.md").read_text("utf-8")

    return make


def cells(card, first):
    """The cells of the row of a table that begins with `first`."""
    (row,) = re.findall(rf"^\| {re.escape(first)} \|.*$", card, re.M)
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_a_simulated_model_says_so_at_the_top(card):
    text = card(
        ("text", "visual"),
        training=TRAINING,
        scores={
            "V1": {"accuracy": 0.61254, "observed": 120},
            "Vavg": {"accuracy": np.nan, "matthews": -0.5},
        },
        untrained_viewers=("anna b.",),
    )
    assert text.index("**SIMULATED DATA.**") < text.index("Multi-task model")
    for first, rest in {
        "Simulated": ["**yes**"],
        "Corpus": ["made-up"],
        "Digest of the corpus": ["ab12"],
        "Trained on": ["A, B"],
        "Validated on": ["none"],
        "Tested on": ["C"],
        "Fold": ["F3"],
        "Seed": ["7"],
        "Training": ["l1 [1e-06]; batch_size 32"],
        "viewer": ["accuracy", "observed", "matthews"],
        "V1": ["0.613", "120", "–"],
        "Vavg": ["–", "–", "-0.500"],
    }.items():
        assert cells(text, first) == rest
    assert "window_frames 10; stride_frames 5" in cells(text, "Windows")[0]
    assert "of the arousal that a film evokes" in text
    assert "viewers: V1, anna b., Vavg." in text
    assert "not predicted: anna b." in text
    assert 'predict(video="film.mp4", subtitles="film.srt")' in text
    assert "first 9 words" in text


def test_real_data_are_not_called_simulated(card):
    corpus = {"name": "a|b", "simulated": False}
    text = card(("text",), training={"corpus": corpus})
    assert "SIMULATED" not in text
    assert cells(text, "Simulated") == ["no"]
    # A bar stays in its cell.
    assert "| Corpus | a\\|b |" in text
    assert 'predict(subtitles="film.srt")' in text
    assert "I3D" not in text


def test_what_is_not_stated_is_said_not_to_be(card, build_model):
    text = card(("visual",))
    for name in ("Corpus", "Simulated", "Trained on", "Seed", "Training"):
        assert cells(text, name) == ["not stated"]
    assert "Scores: not stated" in text
    assert 'predict(video="film.mp4")' in text
    # Only where there is an average.
    averaged = "`Vavg` is the average of the viewers."
    assert averaged in text
    model = build_model(("visual",), viewers=(paper.AVERAGE,))
    single = card(("visual",), model=model)
    assert averaged not in single
    assert "Single-task model" in single
