import io
import multiprocessing
import os
import signal
import zipfile

import filelock
import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, store as store_lib
from emotion_mt.features.store import FeatureStore, FilmFeatures

KEY = {
    "video_sha256": "a" * 64,
    "video_bytes": 1000,
    "weights_sha256": "b" * 64,
    "compute": "float32",
    "channels": 4,
    "image_size_px": 224,
    "config": FeatureConfig().as_dict(),
}
FEATURES = {
    (0.1, 1.2): np.arange(4, dtype=np.float32),
    (5.0, 7.25): np.full(4, 0.5, np.float32),
}


def assert_same(found, expected):
    received = found.by_times
    assert received.keys() == expected.keys()
    for times, feature in expected.items():
        np.testing.assert_array_equal(received[times], feature)


def test_round_trip(tmp_path):
    store = FeatureStore(tmp_path / "new" / "folder")
    assert store.read("BMI", KEY) == FilmFeatures()
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    assert_same(FeatureStore(store.folder).read("BMI", KEY), FEATURES)


def test_problems_are_kept_once(tmp_path):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES, ["a hole", "an end"]))
    store.add("BMI", KEY, FilmFeatures(FEATURES, ["a hole"]))
    assert store.read("BMI", KEY).problems == ["a hole", "an end"]


@pytest.mark.parametrize("seed", range(3))
def test_any_damage_is_noticed(tmp_path, warnings, seed):
    """Also where it makes NumPy's own parser of headers stumble."""
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    path = store.path("BMI", KEY)
    whole = path.read_bytes()
    rng = np.random.default_rng(seed)
    header = whole.index(b"descr")
    for _ in range(60):
        content = bytearray(whole)
        place = header + int(rng.integers(0, 60))
        content[place] = rng.integers(0, 128)
        # With the checksum that belongs to it, as an attacker would.
        path.write_bytes(rezip(bytes(content)))
        found = store.read("BMI", KEY)
        assert found == FilmFeatures() or found.by_times.keys() == (
            FEATURES.keys()
        )


def rezip(content):
    """The members of an archive, whatever their checksums say, anew."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w") as new,
    ):
        for info in old.infolist():
            with old.open(info) as member:
                member._expected_crc = None
                new.writestr(info.filename, member.read())
    return target.getvalue()


def test_segments_are_added(tmp_path):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    more = {(2.0, 3.0): np.ones(4, np.float32)}
    store.add("BMI", KEY, FilmFeatures(more))
    assert_same(store.read("BMI", KEY), {**FEATURES, **more})
    assert len(list(tmp_path.glob("*.npz"))) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"video_sha256": "c" * 64},
        {"video_bytes": 1001},
        {"weights_sha256": "c" * 64},
        {"compute": "bfloat16+float32"},
        {"channels": 5},
        {"image_size_px": 32},
        {"config": FeatureConfig(stride_frames=4).as_dict()},
        {"config": FeatureConfig(resize="crop").as_dict()},
        {"config": FeatureConfig(fps=None).as_dict()},
    ],
)
def test_another_key_finds_nothing_and_loses_nothing(tmp_path, change):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    other = {**KEY, **change}
    assert store.read("BMI", other) == FilmFeatures()
    if "channels" not in change:
        store.add(
            "BMI", other, FilmFeatures({(0.1, 1.2): np.zeros(4, np.float32)})
        )
    assert_same(store.read("BMI", KEY), FEATURES)


def test_another_version_finds_nothing(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    monkeypatch.setattr(store_lib, "VERSION", store_lib.VERSION + 1)
    assert store.read("BMI", KEY) == FilmFeatures()


@pytest.fixture
def warnings(monkeypatch):
    messages = []
    monkeypatch.setattr(
        store_lib.logging,
        "warning",
        lambda text, *a: messages.append(text % a),
    )
    return messages


@pytest.mark.parametrize("keep", [0, 10, 300, -5])
def test_a_damaged_file_is_named_and_replaced(tmp_path, warnings, keep):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    path = store.path("BMI", KEY)
    path.write_bytes(path.read_bytes()[:keep])
    assert store.read("BMI", KEY) == FilmFeatures()
    assert str(path) in warnings[0]
    assert "damaged, computed again" in warnings[0]
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    assert_same(store.read("BMI", KEY), FEATURES)


def test_a_file_under_a_wrong_name_is_not_used(tmp_path, warnings):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    other = {**KEY, "video_bytes": 1}
    os.replace(store.path("BMI", KEY), store.path("BMI", other))
    assert store.read("BMI", other) == FilmFeatures()
    assert "not what its name says" in warnings[0]


def test_objects_are_not_unpickled(tmp_path, warnings):
    store = FeatureStore(tmp_path)
    np.savez(
        store.path("BMI", KEY),
        key=np.array("{}"),
        times_s=np.array([[0.0, 1.0]]),
        features=np.array([[{}]], dtype=object),
        problems=np.array("[]"),
    )
    assert store.read("BMI", KEY) == FilmFeatures()
    assert "allow_pickle=False" in warnings[0]


def _add(folder, number):
    times = (float(number), number + 1.0)
    feature = np.full(4, number, np.float32)
    FeatureStore(folder).add("BMI", KEY, FilmFeatures({times: feature}))


def test_several_processes_add_to_one_film(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_add, args=(tmp_path, number))
        for number in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    expected = {
        (float(n), n + 1.0): np.full(4, n, np.float32) for n in range(8)
    }
    assert_same(FeatureStore(tmp_path).read("BMI", KEY), expected)


def _die_while_writing(folder):
    def die(file, **arrays):
        file.write_bytes(b"half of a file")
        os.kill(os.getpid(), signal.SIGKILL)

    store_lib.np.savez = die
    _add(folder, 100)


def test_killed_while_writing(tmp_path):
    store = FeatureStore(tmp_path)
    store.add("BMI", KEY, FilmFeatures(FEATURES))
    context = multiprocessing.get_context("fork")
    worker = context.Process(target=_die_while_writing, args=(tmp_path,))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    assert_same(store.read("BMI", KEY), FEATURES)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    # The dead process's lock and temporary file are in nobody's way.
    with filelock.FileLock(f"{store.path('BMI', KEY)}.lock", timeout=1):
        pass
    more = {(2.0, 3.0): np.ones(4, np.float32)}
    store.add("BMI", KEY, FilmFeatures(more))
    assert_same(store.read("BMI", KEY), {**FEATURES, **more})
    assert list(tmp_path.glob("*.npz")) == [store.path("BMI", KEY)]
