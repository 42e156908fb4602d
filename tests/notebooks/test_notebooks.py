"""The notebooks run from top to bottom, and are fit to be shown."""

import ast
import functools
import os
import re
import shutil
import sys
import types
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from IPython.core.inputtransformer2 import TransformerManager

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.corpus import Corpus, folds
from emotion_mt.evaluation import SPECS, build_table
from emotion_mt.evaluation.records import make_record, write_record
from emotion_mt.evaluation.rendering import write_table
from emotion_mt.storage.atomic import write_json
from emotion_mt.training import TrainingConfig

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))

#: Absolute paths on any system.
ABSOLUTE = re.compile(
    r"(?<![\w.:/])/(home|root|tmp|usr|opt|var|work|mnt|content|Users)/|\b[A-Z]:\\"
)


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def run(name):
    """Executes the code as IPython would, in this process.

    A kernel per notebook would import TensorFlow four times. What is lost is
    the display of results: here a result is only computed.
    """
    transform = TransformerManager().transform_cell
    namespace = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(name)):
        tree = ast.parse(transform(cell.source), f"{name} cell {number}")
        exec(compile(tree, f"{name} cell {number}", "exec"), namespace)
    return namespace


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Runs in an empty folder, without windows and without own settings."""
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    for variable in [v for v in os.environ if v.startswith("EMOTION_MT_")]:
        monkeypatch.delenv(variable)
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture
def small_networks(monkeypatch):
    """Whatever sizes a notebook asks for: few layers are compiled soon."""
    small = {"embedding_dim": 4, "text_filters": 4, "multi_task_head_units": ()}
    small |= {f"{x}_task_trunk_units": (8,) for x in ("single", "multi")}
    monkeypatch.setattr(
        emt, "TrainingConfig", lambda **given: TrainingConfig(**given | small)
    )


def test_quickstart(monkeypatch):
    monkeypatch.setenv("EMOTION_MT_SEGMENTS", "6")
    monkeypatch.setenv("EMOTION_MT_EPOCHS", "2")
    small = {"trunk_units": (8,), "head_units": ()}
    small = functools.partial(emt.EvokedEmotionModel, **small)
    monkeypatch.setattr(emt.EvokedEmotionModel, "multi_task", small)
    found = run("quickstart")
    corpus, table = found["corpus"], found["table"]
    assert len(corpus) == 42
    assert corpus.simulated
    assert found["features"].shape == (42, 1024)
    assert len(found["history"]["val_bce"]) == 2
    assert list(table.index) == [*corpus.viewers, "mean"]
    assert corpus.segments["video"].isna().all()
    random = np.random.default_rng(0)
    by_chance = [
        explained(found["features"], random.permutation(found["hidden"]))
        for _ in range(20)
    ]
    assert explained(found["features"], found["hidden"]) > max(by_chance)
    # The same by hand, for one viewer.
    rows = corpus.rows(found["fold"].test)
    labels = corpus.labels[rows, corpus.column("V3")]
    right = (found["probabilities"][:, 2] > 0.5) == (labels == 1)
    assert table.loc["V3", "MT"] == pytest.approx(right.mean())
    share = labels.mean()
    expected = pytest.approx(max(share, 1 - share))
    assert table.loc["V3", "better constant answer"] == expected


def explained(features, hidden):
    """Share of the variance that a linear function of `hidden` explains."""
    features = features - features.mean(axis=0)
    known = np.column_stack([hidden, np.ones(len(hidden))])
    weights, *_ = np.linalg.lstsq(known, features, rcond=None)
    return np.var(known @ weights) / np.var(features)


def test_own_data(monkeypatch, tmp_path, small_networks, capsys):
    monkeypatch.setenv("EMOTION_MT_SEGMENTS", "8")
    monkeypatch.setenv("EMOTION_MT_EPOCHS", "1")
    # Each fold has words of its own, and with them models to compile.
    monkeypatch.setattr(emt, "folds", lambda movies: folds(movies)[:2])
    found = run("own_data")
    corpus, by_film = found["corpus"], found["by_film"]
    assert corpus.viewers == ("Ann", "Bob", "Cem", "Vavg")
    winter = corpus.rows(["Winter"])
    assert np.isnan(corpus.values[winter, corpus.column("Cem")]).all()
    assert 0.05 < np.isnan(corpus.values[:, 0]).mean() < 0.5
    both = {(m, viewer) for m in ("ST", "MT") for viewer in corpus.viewers}
    assert set(by_film.index) == both
    assert by_film["Winter"].isna().sum() == 2  # Cem, with ST and with MT
    assert by_film.drop(index="Cem", level="viewer").notna().all(axis=None)
    written = pd.read_csv(tmp_path / "my_corpus" / "annotations.csv")
    assert len(written) == (~np.isnan(corpus.values[:, :3])).sum()
    assert "Cem" in capsys.readouterr().out


def test_real_raters(monkeypatch, tmp_path, small_networks, shared, capsys):
    if not (shared / "raters").is_dir():
        pytest.skip("real ratings (../shared/raters) are absent")
    shutil.copytree(shared / "raters", tmp_path / "cache" / "raters")
    monkeypatch.setenv("EMOTION_MT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMOTION_MT_EPOCHS", "1")
    found = run("real_raters")
    corpus, table = found["corpus"], found["table"]
    assert len(corpus) == 526
    assert "Licence: CC0" in capsys.readouterr().out
    # What R4 says of R2 on the first part and so on, by hand.
    labels = corpus.labels[corpus.rows(["FG1"]), :-1]
    others = np.delete(labels, 1, axis=1)
    both = ~np.isnan(others) & ~np.isnan(labels[:, 1:2])
    right = [
        (others[b, n] == labels[b, 1]).mean() for n, b in enumerate(both.T)
    ]
    shown = table.loc["R2", ("accuracy", "another rater")]
    assert shown == pytest.approx(np.mean(right))
    models = table["balanced accuracy"][["MT", "ST"]].astype(float)
    assert models.notna().all(axis=None)


def test_inference(monkeypatch, tmp_path, i3d_cache, small_networks, capsys):
    monkeypatch.setenv("EMOTION_MT_CACHE", str(i3d_cache))
    monkeypatch.setenv("EMOTION_MT_SEGMENTS", "2")
    found = run("inference")
    timeline = found["timeline"]
    assert timeline["Vavg_probability"].between(0, 1).all()
    assert timeline.attrs["simulated"]
    cues = Path(found["SUBTITLES"]).read_text().count("-->")
    assert len(timeline) == cues
    assert (tmp_path / "bundle" / "README.md").is_file()
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(tmp_path / "timeline.csv")) == len(timeline)
    assert "simulated" in (tmp_path / "timeline.html").read_text().lower()
    assert "Received: neither" in capsys.readouterr().out


def test_new_viewer(monkeypatch, tmp_path, small_networks):
    monkeypatch.setenv("EMOTION_MT_SEGMENTS", "12")
    monkeypatch.setenv("EMOTION_MT_EPOCHS", "2")
    found = run("new_viewer")
    assert "V7" not in found["corpus"].viewers
    assert sum(found["bundle"].model.added["You"]) == 20
    assert found["table"]["balanced accuracy"].between(0, 1).all()
    assert found["timeline"].attrs["viewers"][-1] == "You"
    # The line is that of the new viewer, who rests on twenty ratings.
    assert "You rests on 20 ratings" in (
        tmp_path / "with_you" / "README.md"
    ).read_text("utf-8")
    assert found["timeline"]["You_probability"].between(0, 1).all()


def finished_run(folder, guesses):
    """Writes all tables, of models that guess; returns the models' records."""
    times_s = np.arange(28) * 2.0
    segments = {
        "segment_id": [f"s{number}" for number in range(28)],
        "movie": np.repeat(paper.MOVIES, 4),
        "start_s": times_s,
        "end_s": times_s + 1,
        "text": "",
        "video": None,
    }
    values = np.random.default_rng(0).uniform(-1, 1, (28, 8)).astype("float32")
    corpus = Corpus(
        "made-up", pd.DataFrame(segments), paper.ALL_VIEWERS, values,
        simulated=True,
    )  # fmt: skip
    digests = {"corpus": corpus.digest(), "features": "f", "weights": "w"}
    records, tables = {}, {}
    for spec in SPECS.values():
        splits = spec.splits(corpus.movies)
        jobs = spec.jobs(corpus.viewers, splits, (0,), TrainingConfig())
        names = [job.file_name(job.name) for job in jobs]
        for job, name in zip(jobs, names, strict=True):
            if job not in records:
                known = (job, job.name, corpus, digests)
                records[job] = make_record(*known, guesses(job, corpus))
                write_record(folder / "jobs" / name, records[job])
        table = build_table(spec, [records[job] for job in jobs])
        write_table(folder, spec.file_stem, table)
        tables[spec.number] = {"jobs": names}
    write_json(folder / "config.json", {"tables": tables})
    return list(records.values())


def test_paper(monkeypatch, tmp_path, guesses):
    records = finished_run(tmp_path / "run", guesses)
    # Left by an older run: belongs to no table.
    (tmp_path / "run" / "jobs" / "stale.json").write_text("{}")
    monkeypatch.setenv("EMOTION_MT_RUN", "run")
    found = run("paper")
    assert list(found["tables"]) == [f"table{n}" for n in range(2, 7)]
    assert len(found["overview"]) == len(records)
    wide = found["accuracies"](found["tables"]["table2"])
    assert wide.loc[("MT", "paper"), "V5"] == 82.6
    # The mean over the folds of the share of right answers, by hand.
    shares = []
    for record in records:
        job, part = record["job"], record["viewers"].get("V5")
        fold = job["split"]["name"] in {fold.name for fold in paper.FOLDS}
        both = job["config"]["modalities"] == ["text", "visual"]
        if job["architecture"] == "MT" and fold and both:
            said = np.array(part["probability"]) > 0.5
            shares.append(np.mean(np.array(part["label"]) == said))
    assert len(shares) == 7
    expected = pytest.approx(100 * np.mean(shares), abs=1e-3)
    assert wide.loc[("MT", "SIMULATED"), "V5"] == expected
    assert "V1" in found["differences"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_starts_with_a_badge_and_a_warning_and_installs_in_colab_only(
    name, monkeypatch
):
    head, first = read(name).cells[0].source, code_cells(name)[0].source
    link = re.search(
        r"\[!\[Open in Colab\]\(https://colab\.research\.google\.com/assets/"
        r"colab-badge\.svg\)\]\(https://colab\.research\.google\.com/github/"
        r"([\w-]+/emotion_mt)/blob/main/notebooks/(\w+)\.ipynb\)",
        head,
    )
    assert link is not None
    assert link[2] == name
    assert f"git+https://github.com/{link[1]}" in first
    said = "NOT OF WHAT VIEWERS FEEL" if name == "real_raters" else "SIMULATED"
    assert re.search(rf"^> # .*{said}", head, flags=re.MULTILINE)

    source = TransformerManager().transform_cell(first)
    calls = []
    shell = types.SimpleNamespace(
        run_line_magic=lambda magic, line: calls.append((magic, line[:7]))
    )
    exec(source, {"get_ipython": lambda: shell})
    assert calls == []
    colab = types.ModuleType("google.colab")
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    exec(source, {"get_ipython": lambda: shell})
    assert calls == [("pip", "install")]
    assert not any("pip" in cell.source for cell in code_cells(name)[1:])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_stored_whole_and_clean(name):
    cells = code_cells(name)
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    assert {"image/png", "text/html"} <= kinds
    # A progress bar would be shown as "Loading widget…".
    assert not any("widget" in kind for kind in kinds)
    for output in outputs:
        assert output.output_type != "error", output.evalue
        pictures = {"image/png": None}
        text = str({**output, "data": {**output.get("data", {}), **pictures}})
        assert not ABSOLUTE.search(text), text
        assert "Warning" not in text
    path = FOLDER / f"{name}.ipynb"
    assert not ABSOLUTE.search("\n".join(c.source for c in cells))
    assert path.stat().st_size < 250_000
