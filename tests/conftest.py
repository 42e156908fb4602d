"""Fixtures for all rooms: a small corpus made of arrays."""

import contextlib
import functools
import html
import json
import os
import re
import shutil
import subprocess
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from emotion_mt.corpus.corpus import Corpus

REPOSITORY = Path(__file__).resolve().parents[1]

#: Files that take longest start first, so that processes end together.
LONGEST = (
    "runs/test_engine.py",
    "test_docs.py",
    "notebooks/test_notebooks.py",
    "benchmarks/test_simulation_report.py",
    "integration/test_table2_script.py",
    "integration/test_all_tables.py",
    "benchmarks/test_sharing.py",
    "runs/test_tables.py",
    "runs/test_own_data.py",
    "benchmarks/test_gpu_check.py",
    "runs/test_bundles.py",
)


#: A page that shows another as wide as a telephone, and what its probe saw.
FRAME = """<!doctype html><title>frame</title><pre id="found"></pre>
<script>addEventListener("message", event => {
  document.getElementById("found").textContent = JSON.stringify(event.data);
});</script>
<iframe src="probed.html" style="width:390px;height:800px;border:0"></iframe>"""

BROWSER_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # As on a telephone, where they take no room.
    "--hide-scrollbars",
    "--virtual-time-budget=5000",
    "--dump-dom",
)


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.relative_to(REPOSITORY / "tests").as_posix()
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


@pytest.fixture(scope="session")
def tiny_training():
    """Networks of a few units, compiled and fitted in a moment."""
    from emotion_mt.training import TrainingConfig

    return TrainingConfig(
        max_epochs=2,
        patience=1,
        l1=(1e-5,),
        max_vocabulary=32,
        embedding_dim=4,
        text_filters=4,
        single_task_trunk_units=(8,),
        multi_task_trunk_units=(8,),
        multi_task_head_units=(),
    )


@pytest.fixture(scope="session")
def each_kind_is_compiled_once():
    """Tests take turns with kinds of models, of which a process keeps one."""
    from emotion_mt.training import fit

    with pytest.MonkeyPatch.context() as patch:
        again = functools.cache(fit._compiled.__wrapped__)
        patch.setattr(fit, "_compiled", again)
        yield


@pytest.fixture(scope="session")
def scheduler():
    """Address of a worker that tests share, as each takes seconds to start."""
    from emotion_mt.runs.engine import local_cluster

    with local_cluster(workers=1) as cluster:
        yield cluster.scheduler_address


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
    from emotion_mt.storage.cache import cache_folder

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


@pytest.fixture(scope="session")
def write_film():
    """Writes frames, uint8 [H, W, 3] in BGR each, and returns the path."""

    def write(path, frames, codec="MJPG", fps=25.0):
        height, width = frames[0].shape[:2]
        fourcc = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(path), fourcc, fps, (width, height))
        assert writer.isOpened()
        for frame in frames:
            writer.write(frame)
        writer.release()
        return path

    return write


@pytest.fixture(scope="session")
def short_films():
    """`simulate_corpus` with segments of which the I3D sees few windows."""
    from emotion_mt.simulation import SimulationConfig, simulate_corpus

    config = SimulationConfig(cue_median_s=0.8)
    return functools.partial(simulate_corpus, config=config)


@pytest.fixture
def unpainted(monkeypatch):
    """Spares the seconds that it takes to paint the pictures of a report."""

    def save(figure, *paths):
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"picture")

    monkeypatch.setattr("emotion_mt.evaluation.report.save", save)


@pytest.fixture(scope="session")
def chromium():
    """Path of a browser."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no browser here (Debian: apt install chromium)")
    return path


@pytest.fixture(scope="session")
def seen_on_telephone(chromium, tmp_path_factory):
    """Opens a page in a browser, 390 px wide, and returns what it looks like.

    Takes the page as str and a script that runs at its end and posts what it
    saw to `parent`.
    """

    def look(page, probe):
        folder = tmp_path_factory.mktemp("browser")
        # The pages' policies forbid other scripts than their own, such as the
        # probe.
        policy = r"<meta http-equiv=\"Content-Security[^>]*>"
        allowed, policies = re.subn(policy, "", page)
        assert policies == 1
        script = f"<script>{probe}</script></body>"
        (folder / "probed.html").write_text(
            allowed.replace("</body>", script), encoding="utf-8"
        )
        frame = folder / "frame.html"
        frame.write_text(FRAME)
        profile = f"--user-data-dir={folder / 'profile'}"
        done = subprocess.run(
            [chromium, *BROWSER_FLAGS, profile, frame.as_uri()],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        found = re.search(
            r'<pre id="found">(.+?)</pre>', done.stdout, re.DOTALL
        )
        assert found, "the page did not load, or its script failed"
        return json.loads(html.unescape(found.group(1)))

    return look


@pytest.fixture(scope="session")
def guesses():
    """Makes the result of a model that guesses, another one for each job."""
    from emotion_mt.training import FitResult, Trial

    curve = {"bce": (0.7, 0.6, 0.5), "val_bce": (0.8, 0.8, 0.7)}

    def make(job, corpus):
        rows = corpus.rows(job.split.test)
        random = np.random.default_rng(zlib.crc32(job.name.encode()))
        return FitResult(
            viewers=job.viewers,
            split=job.split,
            config=job.config,
            seed=job.seed,
            l1=1e-4,
            best_epoch=3,
            monitor="val_auc",
            trials=(Trial(1e-4, 3, 0.7, curve),),
            test_rows=rows,
            probabilities=random.random((len(rows), len(job.viewers))),
            untrained_viewers=(),
            class_weights=np.ones((len(job.viewers), 2)),
            vocabulary=(),
            left_out={},
            notes=(),
            seconds={"total": 1.0},
            model_config={},
            weights=(),
        )

    return make
