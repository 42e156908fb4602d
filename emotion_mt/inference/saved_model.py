"""A bundle as a SavedModel, for places where only TensorFlow is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from emotion_mt.inference import card
from emotion_mt.inference.bundle import Bundle, load_bundle
from emotion_mt.storage.folders import replacing_folder

#: All that an exported folder may hold.
NAMES = ("README.md", "assets", "fingerprint.pb", "saved_model.pb", "variables")


def export(
    folder: str | os.PathLike[str], destination: str | os.PathLike[str]
) -> Path:
    """Writes a bundle's model as a SavedModel that takes raw subtitles.

    It needs TensorFlow to run and nothing of this package. Its endpoint
    `serve`, which is the signature "serving_default" too, takes, by modality,

    - `texts`: string [B], subtitles in UTF-8;
    - `visual`: float32 [B, 1024], pooled Mixed_5c of the I3D whose digest is
      in the exported README.md;

    and returns a dict with "probabilities": float32 [B, V], of "positive",
    NaN for viewers that the model was not trained for. The endpoint `viewers`
    returns the names of the V columns.

    Args:
        folder: A bundle.
        destination: Folder to write; new, empty, or an earlier export.

    Returns:
        The destination.

    Raises:
        BundleError: If the bundle cannot be trusted or used.
        ValueError: If `destination` holds something else.

    Example:
        ```python
        import tensorflow as tf

        model = tf.saved_model.load("exported")
        model.serve(texts=tf.constant(["Come on!"]))["probabilities"]
        ```
    """
    bundle = load_bundle(folder)
    archive = keras.export.ExportArchive()
    archive.track(bundle.model)
    if bundle.tokenizer is not None:
        # Keras exports layers that have been called.
        bundle.tokenizer(tf.constant([""]))
        archive.track(bundle.tokenizer)
    function, signature = _serving(bundle)
    archive.add_endpoint("serve", function, input_signature=signature)
    archive.add_endpoint(
        "viewers", lambda: tf.constant(bundle.viewers), input_signature=[]
    )
    with replacing_folder(destination, NAMES, "saved_model.pb") as temporary:
        archive.write_out(temporary, verbose=False)
        readme = card.render(bundle, "saved_model.md")
        (temporary / "README.md").write_text(readme, "utf-8")
    return Path(destination)


def _serving(bundle: Bundle) -> tuple[Any, list[tf.TensorSpec]]:
    """The function that is exported, and what it takes."""
    trained = [v not in bundle.untrained_viewers for v in bundle.viewers]

    def predict(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = bundle.model(inputs, training=False)
        known = tf.where(tf.constant(trained), probabilities, float("nan"))
        return {"probabilities": known}

    def tokens(texts: tf.Tensor) -> tf.Tensor:
        assert bundle.tokenizer is not None, "text bundles have one"
        return tf.cast(bundle.tokenizer(texts), tf.int32)

    text = tf.TensorSpec([None], tf.string, name="texts")
    if bundle.modalities == ("text",):
        return lambda texts: predict(tokens=tokens(texts)), [text]
    features = [None, bundle.model.visual_features]
    visual = tf.TensorSpec(features, tf.float32, name="visual")
    if bundle.modalities == ("visual",):
        return lambda visual: predict(visual=visual), [visual]
    return (
        lambda texts, visual: predict(tokens=tokens(texts), visual=visual),
        [text, visual],
    )
