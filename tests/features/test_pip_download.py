import hashlib
import importlib.util
import io
import subprocess
import sys
import tarfile

import pytest

from emotion_mt.features import pip_download

NAME, VERSION = "emt-harmless-sample", "1.0"
STEM = "emt_harmless_sample-1.0"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for the only package index; and its sdist.

    Running the archive's setup.py, or any code beside it, leaves a mark.
    """
    folder = tmp_path / "index"
    folder.mkdir()
    mark = tmp_path / "mark"
    leave_mark = f"open({str(mark)!r}, 'w').close()\n"
    setup = "from setuptools import setup\n"
    setup += f"setup(name={NAME!r}, version={VERSION!r})\n"
    members = {
        "setup.py": leave_mark + setup,
        "setup.cfg": "[metadata]\nname = other\n",
        "setuptools.py": leave_mark,
        "sitecustomize.py": leave_mark,
        "PKG-INFO": f"Metadata-Version: 1.0\nName: {NAME}\nVersion: 1.0\n",
    }
    path = folder / f"{STEM}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(f"{STEM}/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return path, mark


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_downloads_and_runs_nothing(index, tmp_path):
    path, mark = index
    target = tmp_path / "target"
    target.mkdir()
    received = pip_download.download_sdist(NAME, VERSION, sha256(path), target)
    assert received == target / path.name
    assert received.read_bytes() == path.read_bytes()
    assert not mark.exists()
    # Nothing else is left.
    assert list(target.iterdir()) == [received]


def test_the_sample_leaves_its_mark_if_it_is_run(index, tmp_path):
    path, mark = index
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    subprocess.run(
        [sys.executable, "setup.py", "--version"],
        cwd=tmp_path / STEM,
        capture_output=True,
        check=False,
    )
    assert mark.exists()


def test_wrong_hash(index, tmp_path):
    _, mark = index
    message = r"(?s)exit code 1 and 0 files.*DO NOT MATCH THE HASHES"
    with pytest.raises(pip_download.DownloadError, match=message):
        pip_download.download_sdist(NAME, VERSION, "0" * 64, tmp_path)
    assert not mark.exists()
    assert not list(tmp_path.glob("*.tar.gz"))


def test_a_pip_that_does_not_check_is_checked(index, tmp_path, monkeypatch):
    path, _ = index

    def careless(name, version, digest, workspace):
        (workspace / "archive").mkdir()
        copy = workspace / "archive" / path.name
        copy.write_bytes(path.read_bytes()[:-10])
        return subprocess.CompletedProcess([], 0, "")

    monkeypatch.setattr(pip_download, "_run_pip", careless)
    target = tmp_path / "target"
    target.mkdir()
    message = f"{STEM}.tar.gz: expected the SHA-256 .* Received: "
    with pytest.raises(pip_download.DownloadError, match=message):
        pip_download.download_sdist(NAME, VERSION, sha256(path), target)
    assert not list(target.iterdir())


def test_unknown_version(index, tmp_path):
    with pytest.raises(
        pip_download.DownloadError, match=r"(?s)2\.0: expected.*No matching"
    ):
        pip_download.download_sdist(NAME, "2.0", "0" * 64, tmp_path)


def test_without_pip(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(pip_download.DownloadError, match="-m ensurepip"):
        pip_download.download_sdist(NAME, VERSION, "0" * 64, tmp_path)
