"""Runs the tests on every Python, and with the oldest libraries allowed.

    nox                  all sessions whose Python is found here
    nox -s tests-3.13    one of them
    nox -s tests-3.13 -- tests/corpus    some tests of one

Pythons of pyenv are found with PYENV_VERSION=3.11:3.12:3.13 before it.
"""

import pathlib

import nox

PYTHONS = ("3.11", "3.12", "3.13")

# The resolution of the session `lowest` is uv's.
nox.options.default_venv_backend = "uv"


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests with the newest libraries."""
    session.install("--editable", ".[dev]")
    run_tests(session)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """All tests with the oldest libraries that setup.cfg allows."""
    oldest = f"{session.create_tmp()}/oldest.txt"
    extras = ("dashboard", "demo", "experiments", "hub")
    session.run(
        *("uv", "pip", "compile", "--quiet", "--resolution=lowest-direct"),
        *(f"--extra={extra}" for extra in extras),
        f"--python={session.virtualenv.bin}/python",
        *("--output-file", oldest, "setup.cfg"),
        external=True,
    )
    session.install("--constraint", oldest, "--editable", ".[dev]")
    run_tests(session)


@nox.session(python=PYTHONS)
def smoke(session: nox.Session) -> None:
    """The wheel alone: simulate, train, predict, open the page."""
    folder = session.create_tmp()
    build = ("uv", "build", "--quiet", "--wheel", "--out-dir", folder)
    session.run(*build, external=True)
    (wheel,) = pathlib.Path(folder).glob("*.whl")
    session.run(".ci/smoke", "python", str(wheel), external=True)


def run_tests(session: nox.Session) -> None:
    """Runs pytest as `make test` does, or on what is given."""
    everything = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
    session.run("python", "-m", "pytest", *(session.posargs or everything))
