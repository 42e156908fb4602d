"""Everything that README.md shows is run, or checked against the code."""

import csv
import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_mt.cli.commands import COMMANDS
from emotion_mt.cli.commands.tables import TABLES
from emotion_mt.cli.experiment_flags import experiment_from_flags
from emotion_mt.cli.main import main

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands():
    text = "".join(blocks("sh")).replace("\\\n", " ")
    text += "\n".join(re.findall(r"`(emotion-mt \w+ --\S+)`", README))
    return [shlex.split(line, comments=True) for line in text.splitlines()]


def of_program(name):
    return [command[1:] for command in commands() if command[0] == name]


def test_everything_shown_is_known():
    programs = {command[0] for command in commands()}
    assert programs == {"make", "source", "emotion-mt", "python", "pip"}
    assert of_program("source") == [[".venv/bin/activate"]]


def test_python_blocks_and_the_prediction_run(
    tmp_path, i3d_cache, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOTION_MT_CACHE", str(i3d_cache))
    namespace = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
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
    (command,) = (c for c in of_program("emotion-mt") if c[0] == "predict")
    assert main(command) == 0
    assert sorted(path.suffix for path in Path("timeline").iterdir()) == [
        ".csv",
        ".html",
        ".png",
    ]
    written = pd.read_csv(next(Path("timeline").glob("*.csv")))
    np.testing.assert_allclose(
        written["Vavg_probability"], timeline["Vavg_probability"], atol=1e-5
    )


@pytest.mark.parametrize("command", of_program("emotion-mt"), ids=" ".join)
def test_commands_parse(command):
    name, *arguments = command
    (known,) = (c for c in COMMANDS if c.name == name)
    known.parse(arguments)


def test_the_list_of_commands_is_complete():
    listed = re.search(r"`emotion-mt --help`:(.*?)\.\n", README, re.DOTALL)[1]
    names = re.findall(r"`(\w+)`", listed)
    assert names == [command.name for command in COMMANDS]


def test_csv_blocks_are_a_corpus(tmp_path):
    import emotion_mt as emt

    segments, annotations = blocks("csv")
    (tmp_path / "segments.csv").write_text(segments)
    (tmp_path / "annotations.csv").write_text(annotations)
    (tmp_path / "first.mp4").write_bytes(b"not read by load_corpus")
    corpus = emt.load_corpus(tmp_path)
    assert corpus.viewers == ("Ann", "Bob", "Vavg")
    assert corpus.values[0, 2] == pytest.approx(0.1)
    assert len(list(csv.reader(segments.splitlines()))) == 2


def test_make_targets_exist():
    shown = [command[0] for command in of_program("make")]
    assert shown == ["tables"]
    assert "`make test`" in README
    for target in (*shown, "test"):
        subprocess.run(
            ["make", "--dry-run", target],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
        )


@pytest.mark.parametrize("command", of_program("python"), ids=" ".join)
def test_script_commands_parse(command):
    script, *arguments = command
    assert (REPOSITORY / script).is_file()
    if script != "experiments/real_raters.py":  # It has a corpus of its own.
        values = TABLES.parse(arguments)
        assert experiment_from_flags(values).corpus is not None


@pytest.mark.parametrize(
    "target", re.findall(r"\]\((?!http)([^)#]+)\)", README)
)
def test_links_lead_somewhere(target):
    assert (REPOSITORY / target).is_file()
