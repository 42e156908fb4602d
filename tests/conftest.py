"""Fixtures for all rooms: a small corpus made of arrays."""

import contextlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_mt.corpus.corpus import Corpus

REPOSITORY = Path(__file__).resolve().parents[1]

#: Files that take longest start first, so that processes end together.
LONGEST = (
    "test_all_tables.py",
    "test_table2_script.py",
    "test_readme.py",
    "test_runner.py",
    "test_notebooks.py",
    "test_demo_browser.py",
)


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.name
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.fixture(scope="session")
def shared():
    """The folder with real input that lies beside the repository here."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "cognimuse").is_dir():
        pytest.skip("real input (../shared) is absent")
    return folder


@pytest.fixture
def small_corpus():
    """Four films of ten segments, two viewers and their average.

    The second viewer did not rate film D, and a few segments elsewhere.
    """
    rng = np.random.default_rng(0)
    movies = np.repeat(["A", "B", "C", "D"], 10)
    size = movies.size
    first = rng.uniform(-1, 1, size)
    second = np.where(
        (movies == "D") | (rng.random(size) < 0.2),
        np.nan,
        rng.uniform(-1, 1, size),
    )
    average = np.nanmean([first, second], axis=0)
    words = np.array(["good", "bad", "ship", "house", "run", "see"])
    start_s = np.tile(np.arange(10) * 3.0, 4)
    segments = pd.DataFrame(
        {
            "segment_id": [f"{m}-{i % 10}" for i, m in enumerate(movies)],
            "movie": movies,
            "start_s": start_s,
            "end_s": start_s + 2.0,
            "text": [" ".join(rng.choice(words, 4)) for _ in range(size)],
            "video": None,
        }
    )
    return Corpus(
        name="small",
        segments=segments,
        viewers=("V1", "V2", "Vavg"),
        values=np.stack([first, second, average], axis=1).astype(np.float32),
    )


@pytest.fixture
def small_features(small_corpus):
    """float32 [40, 1024] that go with `small_corpus`."""
    rng = np.random.default_rng(1)
    return rng.random((len(small_corpus), 1024), dtype=np.float32)


@pytest.fixture(scope="session")
def i3d_cache(tmp_path_factory):
    """A cache folder of this session that holds the real I3D weights.

    The weights come from the user's cache or are fetched; the features made
    in the session stay out of the user's cache. Processes that test in
    parallel share the folder: its files are written whole, under locks.
    """
    from emotion_mt.features import WeightsError, load_i3d
    from emotion_mt.features.files import cache_folder

    try:
        load_i3d()
    except WeightsError as error:
        pytest.skip(f"the I3D weights cannot be had here: {error}")
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # that of the whole session
    folder = base / "i3d_cache"
    folder.mkdir(exist_ok=True)
    for path in cache_folder(None).iterdir():
        if path.suffix == ".npz":
            with contextlib.suppress(FileExistsError):
                (folder / path.name).symlink_to(path)
    return folder
