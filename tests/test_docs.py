"""Everything that README.md and docs/*.md show is run, or checked."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import emotion_mt as emt
from emotion_mt.cli.commands import COMMANDS
from emotion_mt.cli.commands.tables import TABLES
from emotion_mt.cli.experiment_flags import experiment_from_flags
from emotion_mt.cli.main import main

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = {
    page.relative_to(REPOSITORY).as_posix(): page.read_text(encoding="utf-8")
    for page in (
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *sorted((REPOSITORY / "docs").rglob("*.md")),
    )
}
START = "docs/index.md"


def blocks(page, language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE
    )


def commands(page):
    """Commands of shell blocks and of text, without settings before them."""
    text = "".join(blocks(page, "sh")).replace("\\\n", " ")
    text += "\n".join(re.findall(r"`(emotion-mt [\w-]+ --[^`]+)`", PAGES[page]))
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if words:
            yield Path(words[0]).name, words[1:]


def of_program(program):
    found = [
        pytest.param(arguments, id=f"{page}: {' '.join(arguments)}")
        for page in PAGES
        for name, arguments in commands(page)
        if name == program
    ]
    assert found
    return found


WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


@pytest.fixture
def run_python(
    tmp_path, i3d_cache, short_films, each_kind_is_compiled_once, monkeypatch
):
    """Runs a page's Python, on few and short segments; returns its names."""
    monkeypatch.setenv("EMOTION_MT_CACHE", str(i3d_cache))
    monkeypatch.setattr(emt, "simulate_corpus", short_films)
    monkeypatch.chdir(tmp_path)

    def run(page):
        namespace = {}
        for block in blocks(page, "python"):
            few = re.sub(r"(segments_per_movie=)\d+", r"\g<1>2", block)
            exec(compile(few, page, "exec"), namespace)
        return namespace

    return run


def test_every_block_is_of_a_known_kind():
    fences = [
        fence
        for text in PAGES.values()
        for fence in re.findall(r"^ *```(\w*)", text, re.MULTILINE)
    ]
    assert set(fences[::2]) <= {"sh", "python", "csv", "text"}
    assert set(fences[1::2]) == {""}
    programs = {name for page in PAGES for name, _ in commands(page)}
    assert programs == {
        "emotion-mt",
        "make",
        "pip",
        "pip-audit",
        "pre-commit",
        "python",
        "source",
    }
    assert len(WITH_PYTHON) >= 4


@pytest.mark.parametrize("page", [p for p in WITH_PYTHON if p != START])
def test_python_blocks_run(page, run_python):
    namespace = run_python(page)
    if page == "README.md":
        assert namespace["result"].probabilities.shape[1] == 8


def test_the_start_page_and_its_prediction_run(run_python, tmp_path, capsys):
    namespace = run_python(START)
    assert namespace["features"].shape == (len(namespace["corpus"]), 1024)
    result = namespace["result"]
    assert result.probabilities.shape[1] == 8
    timeline = namespace["timeline"]
    assert timeline["Vavg_probability"].between(0, 1).all()
    assert "7 movies" in capsys.readouterr().out

    # The same clip under the names that the first screen uses.
    Path("runs/simulated/bundles").mkdir(parents=True)
    os.symlink(tmp_path / "models/mt", "runs/simulated/bundles/multimodal")
    for suffix, name in (("avi", "clip.mp4"), ("srt", "clip.srt")):
        os.symlink(f"{namespace['film']}.{suffix}", name)
    shown = [
        [
            arguments
            for name, arguments in commands(page)
            if name == "emotion-mt" and arguments[0] == "predict"
        ]
        for page in ("README.md", START)
    ]
    assert shown[0] == shown[1]
    assert main(shown[0][0]) == 0
    assert sorted(path.suffix for path in Path("timeline").iterdir()) == [
        ".csv",
        ".html",
        ".png",
    ]
    written = pd.read_csv(next(Path("timeline").glob("*.csv")))
    np.testing.assert_allclose(
        written["Vavg_probability"], timeline["Vavg_probability"], atol=1e-5
    )


@pytest.mark.parametrize("arguments", of_program("emotion-mt"))
def test_commands_parse(arguments):
    if arguments != ["--help"]:
        name, *flags = arguments
        (known,) = (c for c in COMMANDS if c.name == name)
        known.parse(flags)


def test_the_list_of_commands_is_complete():
    listed = re.search(
        r"`emotion-mt --help`[^:]*:(.*?)\.\s", PAGES["README.md"], re.DOTALL
    )[1]
    names = re.findall(r"`([\w-]+)`", listed)
    assert names == [command.name for command in COMMANDS]


def test_csv_blocks_are_a_corpus(tmp_path):
    segments, annotations, folds = blocks("docs/own_data.md", "csv")
    (tmp_path / "segments.csv").write_text(segments)
    (tmp_path / "annotations.csv").write_text(annotations)
    (tmp_path / "first.mp4").write_bytes(b"not read by load_corpus")
    corpus = emt.load_corpus(tmp_path)
    assert corpus.viewers == ("Ann", "Bob", "Vavg")
    assert corpus.values[0, 2] == pytest.approx(0.1)
    assert folds.splitlines()[0] == "fold,movie,part"


@pytest.mark.parametrize("arguments", of_program("make"))
def test_make_targets_exist(arguments):
    subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("arguments", of_program("python"))
def test_scripts_and_tests_exist(arguments):
    script, *flags = arguments
    if script == "-m":
        assert flags[0] == "pytest"
        for path in flags[1:]:
            assert "/" not in path or (REPOSITORY / path).exists()
        return
    assert (REPOSITORY / script).is_file()
    if re.search("table", script):
        values = TABLES.parse(flags)
        assert experiment_from_flags(values).corpus is not None


SCRIPTS = [
    pytest.param(script, flags, id=f"{page}: {script}{flags}")
    for page, text in PAGES.items()
    for script, flags in re.findall(
        r"`(?:[A-Z_]+=\S+ )?(?:python )?([a-z_0-9/]+\.py)((?: --[^\s`]+)*)",
        text,
    )
]


@pytest.mark.parametrize(("script", "flags"), SCRIPTS)
def test_scripts_and_their_flags_exist(script, flags):
    path = REPOSITORY / script
    if not path.is_file():  # a file may be named without its folder
        found = [
            candidate
            for folder in ("emotion_mt", "tests")
            for candidate in (REPOSITORY / folder).rglob(script)
        ]
        assert len(found) == 1, f"{script}: {found}"
        path = found[0]
    source = path.read_text(encoding="utf-8")
    if "table_command" in source:
        source += (
            REPOSITORY / "emotion_mt" / "cli" / "experiment_flags.py"
        ).read_text(encoding="utf-8")
    for name in re.findall(r"--(\w+)", flags):
        assert re.search(rf"[\"'-]{name}\b", source), (
            f"{script} has no --{name}"
        )


# Links between pages of the site are checked where the site is built.
@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!http)([^)]+)\)", PAGES[page])
    targets += re.findall(r'src="([^"]+)"', PAGES[page])
    assert targets
    for target in targets:
        path, _, heading = target.partition("#")
        assert (REPOSITORY / path).is_file(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", PAGES[path], re.MULTILINE)
            assert heading in {t.lower().replace(" ", "-") for t in titles}


def test_pre_commit_runs_what_make_lint_runs():
    dry = subprocess.run(
        ["make", "--dry-run", "lint"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    made = re.findall(r"^\.venv/bin/(ruff|mypy|lint-imports)\b", dry, re.M)
    text = (REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (repository,) = yaml.safe_load(text)["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]
    assert made == ["ruff", "ruff", "mypy", "lint-imports"]
