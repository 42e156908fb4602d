"""Saved bundles: a folder with all that a prediction needs."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emotion_mt.features import FeatureConfig
from emotion_mt.inference import card, description, model_io
from emotion_mt.inference.errors import BundleError
from emotion_mt.models import RESERVED_TOKENS, ViewerModel, make_tokenizer
from emotion_mt.storage.atomic import write_text
from emotion_mt.storage.folders import find_folder, replacing_folder

#: Files that a bundle may have, those of earlier versions included.
FILES = (
    *(description.NAME, description.WEIGHTS, description.CARD),
    *(description.EARLIER_MODEL, "vocabulary.json"),
)

#: What the configurations of two tokenizers may differ in.
_VOCABULARY = {"name", "vocabulary", "vocabulary_size"}


@dataclasses.dataclass(frozen=True, eq=False)
class Bundle:
    """A model and what has to be known to use it.

    Attributes:
        model: The trained model, an `EvokedEmotionModel` (ST or MT) or a
            `BaselineTextModel`.
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
        TypeError: If `model` is of another class.
        ValueError: If the parts do not fit together.
    """

    model: ViewerModel
    tokenizer: keras.layers.TextVectorization | None = None
    feature_config: FeatureConfig | None = None
    weights_digest: str | None = None
    untrained_viewers: tuple[str, ...] = ()
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )
    versions: Mapping[str, str] = dataclasses.field(
        default_factory=description.installed_versions
    )
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Checks that the parts fit together."""
        # Not isinstance: a subclass could be saved, but not be loaded.
        if type(self.model) not in model_io.MODELS.values():
            raise TypeError(
                f"`model` must be an {' or a '.join(model_io.MODELS)}. "
                f"Received: {type(self.model).__name__}"
            )
        _check_tokenizer(self.model, self.tokenizer)
        for name in ("scores", "untrained_viewers"):
            strangers = [
                v for v in getattr(self, name) if v not in self.viewers
            ]
            if strangers:
                raise ValueError(
                    f"`{name}` may name only viewers of the model, "
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

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes it as `save_bundle` does, such as after `add_viewer`.

        Args:
            folder: Where to; new, empty, or an earlier bundle.

        Returns:
            The folder.

        Raises:
            ValueError: If weights are not finite, or `folder` holds something
                else.
        """
        written = dataclasses.replace(
            self, versions=description.installed_versions()
        )
        with replacing_folder(folder, FILES, description.NAME) as temporary:
            model_io.write_weights(temporary / description.WEIGHTS, self.model)
            write_text(temporary / description.CARD, card.render(written))
            description.write(temporary, _entries(written))
            load_bundle(temporary)
        return Path(folder)

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
    model: ViewerModel,
    *,
    tokenizer: keras.layers.TextVectorization | None = None,
    feature_config: FeatureConfig | None = None,
    weights_digest: str | None = None,
    training: Mapping[str, Any] | None = None,
    scores: Mapping[str, Mapping[str, Any]] | None = None,
    untrained_viewers: Sequence[str] = (),
) -> Path:
    """Writes a model and all that `Predictor` needs into a folder.

    The folder holds `weights.npy` (the model's variables, one after the
    other, as float32), `bundle.json` (arguments of the model, vocabulary,
    windows, versions, what is stated here, and the SHA-256 of each file) and
    `README.md`, a model card. It is written beside its place, read once as a
    check, and renamed: a reader of `folder` finds the old bundle whole, then
    for the moment between two renames no folder, then the new one whole. (One
    that reads just then may get a `BundleError`; it finds the new bundle when
    it tries again.) If the process is killed in that moment, `load_bundle`
    reads the old bundle where it lies.

    Args:
        folder: Where to; new, empty, or an earlier bundle.
        model: The trained model, ST, MT or `BaselineTextModel`.
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
        TypeError: If the model is of another class, or something is not plain
            JSON.
        ValueError: If the parts do not fit together, weights are not finite,
            or `folder` holds something else.

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
        training=_plain(training or {}, "training"),
        scores=_plain(scores or {}, "scores"),
    )
    return bundle.save(folder)


def load_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Reads a bundle that `save_bundle` wrote.

    The digests show that nothing was damaged or altered by accident; they
    are no signature. A forged bundle can run no code: its model is built by
    our own classes from plain arguments, and its weights are arrays of
    numbers that are read without pickle and fit that model.

    Args:
        folder: The bundle.

    Returns:
        The bundle.

    Raises:
        BundleError: If it is no bundle, is altered or incomplete, was written
            by another version, or does not fit together. Names the file.
    """
    place = find_folder(folder)
    path = place / description.NAME
    content = description.read(place)
    model = model_io.rebuild(
        path, content["model"], place / description.WEIGHTS
    )
    vocabulary, config = content["vocabulary"], content["feature_config"]
    try:
        return Bundle(
            model=model,
            tokenizer=_tokenizer(vocabulary, model),
            feature_config=None if config is None else FeatureConfig(**config),
            weights_digest=content["weights_digest"],
            untrained_viewers=tuple(content["untrained_viewers"]),
            training=content["training"],
            scores=content["scores"],
            versions=content["versions"],
            folder=Path(folder),
        )
    except (TypeError, ValueError) as error:
        raise BundleError(f"{path}: {error}") from error


def _entries(bundle: Bundle) -> dict[str, Any]:
    """What `bundle.json` says of a bundle."""
    config, tokenizer = bundle.feature_config, bundle.tokenizer
    return {
        "model": model_io.describe(bundle.model),
        "vocabulary": None
        if tokenizer is None
        else tokenizer.get_vocabulary()[RESERVED_TOKENS:],
        "feature_config": None if config is None else config.as_dict(),
        "weights_digest": bundle.weights_digest,
        "untrained_viewers": list(bundle.untrained_viewers),
        "training": bundle.training,
        "scores": bundle.scores,
    }


def _plain(value: Any, name: str) -> Any:
    """Returns a value as JSON has it; numbers that are not finite are None."""

    def convert(part: Any) -> Any:
        if isinstance(part, np.ndarray | np.generic):
            return part.tolist()
        if isinstance(part, Mapping):
            return dict(part)
        raise TypeError(
            f"`{name}` must be plain JSON: dicts, lists, strings, numbers, "
            f"True, False and None. Received: {part!r} "
            f"({type(part).__name__})"
        )

    text = json.dumps(value, default=convert)
    return json.loads(text, parse_constant=lambda _: None)


def _tokenizer(
    vocabulary: list[Any] | None, model: ViewerModel
) -> keras.layers.TextVectorization | None:
    if vocabulary is None:
        return None
    if not all(isinstance(word, str) for word in vocabulary):
        raise ValueError(
            "expected 'vocabulary' to be a list of words. "
            f"Received: {vocabulary!r:.200}"
        )
    return make_tokenizer(vocabulary, model.words)


def _check_tokenizer(
    model: ViewerModel, tokenizer: keras.layers.TextVectorization | None
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
        for key, value in expected.items()
        if key not in _VOCABULARY and received.get(key) != value
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
