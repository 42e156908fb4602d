"""What docs/*.md shows is run, made small, or checked against the code."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))

SCRIPTS = [
    pytest.param(script, flags, id=f"{page.stem}: {script}{flags}")
    for page in PAGES
    for script, flags in re.findall(
        r"`(?:[A-Z_]+=\S+ )?(?:python )?([a-z_/]+\.py)((?: --[^\s`]+)*)",
        page.read_text(encoding="utf-8"),
    )
]


BLOCKS = [
    pytest.param(block, id=page.stem)
    for page in PAGES
    for block in re.findall(
        r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
    )
]


@pytest.mark.parametrize("block", BLOCKS)
def test_python_blocks_run(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = re.sub(r"segments_per_movie=\d+", "segments_per_movie=2", block)
    exec(compile(small, "docs", "exec"), {})


def test_there_are_blocks_and_scripts():
    assert len(BLOCKS) >= 2
    assert len(SCRIPTS) >= 6


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
