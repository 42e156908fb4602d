"""Fetches a source archive with pip's own download, and runs none of it.

pip knows the user's package index, proxies and certificates. Before it hands
a source archive over, though, it asks the archive's build backend for its
metadata, which would run the archive's `setup.py`. Here pip finds another
backend first: a stub on `PYTHONPATH` that takes the place of setuptools and
only writes down a name and a version.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

from emotion_mt.features import files

#: Stands in for `setuptools.build_meta`, the backend of archives that name
#: none. pip calls the hook in the archive's folder.
_STUB_BACKEND = '''\
"""Writes name and version, and does not read the archive."""
import os


class _Backend:
    def get_requires_for_build_wheel(self, config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        name = "{folder}.dist-info"
        os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, name, "METADATA"), "w") as file:
            file.write(
                "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
            )
        return name

    def build_wheel(self, *args, **kwargs):
        raise RuntimeError("nothing is built here")

    build_sdist = build_wheel


_backend = _Backend()
get_requires_for_build_wheel = _backend.get_requires_for_build_wheel
prepare_metadata_for_build_wheel = _backend.prepare_metadata_for_build_wheel
build_wheel = build_sdist = _backend.build_wheel
__legacy__ = _backend
'''


class DownloadError(RuntimeError):
    """A download that failed; the message says what to do."""


def download_sdist(
    name: str, version: str, sha256: str, folder: pathlib.Path
) -> pathlib.Path:
    """Downloads a source archive with `pip download`; executes none of it.

    The hash is checked twice: by pip, before it opens the archive, and here.
    The archive must be one without a `pyproject.toml` (such as name another
    backend); the hash makes sure that it is the known one.

    Args:
        name: The package.
        version: Its version.
        sha256: Hash of the archive, hexadecimal.
        folder: Existing folder that the archive is put into.

    Returns:
        Path of the archive in `folder`.

    Raises:
        DownloadError: If there is no pip, nothing can be reached, or the
            hash is another.
    """
    if importlib.util.find_spec("pip") is None:
        raise DownloadError(
            f"{name} {version}: expected pip in {sys.executable} to download "
            "it with. Received an environment without pip; run "
            f"`{sys.executable} -m ensurepip`"
        )
    with tempfile.TemporaryDirectory(dir=folder) as work:
        workspace = pathlib.Path(work)
        result = _run_pip(name, version, sha256, workspace)
        archives = sorted((workspace / "archive").glob("*"))
        if result.returncode != 0 or len(archives) != 1:
            raise DownloadError(
                f"{name} {version}: expected pip to download its source "
                f"archive. Received exit code {result.returncode} and "
                f"{len(archives)} files:\n{_last_lines(result.stdout)}"
            )
        received = files.file_sha256(archives[0])
        if received != sha256:
            raise DownloadError(
                f"{archives[0].name}: expected the SHA-256 {sha256}. "
                f"Received: {received}"
            )
        return archives[0].replace(folder / archives[0].name)


def _run_pip(
    name: str, version: str, sha256: str, workspace: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    stub = workspace / "stub" / "setuptools"
    stub.mkdir(parents=True)
    (stub / "__init__.py").touch()
    # Some pips read the name from the folder and not from the file in it.
    known = {"name": name, "version": version}
    known["folder"] = f"{name.replace('-', '_')}-{version}"
    backend = _STUB_BACKEND
    for key, value in known.items():
        backend = backend.replace(f"{{{key}}}", value)
    (stub / "build_meta.py").write_text(backend, encoding="utf-8")
    requirements = workspace / "requirements.txt"
    requirements.write_text(
        f"{name}=={version} --hash=sha256:{sha256}\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "pip", "download", "--no-deps"]
    command += ["--no-binary", ":all:", "--no-build-isolation"]
    command += ["--require-hashes", "--requirement", str(requirements)]
    command += ["--dest", str(workspace / "archive"), "--no-input"]
    command += ["--progress-bar", "off", "--disable-pip-version-check"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(stub.parent),
        # Old pips run setup.py unless told to ask the backend; new ones
        # always ask it, have no such option, and ignore the variable.
        "PIP_USE_PEP517": "1",
        # setuptools' hook in site-packages looks for a part of setuptools
        # that the stub does not have.
        "SETUPTOOLS_USE_DISTUTILS": "stdlib",
    }
    return subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-count:])
