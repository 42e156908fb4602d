"""Small models, a thin I3D, films and forged bundles."""

import hashlib
import json
import shutil

import keras
import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, model_digest
from emotion_mt.inference import save_bundle
from emotion_mt.models import EvokedEmotionModel, make_tokenizer

WORDS = ("good", "don't", "ship", "straße", "run", "sea")

# Every size is another than the default.
SIZES = {
    "viewers": ("V1", "anna b.", "Vavg"),
    "trunk_units": (7, 6),
    "head_units": (5,),
    "words": 9,
    "visual_features": 64,
    "embedding_dim": 4,
    "text_filters": 3,
    "text_widths": (3,),
    "l1": 0.25,
    "seed": 11,
    "name": "small",
}

CONFIG = FeatureConfig(window_frames=10, stride_frames=5)


@pytest.fixture(scope="session")
def make_network():
    """Makes one layer that stands for the I3D, which takes a while."""

    def make(seed=0, features=64):
        frames = keras.Input((None, 32, 32, 3))
        convolution = keras.layers.Conv3D(
            features,
            (8, 4, 4),
            strides=(8, 8, 8),
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed),
            name="convolution",
        )
        return keras.Model(frames, convolution(frames))

    return make


@pytest.fixture(scope="session")
def network(make_network):
    return make_network()


@pytest.fixture(scope="session")
def build_model():
    """Builds a small model with random weights, biases and statistics."""

    def build(modalities, **changes):
        model = EvokedEmotionModel(
            modalities=modalities,
            vocabulary_size=len(WORDS) + 2 if "text" in modalities else None,
            **{**SIZES, **changes},
        )
        rng = np.random.default_rng(5)
        model.set_weights(
            [w + 0.1 * rng.random(w.shape) for w in model.get_weights()]
        )
        for viewer in model.viewers:
            # So that probabilities are far apart, on both sides of 0.5.
            kernel, bias = model.head_weights(viewer)[-2:]
            kernel.assign(rng.normal(0, 2, kernel.shape))
            bias.assign([0.0])
        return model

    return build


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer(WORDS, SIZES["words"])


@pytest.fixture(scope="session")
def save(build_model, tokenizer, network):
    """Saves a small bundle into a folder."""

    def save(folder, modalities, model=None, **changes):
        arguments = {}
        if "text" in modalities:
            arguments["tokenizer"] = tokenizer
        if "visual" in modalities:
            arguments["feature_config"] = CONFIG
            arguments["weights_digest"] = model_digest(network)
        return save_bundle(
            folder, model or build_model(modalities), **{**arguments, **changes}
        )

    return save


@pytest.fixture(scope="session")
def templates(save, tmp_path_factory):
    """One bundle of each kind, to be copied."""
    folder = tmp_path_factory.mktemp("templates")
    return {
        modalities: save(folder / "-".join(modalities), modalities)
        for modalities in (("text",), ("visual",), ("text", "visual"))
    }


@pytest.fixture
def saved(tmp_path, save, templates):
    """Saves a small bundle, maybe changed; returns its folder."""

    def save_or_copy(modalities, folder="bundle", **changes):
        folder = tmp_path / folder
        if changes or folder.exists():
            return save(folder, modalities, **changes)
        return shutil.copytree(templates[modalities], folder)

    return save_or_copy


@pytest.fixture
def forge():
    """Changes a bundle as a forger would, with digests that are true."""

    def rewrite(folder, change=lambda content: None, weights=None):
        """`change` is given bundle.json, `weights` are bytes."""
        if weights is not None:
            (folder / "weights.npy").write_bytes(weights)
        path = folder / "bundle.json"
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content.get("files"), dict):
            content["files"] = {
                name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
                for name in content["files"]
            }
        change(content)
        del content["sha256"]
        text = json.dumps(content, sort_keys=True)
        content["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(json.dumps(content), "utf-8")

    return rewrite


@pytest.fixture(scope="session")
def film(write_film, tmp_path_factory):
    """A film of 50 frames at 25 fps, moving noise."""
    noise = np.random.default_rng(2).integers(0, 255, (40, 48, 3), np.uint8)
    frames = [np.roll(noise, 2 * i, 1) // (1 + i % 3) for i in range(50)]
    return write_film(tmp_path_factory.mktemp("film") / "film.avi", frames)


@pytest.fixture
def srt(tmp_path):
    """Writes subtitles: (start, end, text) with times as SRT writes them."""

    def write(*cues, name="clip.srt"):
        blocks = [
            f"{i}\n00:00:{start} --> 00:00:{end}\n{text}\n"
            for i, (start, end, text) in enumerate(cues, 1)
        ]
        path = tmp_path / name
        path.write_text("\n".join(blocks), "utf-8")
        return path

    return write
