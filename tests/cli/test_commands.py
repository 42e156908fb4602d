"""What the commands pass on, and what they print."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import emotion_mt
from emotion_mt import cli, features, runs
from emotion_mt.cli.main import main
from emotion_mt.features import ExtractionReport
from emotion_mt.inference import save_bundle
from emotion_mt.models import EvokedEmotionModel, make_tokenizer


@pytest.fixture
def opened(monkeypatch, small_corpus, small_features):
    """Puts arrays in the place of the folder "films"; notes experiments."""
    seen = []

    class Opened(runs.Run):
        def __init__(self, experiment, say):
            seen.append(experiment)
            self.experiment, self.say = experiment, say
            self.corpus, self.weights_digest = small_corpus, "none"
            self.own_features = False

        def features(self, kind="i3d"):
            self.weights_digest = "digest"
            self.report = ExtractionReport(films=4)
            found = small_features.copy()
            found[3] = np.nan
            return found

    monkeypatch.setattr(runs, "Run", Opened)
    return seen


def test_extract(opened, small_corpus, tmp_path, capsys):
    out = tmp_path / "f.npz"
    flags = ["--corpus=films", "--dimension=arousal", "--dtype=auto"]
    assert main(["extract", *flags, f"--out={out}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = {"films": 4, "segments": 40, "without_video": 1}
    assert found.items() >= {**expected, "weights_digest": "digest"}.items()
    asked = {"dimension": "arousal", "dtype": "auto"}
    assert opened == [runs.Experiment(corpus=Path("films"), **asked)]
    with np.load(out) as written:
        ids = small_corpus.segments["segment_id"].tolist()
        assert written["segment_id"].tolist() == ids
        assert written["features"].shape == (40, 1024)

    assert main(["extract", *flags]) == 0
    assert "1 segments have no visual feature" in capsys.readouterr().out


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """What `train_bundle` is called with."""
    calls = []

    def train_bundle(*arguments, **keywords):
        calls.append((arguments, keywords))
        training = {"split": {"name": "F2", "test": ["B"]}, "seed": 5}
        training |= {"corpus": {"simulated": True}, "notes": ["A note."]}
        training |= {"l1": 0.5, "best_epoch": 3}
        scores = {"V1": {"accuracy": 0.75, "observed": 4}}
        scores["V2"] = {"accuracy": None, "observed": 0}
        return runs.TrainedBundle(tmp_path / "b", False, training, scores)

    monkeypatch.setattr(runs, "train_bundle", train_bundle)
    return calls


def test_train(opened, trained, small_corpus, capsys):
    flags = ["--corpus=films", "--out=b", "--fold=F2", "--viewers=V2,V1"]
    flags += ["--seed=5", "--l1=0.5", "--max_epochs=9", "--replace"]
    assert main(["train", *flags, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["V1"]["accuracy"] == 0.75
    assert found["scores"]["V2"]["accuracy"] is None
    assert found["corpus"]["digest"] == small_corpus.digest()
    ((folder, corpus, visual, split, config), keywords) = trained[0]
    assert folder == "b"
    assert corpus is small_corpus
    assert visual.shape == (40, 1024)
    assert (split.name, split.test) == ("F2", ("B",))
    assert (config.l1, config.max_epochs) == ((0.5,), 9)
    expected = {"viewers": ["V2", "V1"], "seed": 5, "replace": True}
    assert keywords == {**expected, "weights_digest": "digest"}

    # Text needs no features.
    assert main(["train", *flags, "--modalities=text"]) == 0
    out = capsys.readouterr().out
    for said in ("SIMULATED", "75.0% of 4", "A note."):
        assert said in out
    arguments, keywords = trained[1]
    assert arguments[2] is None
    assert keywords["weights_digest"] == "none"
    assert main(["train", *flags, "--fold=F8"]) == 1
    assert "one of F1, F2, F3, F4. Received: 'F8'" in capsys.readouterr().err
    assert len(trained) == 2


def test_all_tables_or_a_script_for_one(monkeypatch, capsys):
    calls, failures = [], []

    def run_tables(*arguments):
        calls.append(arguments)
        return types.SimpleNamespace(failures=failures)

    monkeypatch.setattr(runs, "run_tables", run_tables)
    monkeypatch.setattr(sys, "argv", ["experiments/t.py", "--modalities=text"])
    for number in ("II", "IV"):
        command = cli.table_command(number, "What it is.\n\n  more")
        assert cli.run(command) == 0
        _, (spec,) = calls.pop()
        assert spec.number == number
    # A job that failed is status 1.
    for status in (0, 1):
        assert main(["tables", "--corpus=films", "--patience=3"]) == status
        experiment, specs = calls.pop()
        assert experiment.training.patience == 3
        assert specs is None
        failures.append("job")
    assert cli.run(command, ["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("What it is.\n\n  more\n")
    assert "--seeds:" in shown
    assert cli.run(command, ["--no_such"]) == 2
    assert "See python experiments/t.py --help" in capsys.readouterr().err


def test_weights(monkeypatch, capsys, tmp_path):
    model = types.SimpleNamespace(count_params=lambda: 12)
    calls = []

    def load_i3d(*arguments, **keywords):
        calls.append((arguments, keywords))
        return model

    monkeypatch.setattr(features, "load_i3d", load_i3d)
    monkeypatch.setattr(features, "model_digest", lambda _: "abc")
    assert main(["weights", f"--cache={tmp_path}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["digest"] == "abc"
    assert found["cache"] == str(tmp_path)
    assert calls == [(("auto",), {"cache_dir": str(tmp_path)})]
    assert main(["weights"]) == 0
    assert "12 weights" in capsys.readouterr().out


SRT = "1\n00:00:01,000 --> 00:00:02,500\nGood, <i>good</i>!\n"


@pytest.fixture(scope="module")
def text_bundle(tmp_path_factory):
    model = EvokedEmotionModel(
        viewers=("V1", "Vavg"),
        modalities=("text",),
        vocabulary_size=4,
        trunk_units=(4,),
        head_units=(3,),
        embedding_dim=4,
        text_filters=3,
        text_widths=(2,),
    )
    return save_bundle(
        tmp_path_factory.mktemp("bundle") / "b",
        model,
        tokenizer=make_tokenizer(["good", "bad"]),
        training={"corpus": {"simulated": True}},
    )


def test_predict_writes_table_and_pictures(text_bundle, tmp_path, capsys):
    (tmp_path / "clip.srt").write_text(SRT)
    flags = [f"--model={text_bundle}", f"--out={tmp_path / 'out'}"]
    # It says which bundle would do.
    assert main(["predict", *flags, "--video=v.mp4"]) == 1
    error = capsys.readouterr().err
    assert "A bundle with modalities ('visual',)" in error
    assert not (tmp_path / "out").exists()

    flags.append(f"--subtitles={tmp_path / 'clip.srt'}")
    assert main(["predict", *flags, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["simulated"] is True
    (segment,) = found["segments"]
    assert (segment["start_s"], segment["end_s"]) == (1.0, 2.5)
    table = pd.read_csv(found["files"]["csv"])
    for viewer in ("V1", "Vavg"):
        assert segment["viewers"][viewer] == {
            "probability": pytest.approx(table[f"{viewer}_probability"][0]),
            "label": table[f"{viewer}_label"][0],
        }
    assert (tmp_path / "out" / "timeline.png").stat().st_size > 5000
    page = (tmp_path / "out" / "timeline.html").read_text("utf-8")
    assert "Good, good!" in page
    assert "SIMULATED" in page

    assert main(["predict", *flags, "--title=Mine"]) == 0
    out = capsys.readouterr().out
    assert "1 segments" in out
    assert "SIMULATED" in out
    page = (tmp_path / "out" / "timeline.html").read_text("utf-8")
    assert "<h1>Mine</h1>" in page


def test_add_viewer_then_predict(text_bundle, tmp_path, capsys):
    cues = [
        (i, f"00:00:{2 * i:02},000 --> 00:00:{2 * i + 1:02},500")
        for i in range(9)
    ]
    srt, mine, out = (tmp_path / name for name in ("clip.srt", "mine", "out"))
    srt.write_text(
        "\n".join(
            f"{i + 1}\n{times}\n{('good', 'bad')[i % 2]} {i}\n"
            for i, times in cues
        )
    )
    ratings = tmp_path / "my.csv"
    lines = [f"{2 * i};{2 * i + 1},5;{1 + 6 * (i % 2)}" for i, _ in cues]
    ratings.write_text("\n".join(["start_s;end_s;value", *lines, "90;91;4"]))
    flags = [f"--model={text_bundle}", f"--ratings={ratings}", "--scale=1,7"]
    flags += [f"--subtitles={srt}", f"--out={mine}", "--name=Ann"]
    assert main(["add-viewer", *flags, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["bundle"]) == ("Ann", str(mine))
    assert (found["positive"], found["negative"]) == (4, 5)
    assert any("line 11: no segment" in p for p in found["problems"])
    assert main(["add-viewer", *flags]) == 0
    assert "Ann: rests on 9 rated segments" in capsys.readouterr().out

    flags = [f"--model={mine}", f"--subtitles={srt}", f"--out={out}"]
    assert main(["predict", *flags]) == 0
    table = pd.read_csv(out / "predictions.csv")
    assert table["Ann_probability"].between(0, 1).all()


def test_add_viewer_says_what_is_wrong(text_bundle, tmp_path, capsys):
    (tmp_path / "clip.srt").write_text(SRT)
    ratings = tmp_path / "my.csv"
    ratings.write_text("start_s,end_s,value\n1,2,good\n1,2,3\n")
    flags = [f"--model={text_bundle}", f"--ratings={ratings}"]
    flags += [f"--subtitles={tmp_path / 'clip.srt'}", f"--out={tmp_path / 'm'}"]
    assert main(["add-viewer", *flags]) == 1
    error = capsys.readouterr().err
    assert "line 2: expected a value in [-1, 1]" in error
    assert "line 3: expected a value in [-1, 1]" in error
    # One clip; a second one would silently take the place of the first.
    assert main(["add-viewer", *flags, f"--ratings={ratings}"]) == 2
    assert "already defined" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_demo(monkeypatch):
    calls = []
    page = types.SimpleNamespace(launch=lambda *a, **k: calls.append((a, k)))
    monkeypatch.setattr(emotion_mt, "demo", page, raising=False)
    assert main(["demo", "--model=b", "--port=8000"]) == 0
    assert calls == [(("b",), {"host": "127.0.0.1", "port": 8000})]
