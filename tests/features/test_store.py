import io
import zipfile

import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, store as store_lib
from emotion_mt.features.store import FilmFile
from emotion_mt.features.video import Seen

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
MORE = {(2.0, 3.0): np.ones(4, np.float32)}
SEEN = Seen(["a hole"], 100, 4.0, 1.0, [(1.0, 2.0)])


def stored(folder):
    film = FilmFile(folder, "BMI", KEY)
    film.read()
    return film


def assert_same(film, expected):
    assert film.by_times.keys() == expected.keys()
    for times, feature in expected.items():
        np.testing.assert_array_equal(film.by_times[times], feature)


@pytest.fixture
def path(tmp_path):
    """A file with two segments."""
    film = FilmFile(tmp_path, "BMI", KEY)
    film.add(FEATURES, SEEN)
    return film.path


def test_segments_are_added(path):
    film = stored(path.parent)
    assert_same(film, FEATURES)
    # What was found by a decoding that stopped earlier says less.
    film.add(MORE, Seen([], 50, 2.0, 1.0, []))
    found = stored(path.parent)
    assert_same(found, {**FEATURES, **MORE})
    assert (found.seen.problems, found.seen.end_s) == (["a hole"], 4.0)
    assert list(path.parent.iterdir()) == [path]


def test_files_of_before_are_read(path):
    """They have problems in sentences and nothing else."""
    with np.load(path) as archive:
        old = {k: v for k, v in archive.items() if k not in ("seen", "sha256")}
    np.savez(path, **old, sha256=store_lib._digest(old))
    assert_same(stored(path.parent), FEATURES)
    assert stored(path.parent).seen == Seen(["a hole"])


def rezip(content, old=b"", new=b""):
    """The members of an archive, altered, with checksums that are right."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w") as archive,
    ):
        for info in source.infolist():
            with source.open(info) as member:
                member._expected_crc = None
                data = member.read().replace(old, new)
                archive.writestr(info.filename, data)
    return target.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        *(lambda content, n=n: content[:n] for n in (0, 10, 300, -5)),
        *(
            lambda content, parts=parts: rezip(content, *parts)
            for parts in (
                # A SyntaxError and a tokenize.TokenError of NumPy's parser.
                (b"{'descr'", b"{'descr "),
                (b"}", b" "),
                (b"'shape': (", b"'shape': 9"),
                (b"<f4", b"|O8"),
            )
        ),
    ],
)
def test_a_damaged_file_is_named_and_replaced(path, warnings, damage):
    path.write_bytes(damage(path.read_bytes()))
    film = stored(path.parent)
    assert film.by_times == {}
    assert f"{path}: damaged, computed again" in warnings[0]
    film.add(FEATURES, SEEN)
    assert_same(stored(path.parent), FEATURES)


@pytest.mark.parametrize("seed", range(3))
def test_any_damage_is_noticed(path, warnings, seed):
    """Also where the checksum is right, as an attacker would have it."""
    whole = path.read_bytes()
    rng = np.random.default_rng(seed)
    header = whole.index(b"descr")
    for _ in range(60):
        content = bytearray(whole)
        content[header + int(rng.integers(0, 60))] = rng.integers(0, 128)
        path.write_bytes(rezip(bytes(content)))
        found = stored(path.parent).by_times
        assert found == {} or found.keys() == FEATURES.keys()


def test_objects_are_not_unpickled(path, warnings):
    np.savez(path, key="{}", times_s=[[0.0, 1.0]], features=np.array([[{}]]))
    assert stored(path.parent).by_times == {}
    assert "allow_pickle=False" in warnings[0]
