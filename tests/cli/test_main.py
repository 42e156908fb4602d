"""`emotion-mt` as its user types it."""

import json
import logging
import re
import shlex
import subprocess
import sys

import pytest
from absl import flags

import emotion_mt.corpus
import emotion_mt.simulation
from emotion_mt import __version__
from emotion_mt.cli.commands import COMMANDS
from emotion_mt.cli.main import main

NAMES = ["simulate", "inspect", "weights", "extract"]
NAMES += ["train", "tables", "predict", "add-viewer", "demo"]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Three films of two segments; Bob did not rate the last one."""
    folder = tmp_path_factory.mktemp("manifest")
    segments = ["segment_id,movie,start_s,end_s,text,video"]
    ratings = ["segment_id,viewer,value"]
    for movie in ("one", "two", "three"):
        for i in range(2):
            segments.append(f"{movie}{i},{movie},{3 * i},{3 * i + 2},good day,")
            ratings.append(f"{movie}{i},Ann,{0.5 - i}")
            if movie != "three":
                ratings.append(f"{movie}{i},Bob,-0.5")
    (folder / "segments.csv").write_text("\n".join(segments))
    (folder / "annotations.csv").write_text("\n".join(ratings))
    return folder


def test_overview_lists_all_commands(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^  ([a-z-]+) ", out, re.MULTILINE) == NAMES


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"emotion-mt {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_help_shows_this_commands_flags_and_an_example(
    command, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command.name, "--help"]) == 0
    out = capsys.readouterr().out
    shown = set(re.findall(r"^  --(?:\[no\])?(\w+)", out, re.MULTILINE))
    assert shown == set(command.new_flags())
    assert f"emotion-mt {command.name} --" in out
    assert max(map(len, out.splitlines())) <= 80
    required = re.findall(r"^Required: (.*)", out, re.MULTILINE)
    names = ", ".join(f"--{name}" for name in command.required)
    assert required == ([names] if names else [])
    # The example is right usage.
    values = command.parse(shlex.split(command.example))
    assert all(values[name].value is not None for name in command.required)


def test_commands_share_no_flags():
    before = set(flags.FLAGS)
    first, second = (
        {c.name: c.new_flags() for c in COMMANDS}[n]
        for n in ("train", "predict")
    )
    assert "corpus" in first
    assert "corpus" not in second
    assert set(flags.FLAGS) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No command given.\nCommands: simulate, inspect"),
        (["dance"], "Unknown command: dance"),
        (["--corpus=x"], "Unknown command: --corpus=x"),
        (["inspect"], "--corpus must be given.\nSee emotion-mt inspect"),
        (["predict"], "--model and --out must be given"),
        (["inspect", "--corpu=x"], "Did you mean: corpus"),
        (["inspect", "--corpus=x", "more"], "Received: more"),
        (["inspect", "--corpus=x", "--dimension=age"], "valence"),
        (["simulate", "--out=x", "--seed=-1"], "seed"),
        (["extract", "--corpus=x", "--out=f.csv"], "must end in .npz"),
        (["tables", "--modalities=smell"], "--modalities must be text,visual"),
        (["train", "--corpus=x", "--out=y", "--l1=-1"], "--l1 must be"),
        (["predict", "--model=x", "--out=y"], "--video, --subtitles or both"),
        (["add-viewer", "--model=x"], "--ratings and --out must be given"),
        (
            ["add-viewer", "--model=x", "--ratings=r", "--out=y"],
            "--video, --subtitles or both",
        ),
        (["demo", "--model=x", "--port=0"], "port"),
    ],
)
def test_wrong_usage_is_status_2_and_short(arguments, message, capsys):
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""
    assert len(output.err.splitlines()) <= 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "--corpus=/no/such"], "/no/such: expected an existing"),
        (["predict", "--model=/no", "--subtitles=s", "--out=o"], "bundle.json"),
        (["weights", "--weights=nowhere"], "Received: 'nowhere'"),
    ],
)
def test_failure_is_status_1(arguments, message, capsys):
    before = list(logging.getLogger().handlers)
    assert main(arguments) == 1
    output = capsys.readouterr()
    assert logging.getLogger().handlers == before
    assert output.err.startswith("Error: ")
    assert message in output.err
    assert output.out == ""


def test_ctrl_c_is_status_130(monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(emotion_mt.corpus, "inspect_corpus", stop)
    assert main(["inspect", "--corpus=x"]) == 130
    assert "continues where it was" in capsys.readouterr().err


def test_inspect_as_text_and_as_json(manifest, capsys):
    assert main(["inspect", f"--corpus={manifest}"]) == 0
    assert "3 movies, 6 segments found, 6 used" in capsys.readouterr().out
    assert main(["inspect", f"--corpus={manifest}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["corpus"]["viewers"] == ["Ann", "Bob", "Vavg"]
    assert found["corpus"]["segments"] == 6
    assert found["corpus"]["simulated"] is False
    counts = {(c["movie"], c["viewer"]): c for c in found["counts"]}
    assert counts["one", "Ann"]["positive"] == 1
    assert counts["three", "Bob"]["missing"] == 2
    # No ratings, no share: null, since JSON knows no NaN.
    assert counts["three", "Bob"]["positive_share"] is None


def test_simulate_then_inspect(tmp_path, monkeypatch, capsys):
    calls = []

    def simulate(*arguments):
        calls.append(arguments)
        return tmp_path

    monkeypatch.setattr(emotion_mt.simulation, "simulate_corpus", simulate)
    flags_ = ["--out=c", "--seed=3", "--segments_per_movie=5"]
    assert main(["simulate", *flags_]) == 0
    assert calls == [("c", 3, 5)]
    assert str(tmp_path) in capsys.readouterr().out


QUICK = """
import sys
from emotion_mt.cli.main import main
assert main(["train", "--help"]) == 0
assert main(["tables", "--no_such"]) == 2
assert main(["inspect", "--corpus=/no/such/folder"]) == 1
heavy = {"tensorflow", "keras"} & set(sys.modules)
assert not heavy, heavy
"""


def test_no_tensorflow_before_it_is_needed():
    subprocess.run(
        [sys.executable, "-c", QUICK], check=True, stdout=subprocess.DEVNULL
    )


def test_module_runs_and_survives_a_reader_that_leaves(manifest):
    with subprocess.Popen(
        [sys.executable, "-m", "emotion_mt", "inspect", f"--corpus={manifest}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
