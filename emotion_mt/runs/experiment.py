"""Everything that a run depends on, in one place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from emotion_mt.training import TrainingConfig


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What tables and bundles are made from.

    Attributes:
        corpus: Folder of the corpus; None to simulate one in `data`.
        out: Folder of the results.
        annotation: "experienced" or "intended".
        dimension: "valence" or "arousal".
        seeds: One fit of every model per seed.
        training: Of every fit; its modalities are those of Table II.
        baseline_validation: See `fixed_split`; None for its default.
        weights: Where the I3D weights come from, see `load_i3d`.
        dtype: Arithmetic of the I3D, see `load_i3d`.
        cache: Folder of weights and features; None for the user's cache.
        workers: Training processes; None for what suits the machine.
        scheduler: Address of a Dask scheduler that runs the jobs instead.
        dashboard: Whether Dask's dashboard is opened.
        wait: Whether to wait for another run in the folder `out`.
        skip_bad_films: Go on without films whose files are broken.
        allow_outside: Whether a manifest's videos may lie outside of it.
        data: Folder that simulated corpora are written to.
        corpus_seed: Seed of the simulated corpus.
        segments_per_movie: Size of the simulated corpus.
    """

    corpus: Path | None = None
    out: Path = Path("runs/simulated")
    annotation: str = "experienced"
    dimension: str = "valence"
    seeds: tuple[int, ...] = (0,)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    baseline_validation: str | None = None
    weights: str = "auto"
    dtype: str = "float32"
    cache: Path | None = None
    workers: int | None = None
    scheduler: str | None = None
    dashboard: bool = False
    wait: bool = False
    skip_bad_films: bool = False
    allow_outside: bool = False
    data: Path = Path("data")
    corpus_seed: int = 0
    segments_per_movie: int = 60

    @property
    def corpus_folder(self) -> Path:
        """Folder of the corpus, the given or the simulated one."""
        size, seed = self.segments_per_movie, self.corpus_seed
        return self.corpus or self.data / f"simulated-{size}-seed{seed}"

    def resolved(self) -> dict[str, object]:
        """Returns the experiment as plain JSON values."""
        plain = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
        }
        return {**plain, "training": self.training.to_json()}
