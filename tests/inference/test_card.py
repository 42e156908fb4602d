import re

import numpy as np

from emotion_mt import paper

TRAINING = {
    "corpus": {
        "name": "made-up",
        "digest": "ab12",
        "simulated": True,
        "annotation": "experienced",
        "dimension": "arousal",
    },
    "split": {
        "name": "F3",
        "train": ("A", "B"),
        "validation": (),
        "test": ("C",),
    },
    "seed": 7,
    "config": {"l1": (1e-6,), "batch_size": 32},
}


def cells(card, first):
    """The cells of the row of a table that begins with `first`."""
    (row,) = re.findall(rf"^\| {re.escape(first)} \|.*$", card, re.M)
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_simulated_model_says_so_at_the_top(saved):
    folder = saved(
        ("text", "visual"),
        training=TRAINING,
        scores={
            "V1": {"accuracy": 0.61254, "observed": 120},
            "Vavg": {"accuracy": np.nan, "matthews": -0.5},
        },
        untrained_viewers=("anna b.",),
    )

    card = (folder / "README.md").read_text("utf-8")

    assert card.index("**SIMULATED DATA.**") < card.index("Multi-task model")
    assert cells(card, "Simulated") == ["Simulated", "**yes**"]
    assert cells(card, "Corpus") == ["Corpus", "made-up"]
    assert cells(card, "Digest of the corpus")[1] == "ab12"
    assert cells(card, "Trained on")[1] == "A, B"
    assert cells(card, "Validated on")[1] == "none"
    assert cells(card, "Tested on")[1] == "C"
    assert cells(card, "Fold")[1] == "F3"
    assert cells(card, "Seed")[1] == "7"
    assert cells(card, "Training")[1] == "l1 [1e-06]; batch_size 32"
    assert "window_frames 10; stride_frames 5" in cells(card, "Windows")[1]
    assert cells(card, "viewer")[1:] == ["accuracy", "observed", "matthews"]
    assert cells(card, "V1")[1:] == ["0.613", "120", "–"]
    assert cells(card, "Vavg")[1:] == ["–", "–", "-0.500"]
    assert "of the arousal that a film evokes" in card
    assert "viewers: V1, anna b., Vavg." in card
    assert "not predicted: anna b." in card
    assert 'predict(video="film.mp4", subtitles="film.srt")' in card
    assert "first 9 words" in card


def test_real_data_are_not_called_simulated(saved):
    corpus = {"name": "a|b", "simulated": False}
    folder = saved(("text",), training={"corpus": corpus})
    card = (folder / "README.md").read_text("utf-8")
    assert "SIMULATED" not in card
    assert cells(card, "Simulated")[1] == "no"
    # A bar stays in its cell.
    assert "| Corpus | a\\|b |" in card
    assert 'predict(subtitles="film.srt")' in card
    assert "I3D" not in card


def test_what_is_not_stated_is_said_not_to_be(saved):
    card = (saved(("visual",)) / "README.md").read_text("utf-8")
    for name in ("Corpus", "Simulated", "Trained on", "Seed", "Training"):
        assert cells(card, name)[1] == "not stated"
    assert "Scores: not stated" in card
    assert 'predict(video="film.mp4")' in card


AVERAGED = "`Vavg` is the average of the viewers."


def test_the_average_is_explained_where_there_is_one(saved, build_model):
    several = saved(("visual",), "several")
    assert AVERAGED in (several / "README.md").read_text("utf-8")
    model = build_model(("visual",), viewers=(paper.AVERAGE,))
    single = saved(("visual",), "single", model=model)
    card = (single / "README.md").read_text("utf-8")
    assert AVERAGED not in card
    assert "Single-task model" in card
