"""Saved bundles: a folder with all that a prediction needs."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emotion_mt._version import __version__
from emotion_mt.features import FeatureConfig
from emotion_mt.inference import card, manifest
from emotion_mt.inference.archive import check_archive
from emotion_mt.inference.errors import BundleError
from emotion_mt.inference.folders import replacing_folder
from emotion_mt.inference.plain import to_plain
from emotion_mt.models import (
    RESERVED_TOKENS,
    EvokedEmotionModel,
    make_tokenizer,
)
from emotion_mt.storage.atomic import write_json, write_text

#: All files that a bundle may have.
FILES = (manifest.NAME, manifest.MODEL, manifest.VOCABULARY, manifest.CARD)

#: What a tokenizer does with a text, but for the vocabulary.
_TOKENIZER_KEYS = (
    "standardize",
    "split",
    "ngrams",
    "output_mode",
    "output_sequence_length",
    "encoding",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Bundle:
    """A model and what has to be known to use it.

    Attributes:
        model: The trained `EvokedEmotionModel`.
        tokenizer: Texts to int64 [N, words]; None without the text modality.
        feature_config: How films become windows; None without the visual
            modality.
        weights_digest: `features.model_digest` of the I3D that the features
            were made with; None without the visual modality, or where it is
            not known.
        untrained_viewers: Viewers of the model that had no label in the
            training films; their outputs mean nothing.
        training: Where the model comes from; see `save_bundle`.
        scores: Viewer to name of the score to value.
        versions: Package to the version that wrote the bundle.
        folder: Where it was read from, or None.

    Raises:
        TypeError: If `model` is not exactly an `EvokedEmotionModel`.
        ValueError: If the parts do not fit together.
    """

    model: EvokedEmotionModel
    tokenizer: keras.layers.TextVectorization | None = None
    feature_config: FeatureConfig | None = None
    weights_digest: str | None = None
    untrained_viewers: tuple[str, ...] = ()
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )
    versions: Mapping[str, str] = dataclasses.field(
        default_factory=manifest.installed_versions
    )
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Checks that the parts fit together."""
        # Not isinstance: a subclass could be saved, but not be loaded.
        if type(self.model) is not EvokedEmotionModel:
            raise TypeError(
                "`model` must be an EvokedEmotionModel. "
                f"Received: {type(self.model).__name__}"
            )
        _check_tokenizer(self.model, self.tokenizer)
        for name in ("scores", "untrained_viewers"):
            strangers = sorted(set(getattr(self, name)) - set(self.viewers))
            if strangers:
                raise ValueError(
                    f"`{name}` may name the viewers of the model, "
                    f"{self.viewers}. Received: {strangers}"
                )
        if "visual" in self.modalities and self.feature_config is None:
            raise ValueError(
                "`feature_config` must be given with the modality 'visual'. "
                "Received: None"
            )
        for name in ("feature_config", "weights_digest"):
            value = getattr(self, name)
            if value is not None and "visual" not in self.modalities:
                raise ValueError(
                    f"`{name}` needs a model with the modality 'visual'. "
                    f"Received: {value} for a model with "
                    f"`modalities`={self.modalities}"
                )

    @property
    def viewers(self) -> tuple[str, ...]:
        """The viewers, in the order of the model's outputs."""
        return self.model.viewers

    @property
    def name(self) -> str:
        """What errors call it."""
        return f"the bundle {self.folder}" if self.folder else "this bundle"

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model looks at: "text", "visual" or both."""
        return self.model.modalities

    @property
    def simulated(self) -> bool:
        """Whether the model was trained on a simulated corpus."""
        corpus = self.training.get("corpus")
        return isinstance(corpus, Mapping) and bool(corpus.get("simulated"))


def save_bundle(
    folder: str | os.PathLike[str],
    model: EvokedEmotionModel,
    *,
    tokenizer: keras.layers.TextVectorization | None = None,
    feature_config: FeatureConfig | None = None,
    weights_digest: str | None = None,
    training: Mapping[str, Any] | None = None,
    scores: Mapping[str, Mapping[str, Any]] | None = None,
    untrained_viewers: Sequence[str] = (),
) -> Path:
    """Writes a model and all that `Predictor` needs into a folder.

    The folder holds `model.keras` (without the optimizer), `vocabulary.json`
    (text models), `bundle.json` (configuration, versions and the SHA-256 of
    every file) and `README.md`, a model card. It is written beside its place
    and then renamed, so that `folder` holds the old bundle or the new one,
    whole.

    Args:
        folder: Where to; new, empty, or an earlier bundle.
        model: The trained model.
        tokenizer: Of `make_tokenizer`; must be given with the text modality.
        feature_config: How films became windows. Defaults to None, which is
            `FeatureConfig()` for a visual model, as in `extract_features`.
        weights_digest: `features.model_digest(i3d)` of the I3D that made the
            training features. Defaults to None, not known; videos are then
            predicted only with an I3D that the user gives.
        training: Where the model comes from, plain JSON: "corpus" (dict of
            name, digest, simulated, annotation, dimension), "split" (dict of
            name, train, validation, test), "seed", "config" (dict), and
            whatever else is worth keeping. Defaults to None, not stated.
        scores: Viewer to name of the score to value, on the test films;
            NaN is written as null. Defaults to None.
        untrained_viewers: Viewers that had no label in the training films.
            Defaults to none.

    Returns:
        The folder.

    Raises:
        TypeError: If the model is no `EvokedEmotionModel`, or something is
            not plain JSON.
        ValueError: If the parts do not fit together, or `folder` holds
            something else.

    Example:
        ```python
        emt.save_bundle(
            "bundle",
            result.model,
            tokenizer=result.tokenizer,
            weights_digest=model_digest(i3d),
            training={"corpus": {"name": corpus.name}, "seed": result.seed},
        )
        ```
    """
    if feature_config is None and "visual" in getattr(model, "modalities", ()):
        feature_config = FeatureConfig()
    bundle = Bundle(
        model=model,
        tokenizer=tokenizer,
        feature_config=feature_config,
        weights_digest=weights_digest,
        untrained_viewers=tuple(untrained_viewers),
        training=to_plain(dict(training or {}), "training"),
        scores=to_plain(dict(scores or {}), "scores"),
    )
    with replacing_folder(folder, FILES, manifest.NAME) as temporary:
        _without_optimizer(model).save(temporary / manifest.MODEL)
        if tokenizer is not None:
            write_json(temporary / manifest.VOCABULARY, _vocabulary(tokenizer))
        write_text(temporary / manifest.CARD, card.render(bundle))
        manifest.write(temporary, _content(bundle))
    return Path(folder)


def load_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Reads a bundle that `save_bundle` wrote.

    The digests show that nothing was damaged or altered by accident; they
    are no signature. What keeps a forged bundle from running code is that
    nothing is unpickled and that the model's file may name no class but ours;
    Keras's safe mode is on besides.

    Args:
        folder: The bundle.

    Returns:
        The bundle.

    Raises:
        BundleError: If it is no bundle, is altered or incomplete, was written
            by an incompatible version, or holds something unsafe. Names the
            file.
    """
    folder = Path(folder)
    content = manifest.read(folder)
    model = _load_model(folder / manifest.MODEL, content)
    config = content["feature_config"]
    try:
        bundle = Bundle(
            model=model,
            tokenizer=_read_tokenizer(folder, model),
            feature_config=None if config is None else FeatureConfig(**config),
            weights_digest=content["weights_digest"],
            untrained_viewers=tuple(content["untrained_viewers"]),
            training=content["training"],
            scores=content["scores"],
            versions=content["versions"],
            folder=folder,
        )
    except BundleError:
        raise
    except (TypeError, ValueError) as error:
        raise BundleError(f"{folder}: {error}") from error
    for key in ("viewers", "modalities"):
        expected = list(getattr(bundle, key))
        if content[key] != expected:
            raise BundleError(
                f"{folder / manifest.NAME}: expected {key!r} to be {expected}"
                f", as in {manifest.MODEL}. Received: {content[key]}"
            )
    return bundle


def _check_tokenizer(
    model: EvokedEmotionModel,
    tokenizer: keras.layers.TextVectorization | None,
) -> None:
    if ("text" in model.modalities) != (tokenizer is not None):
        raise ValueError(
            "`tokenizer` must be given with the modality 'text', and only "
            f"with it. Received: {tokenizer} for a model with "
            f"`modalities`={model.modalities}"
        )
    if tokenizer is None:
        return
    received = tokenizer.get_config()
    expected = make_tokenizer((), model.words).get_config()
    different = [
        f"{key}={received.get(key)!r}"
        for key in _TOKENIZER_KEYS
        if received.get(key) != expected.get(key)
    ]
    if different:
        raise ValueError(
            "`tokenizer` must be one of make_tokenizer(…, "
            f"words={model.words}). Received one with: {', '.join(different)}"
        )
    # Fewer will do: training rounds the size of the embedding up.
    if tokenizer.vocabulary_size() > model.vocabulary_size:
        raise ValueError(
            "`tokenizer` must have no more words than the model, "
            f"{model.vocabulary_size} with the {RESERVED_TOKENS} reserved "
            f"ones. Received: {tokenizer.vocabulary_size()}"
        )


def _without_optimizer(model: EvokedEmotionModel) -> EvokedEmotionModel:
    """A copy that was never compiled: a third of the size on disk."""
    copy = EvokedEmotionModel.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _weights_digest(model: EvokedEmotionModel) -> str:
    """SHA-256 over the weights, by the names that we give to the layers."""
    sha = hashlib.sha256()
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        for weight in layer.get_weights():
            # bfloat16 fits into float32.
            value = np.ascontiguousarray(weight, "<f4")
            sha.update(repr((layer.name, value.shape)).encode())
            sha.update(value.data)
    return sha.hexdigest()


def _vocabulary(tokenizer: keras.layers.TextVectorization) -> dict[str, Any]:
    return {
        "words_per_segment": tokenizer.get_config()["output_sequence_length"],
        "vocabulary": tokenizer.get_vocabulary()[RESERVED_TOKENS:],
    }


def _content(bundle: Bundle) -> dict[str, Any]:
    """What `bundle.json` says of a bundle."""
    config = bundle.feature_config
    return {
        "viewers": list(bundle.viewers),
        "untrained_viewers": list(bundle.untrained_viewers),
        "modalities": list(bundle.modalities),
        "model_digest": _weights_digest(bundle.model),
        "feature_config": None if config is None else config.as_dict(),
        "weights_digest": bundle.weights_digest,
        "training": bundle.training,
        "scores": bundle.scores,
    }


def _load_model(path: Path, content: Mapping[str, Any]) -> EvokedEmotionModel:
    """Loads the model, if it is safe, and makes sure that it is the saved."""
    arguments = check_archive(path)
    versions = content["versions"]
    try:
        with warnings.catch_warnings():
            # Keras only warns of weights that it did not find; the digest
            # tells whether they are right.
            warnings.simplefilter("ignore")
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (TypeError, ValueError, KeyError, OSError) as error:
        raise BundleError(
            f"{path}: expected a model that Keras {keras.__version__} and "
            f"emotion_mt {__version__} can build. Received one, written with "
            f"Keras {versions.get('keras')} and emotion_mt "
            f"{versions.get('emotion_mt')}, that they cannot: {error}"
        ) from error
    unknown = sorted(set(arguments) - set(model.get_config()))
    digest = _weights_digest(model)
    if unknown or digest != content["model_digest"]:
        raise BundleError(
            f"{path}: expected the model that was saved, its weights' digest "
            f"{content['model_digest']}. Received, once built by Keras "
            f"{keras.__version__} and emotion_mt {__version__}: {digest}; "
            f"arguments that are not known: {', '.join(unknown) or 'none'}"
        )
    return model


def _read_tokenizer(
    folder: Path, model: EvokedEmotionModel
) -> keras.layers.TextVectorization | None:
    if "text" not in model.modalities:
        return None
    path = folder / manifest.VOCABULARY
    content = manifest.read_json(path)
    vocabulary = content.get("vocabulary")
    words = content.get("words_per_segment")
    if (
        not isinstance(vocabulary, list)
        or not all(isinstance(word, str) for word in vocabulary)
        or not isinstance(words, int)
    ):
        raise BundleError(
            f"{path}: expected 'vocabulary', a list of words, and "
            f"'words_per_segment', a number. Received: {sorted(content)}"
        )
    return make_tokenizer(vocabulary, words)
