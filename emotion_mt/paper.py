"""What the paper fixes, and nothing else.

Hayat, Ventura and Lapedriza, "Recognizing Emotions evoked by Movies using
Multitask Learning", ACII 2021. Films, viewers, data folds (Table I), the
Baseline split, hyper-parameters and the published Tables II-VI are written
down here once; every other module refers to them.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping
from types import MappingProxyType

#: Film code to film title (Sect. IV-A), in the order the paper lists them.
MOVIE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "BMI": "A Beautiful Mind",
        "CHI": "Chicago",
        "CRA": "Crash",
        "DEP": "The Departed",
        "FNE": "Finding Nemo",
        "GLA": "Gladiator",
        "LOR": "The Lord of the Rings: The Return of the King",
    }
)

#: The seven film codes.
MOVIES: tuple[str, ...] = tuple(MOVIE_TITLES)

#: The seven viewers, without the average.
VIEWERS: tuple[str, ...] = tuple(f"V{i}" for i in range(1, 8))

#: Name of the aggregated annotation, the mean over the viewers.
AVERAGE = "Vavg"

#: Heads the mean of a table's columns, so no viewer may be called so, however
#: it is written: metrics have "mean_accuracy".
MEAN = "Mean"

#: The columns of Tables II-IV, without "Mean".
ALL_VIEWERS: tuple[str, ...] = (*VIEWERS, AVERAGE)

#: A segment is positive when its mean value is greater than this (Sect. IV-A).
THRESHOLD = 0.0

#: Words kept of a subtitle (Sect. III-C).
WORDS_PER_SEGMENT = 18

#: Frames per I3D window (Sect. III-D).
WINDOW_FRAMES = 16

#: Frames from the start of one window to that of the next (Sect. III-D).
WINDOW_STRIDE_FRAMES = 8

#: Frame rate of the films (Sect. IV-A).
FPS = 25.0

#: Length of the pooled I3D Mixed_5c feature (Sect. III-D).
VISUAL_FEATURES = 1024

#: Fully connected layers of ST (Sect. III-A).
ST_TRUNK_UNITS: tuple[int, ...] = (1024, 512, 256)

#: Shared layers of MT (Sect. III-B).
MT_TRUNK_UNITS: tuple[int, ...] = (2048, 1024)

#: Layers of each viewer's head of MT (Sect. III-B).
MT_HEAD_UNITS: tuple[int, ...] = (512, 256, 128)

#: Adam's learning rate (Sect. III-A).
LEARNING_RATE = 1e-3


@dataclasses.dataclass(frozen=True)
class Split:
    """Films used for training, validation and testing.

    Attributes:
        name: Short name, "F1" … "F7" for Table I.
        train: Films the model is fitted on.
        validation: Films that early stopping and the choice of the L1
            strength look at.
        test: Films that are scored; nothing else reads them.

    Raises:
        ValueError: If a film is in more than one part, or `train` or `test`
            is empty.
    """

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuses splits that would leak or could not be fitted."""
        everything = (*self.train, *self.validation, *self.test)
        twice = sorted({m for m in everything if everything.count(m) > 1})
        if twice:
            raise ValueError(
                f"A film may be in one part of split `{self.name}` only. "
                f"Received more than once: {', '.join(twice)}"
            )
        for part in ("train", "test"):
            if not getattr(self, part):
                raise ValueError(
                    f"Split `{self.name}` needs at least one film in `{part}`. "
                    f"Received: train={self.train}, "
                    f"validation={self.validation}, test={self.test}"
                )


def _fold(number: int, validation: str, test: str) -> Split:
    held_out = (validation, test)
    train = tuple(movie for movie in MOVIES if movie not in held_out)
    return Split(f"F{number}", train, (validation,), (test,))


#: Table I. (The last fold validates on CHI, as printed.)
FOLDS: tuple[Split, ...] = (
    _fold(1, validation="CHI", test="BMI"),
    _fold(2, validation="CRA", test="CHI"),
    _fold(3, validation="DEP", test="CRA"),
    _fold(4, validation="FNE", test="DEP"),
    _fold(5, validation="GLA", test="FNE"),
    _fold(6, validation="LOR", test="GLA"),
    _fold(7, validation="CHI", test="LOR"),
)

#: Training films of the Baseline's [20] split (Sect. V-C). The paper names no
#: validation film, so the caller has to take one out of these.
BASELINE_TRAIN: tuple[str, ...] = ("BMI", "CHI", "FNE", "GLA", "LOR")

#: Test films of that split.
BASELINE_TEST: tuple[str, ...] = ("CRA", "DEP")


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """One row of a published table, accuracies in percent.

    Attributes:
        table: Roman number of the table.
        row: Name of the row, without "(ours)".
        values: Column name to accuracy, in percent.
        mean: The printed "Mean" column, or None where the table has none.
            It is not always the mean of `values`; see `recomputed_mean`.
    """

    table: str
    row: str
    values: Mapping[str, float]
    mean: float | None = None

    @property
    def recomputed_mean(self) -> float:
        """The mean of the printed columns, in percent."""
        # `sum` of floats depends on the version of Python.
        return statistics.fmean(self.values.values())


def _per_viewer(
    table: str, row: str, mean: float, *values: float
) -> PublishedRow:
    columns = ALL_VIEWERS[: len(values)]
    by_column = dict(zip(columns, values, strict=True))
    return PublishedRow(table, row, MappingProxyType(by_column), mean)


def _per_modality(row: str, *values: float) -> PublishedRow:
    columns = ("Text", "Visual", "Multimodal")
    by_column = dict(zip(columns, values, strict=True))
    return PublishedRow("V", row, MappingProxyType(by_column))


# fmt: off
#: Tables II-VI as printed; Table VI transposed so that viewers are columns.
PUBLISHED: tuple[PublishedRow, ...] = (
    _per_viewer("II", "Random", 49.62,
                50.00, 49.90, 50.00, 50.00, 49.90, 50.00, 49.90, 50.00),
    _per_viewer("II", "Positive", 61.62,
                57.00, 58.00, 77.00, 39.00, 56.00, 79.00, 65.00, 62.00),
    _per_viewer("II", "Negative", 38.37,
                43.00, 42.00, 23.00, 61.00, 44.00, 21.00, 35.00, 38.00),
    _per_viewer("II", "ST", 65.64,
                63.56, 63.73, 62.80, 69.81, 65.50, 69.46, 64.60, 65.72),
    _per_viewer("II", "MT", 73.61,
                67.60, 71.40, 69.50, 73.20, 82.60, 75.35, 73.64, 77.80),
    _per_viewer("III", "Baseline-Text", 51.74,
                45.30, 50.77, 64.80, 48.50, 45.20, 67.50, 42.45, 48.40),
    _per_viewer("III", "ST-Text", 52.96,
                54.60, 51.30, 51.72, 52.66, 53.40, 59.88, 48.50, 51.70),
    _per_viewer("III", "MT-Text", 65.04,
                56.86, 64.50, 64.73, 69.55, 60.41, 67.88, 66.26, 70.16),
    _per_viewer("IV", "Baseline-Visual", 57.46,
                53.56, 50.61, 61.45, 55.40, 68.74, 57.80, 57.60, 54.52),
    _per_viewer("IV", "ST-Visual", 66.60,
                61.50, 61.73, 61.66, 66.30, 62.85, 66.40, 62.35, 64.70),
    _per_viewer("IV", "MT-Visual", 70.10,
                67.25, 69.70, 68.50, 67.55, 80.40, 65.77, 66.90, 74.80),
    _per_modality("Baseline", 65.1, 82.8, 83.2),
    _per_modality("MT", 75.48, 84.88, 89.50),
    _per_viewer("VI", "MT", 75.69,
                74.30, 77.46, 76.37, 73.71, 85.89, 71.52, 70.63),
    _per_viewer("VI", "MT-Text", 68.01,
                63.45, 67.50, 68.70, 71.28, 65.44, 70.82, 68.90),
    _per_viewer("VI", "MT-Visual", 71.36,
                72.86, 69.63, 70.27, 68.70, 70.42, 76.90, 70.77),
)
# fmt: on


def published(table: str, row: str) -> PublishedRow:
    """Returns a published row.

    Args:
        table: Roman number of the table, "II" … "VI".
        row: Name of the row as in `PUBLISHED`.

    Returns:
        The row.

    Raises:
        KeyError: If the paper has no such row.
    """
    for candidate in PUBLISHED:
        if (candidate.table, candidate.row) == (table, row):
            return candidate
    known = ", ".join(f"{r.table}/{r.row}" for r in PUBLISHED)
    raise KeyError(f"No published row {table}/{row}. Known rows: {known}")
