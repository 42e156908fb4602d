"""A small predictor and a film for the page."""

import gc

import cv2
import keras
import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, model_digest
from emotion_mt.inference import Bundle, Predictor
from emotion_mt.models import EvokedEmotionModel, make_tokenizer

VIEWERS = ("V1", "<b>Anna</b>", "Vavg")

#: Grey of each second of the film.
GREYS = (30, 90, 150, 210)


@pytest.fixture(scope="module")
def leftovers():
    """Sweeps up the event loops and files that Gradio does not close.

    Here, where the warnings of it are ignored, and not in another test.
    """
    yield
    gc.collect()


@pytest.fixture(scope="session")
def network():
    """One layer that stands for the I3D."""
    frames = keras.Input((None, 32, 32, 3))
    layer = keras.layers.Conv3D(
        16,
        (8, 8, 8),
        strides=(8, 8, 8),
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(1),
    )
    return keras.Model(frames, layer(frames))


@pytest.fixture(scope="session")
def make_predictor(network):
    """Makes a predictor with a small model of the given modalities."""

    def make(*modalities, simulated=False, viewers=VIEWERS, scores=None):
        text, visual = "text" in modalities, "visual" in modalities
        model = EvokedEmotionModel(
            viewers=viewers,
            modalities=modalities,
            trunk_units=(6,),
            head_units=(5,),
            vocabulary_size=4 if text else None,
            words=6,
            visual_features=16,
            embedding_dim=4,
            text_filters=3,
            text_widths=(2,),
            seed=4,
        )
        tokenizer = make_tokenizer(["good", "sea"], 6) if text else None
        bundle = Bundle(
            model,
            tokenizer=tokenizer,
            feature_config=FeatureConfig() if visual else None,
            weights_digest=model_digest(network) if visual else None,
            training={
                "corpus": {"name": "<i>films</i>", "simulated": simulated},
                "split": {"train": ["BMI"], "test": ["CRA", "DEP"]},
            },
            scores=scores or {},
        )
        return Predictor(bundle, network if visual else None)

    return make


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A film of four seconds at 10 fps, each second of another grey."""
    path = tmp_path_factory.mktemp("films") / "my film.avi"
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (640, 320)
    )
    for grey in GREYS:
        for _ in range(10):
            writer.write(np.full((320, 640, 3), grey, np.uint8))
    writer.release()
    return path


@pytest.fixture(scope="session")
def browser(chromium):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def choose():
    """Chooses files on the page, and waits until they are there."""

    def choose(page, **files):
        for field, path in files.items():
            page.set_input_files(f"#{field} input[type=file]", path)
            page.wait_for_selector(f"#{field} .file-preview")

    return choose
