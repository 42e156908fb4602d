"""Jobs: the independent fits that the tables are made of."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import re
from typing import Any

from emotion_mt import paper
from emotion_mt._version import __version__
from emotion_mt.training import BaselineConfig, FitConfig, TrainingConfig

#: One model per viewer, and one model with a head per viewer (Sect. III).
SINGLE_TASK = "ST"
MULTI_TASK = "MT"
#: One fuzzy network per viewer, the paper's reference [20].
BASELINE = "Baseline"
ARCHITECTURES = (BASELINE, SINGLE_TASK, MULTI_TASK)
#: Mean duration of a fit over that of a baseline's, rounded
#: (docs/performance.md, "Full size").
_EFFORTS = {MULTI_TASK: 8.0, SINGLE_TASK: 2.0, BASELINE: 1.0}

#: Kinds of visual features: I3D vectors, and histograms per frame.
I3D, HISTOGRAMS = "i3d", "histograms"


def versions() -> dict[str, str]:
    """Returns the versions that a result may depend on."""
    found = {"emotion_mt": __version__, "python": platform.python_version()}
    for package in ("tensorflow", "keras", "numpy"):
        found[package] = importlib.metadata.version(package)
    return found


@dataclasses.dataclass(frozen=True)
class Job:
    """One model fitted on one split.

    Attributes:
        architecture: One of `ARCHITECTURES`.
        viewers: Viewers the model predicts; exactly one but for MT.
        split: Films to train, validate and test on.
        seed: Decides initial weights and the order of segments.
        config: Everything else that fitting needs, modalities included.

    Raises:
        ValueError: If the number of viewers, or the class of `config`,
            does not fit the architecture.
    """

    architecture: str
    viewers: tuple[str, ...]
    split: paper.Split
    seed: int
    config: FitConfig

    def __post_init__(self) -> None:
        """Checks that viewers and architecture fit together."""
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f"`architecture` must be one of {ARCHITECTURES}. "
                f"Received: {self.architecture!r}"
            )
        single = self.architecture != MULTI_TASK
        if single != (len(self.viewers) == 1):
            raise ValueError(
                f"{self.architecture} needs "
                f"{'exactly one viewer' if single else 'several viewers'}. "
                f"Received: {self.viewers}"
            )
        baseline = self.architecture == BASELINE
        expected = BaselineConfig if baseline else TrainingConfig
        if type(self.config) is not expected:
            raise ValueError(
                f"{self.architecture} needs a {expected.__name__}. "
                f"Received: a {type(self.config).__name__}"
            )

    @property
    def feature_kind(self) -> str | None:
        """Visual features that the job takes: `I3D`, `HISTOGRAMS`, none."""
        if "visual" not in self.config.modalities:
            return None
        return HISTOGRAMS if self.architecture == BASELINE else I3D

    @property
    def effort(self) -> float:
        """Roughly how long the fit takes, in units of a baseline's."""
        return _EFFORTS[self.architecture]

    @property
    def name(self) -> str:
        """Readable name, the same for jobs that differ in `config` only."""
        whom = self.viewers[0] if len(self.viewers) == 1 else "all"
        modalities = "+".join(self.config.modalities)
        return (
            f"{self.architecture}-{modalities}-{self.split.name}-{whom}"
            f"-seed{self.seed}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns the resolved configuration as plain JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def key(self, corpus_digest: str, features_digest: str) -> str:
        """Returns a digest of everything that decides the result.

        A finished job is used again only under the same key, so a changed
        corpus, feature, option or release leads to a new fit.

        Args:
            corpus_digest: `Corpus.digest()`.
            features_digest: Digest of the features of its `feature_kind`.

        Returns:
            SHA-256 in hexadecimal.
        """
        content = {
            "job": self.as_dict(),
            "corpus": corpus_digest,
            "features": features_digest,
            "versions": versions(),
        }
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def file_name(self, key: str) -> str:
        """Returns the name of the job's result file.

        Args:
            key: What `key` returned.
        """
        return result_file_name(self.name, key)


def result_file_name(name: str, key: str) -> str:
    """Returns the name of the result file for a job's name and key."""
    # Viewers and films of a manifest can be named anything.
    safe = re.sub(r"[^\w+.-]", "_", name)[:120]
    return f"{safe}-{key[:16]}.json"
