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
from emotion_mt.training import TrainingConfig

#: One model per viewer, and one model with a head per viewer (Sect. III).
SINGLE_TASK = "ST"
MULTI_TASK = "MT"


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
        architecture: `SINGLE_TASK` or `MULTI_TASK`.
        viewers: Viewers the model predicts; exactly one for ST.
        split: Films to train, validate and test on.
        seed: Decides initial weights and the order of segments.
        config: Everything else that fitting needs, modalities included.

    Raises:
        ValueError: If the number of viewers does not fit the architecture.
    """

    architecture: str
    viewers: tuple[str, ...]
    split: paper.Split
    seed: int
    config: TrainingConfig

    def __post_init__(self) -> None:
        """Checks that viewers and architecture fit together."""
        if self.architecture not in (SINGLE_TASK, MULTI_TASK):
            raise ValueError(
                f"`architecture` must be {SINGLE_TASK!r} or {MULTI_TASK!r}. "
                f"Received: {self.architecture!r}"
            )
        single = self.architecture == SINGLE_TASK
        if single != (len(self.viewers) == 1):
            raise ValueError(
                f"{self.architecture} needs "
                f"{'exactly one viewer' if single else 'several viewers'}. "
                f"Received: {self.viewers}"
            )

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
            features_digest: Digest of the feature matrix.

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
        """Returns the name of the job's result file for a key."""
        # Viewers and films of a manifest can be named anything.
        safe = re.sub(r"[^\w+.-]", "_", self.name)[:120]
        return f"{safe}-{key[:16]}.json"
