"""Everything that README.md shows is run, or checked against the code."""

import csv
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_blocks_run_in_order(tmp_path, i3d_cache, monkeypatch, capsys):
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
    assert "7 films" in capsys.readouterr().out


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


def commands():
    lines = "".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def test_make_targets_exist():
    targets = [c[1] for c in commands() if c[0] == "make"]
    assert targets == ["tables", "test"]
    for target in targets:
        subprocess.run(
            ["make", "--dry-run", target],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
        )


@pytest.mark.parametrize(
    "command", [c for c in commands() if c[0] == "python"], ids=" ".join
)
def test_script_commands_parse(command):
    # --help after the flags: the flags themselves must be known.
    _, script, *flags = command
    check = (
        "import sys; from emotion_mt import cli; "
        "cli.define_experiment_flags(); cli.FLAGS(sys.argv); "
        "print(cli.experiment_from_flags())"
    )
    assert (REPOSITORY / script).is_file()
    result = subprocess.run(
        [sys.executable, "-c", check, *flags],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Experiment(")


@pytest.mark.parametrize(
    "target", re.findall(r"\]\((?!http)([^)#]+)\)", README)
)
def test_links_lead_somewhere(target):
    assert (REPOSITORY / target).is_file()
