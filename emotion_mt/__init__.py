"""Emotions that films evoke in individual viewers (see README.md).

The names below are the public interface; import it as

    import emotion_mt as emt

TensorFlow is imported with the first name that needs it.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from emotion_mt import paper
from emotion_mt._version import __version__

if TYPE_CHECKING:
    from emotion_mt.corpus import (
        Corpus,
        CorpusError,
        folds,
        inspect_corpus,
        load_corpus,
        simulate_corpus,
    )
    from emotion_mt.features import (
        FeatureConfig,
        extract_features,
        load_i3d,
        model_digest,
    )
    from emotion_mt.inference import (
        BundleError,
        Predictor,
        export,
        plot_timeline,
        save_bundle,
        write_timeline_html,
    )
    from emotion_mt.models import (
        EvokedEmotionModel,
        LazyAdam,
        MaskedBinaryCrossentropy,
        fit_tokenizer,
        make_tokenizer,
    )
    from emotion_mt.training import (
        BaselineConfig,
        FitResult,
        TrainingConfig,
        class_weights,
        fit_split,
        make_dataset,
    )
    from emotion_mt.workflows import train_bundle

# TensorFlow reads this when it is imported; an own setting is respected.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

#: Rooms to the names that each gives to the public interface.
_HOMES = {
    "corpus": (
        "Corpus",
        "CorpusError",
        "folds",
        "inspect_corpus",
        "load_corpus",
        "simulate_corpus",
    ),
    "features": (
        "FeatureConfig",
        "extract_features",
        "load_i3d",
        "model_digest",
    ),
    "inference": (
        "BundleError",
        "Predictor",
        "export",
        "plot_timeline",
        "save_bundle",
        "write_timeline_html",
    ),
    "models": (
        "EvokedEmotionModel",
        "LazyAdam",
        "MaskedBinaryCrossentropy",
        "fit_tokenizer",
        "make_tokenizer",
    ),
    "training": (
        "BaselineConfig",
        "FitResult",
        "TrainingConfig",
        "class_weights",
        "fit_split",
        "make_dataset",
    ),
    "workflows": ("train_bundle",),
    "evaluation": (),
}

__all__ = [
    "BaselineConfig",
    "BundleError",
    "Corpus",
    "CorpusError",
    "EvokedEmotionModel",
    "FeatureConfig",
    "FitResult",
    "LazyAdam",
    "MaskedBinaryCrossentropy",
    "Predictor",
    "TrainingConfig",
    "__version__",
    "class_weights",
    "export",
    "extract_features",
    "fit_split",
    "fit_tokenizer",
    "folds",
    "inspect_corpus",
    "load_corpus",
    "load_i3d",
    "make_dataset",
    "make_tokenizer",
    "model_digest",
    "paper",
    "plot_timeline",
    "save_bundle",
    "simulate_corpus",
    "train_bundle",
    "write_timeline_html",
]


def __getattr__(name: str) -> Any:
    """Imports a room, or a public name from its room, when it is first used."""
    if name in _HOMES:
        return importlib.import_module(f"{__name__}.{name}")
    for room, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"{__name__}.{room}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Lists the public names, imported or not."""
    return sorted({*globals(), *__all__, *_HOMES})
