import numpy as np
import pandas as pd
import pytest

from emotion_mt import paper
from emotion_mt.corpus import CorpusError
from emotion_mt.runs import Experiment, Run


@pytest.fixture
def run(manifest):
    """Opens the manifest; what is given replaces fields of the experiment."""

    def run(**changes):
        experiment = Experiment(**{"corpus": manifest, **changes})
        return Run(experiment, lambda _: None)

    return run


def test_folds_by_name(run):
    assert run().split("f3").test == ("C",)
    with pytest.raises(ValueError, match=r"F1, F2, F3, F4\. Received: 'Base"):
        run().split("Baseline")


def test_baseline_needs_the_papers_films(manifest, run):
    path = manifest / "segments.csv"
    table = pd.read_csv(path)
    table["movie"] = [paper.MOVIES[n % 7] for n in range(len(table))]
    table["start_s"] = np.arange(len(table)) * 3.0
    table["end_s"] = table["start_s"] + 2
    table.sort_values("movie", kind="stable").to_csv(path, index=False)
    opened = run(skip_bad_films=True)
    assert opened.split("baseline").test == paper.BASELINE_TEST


def test_broken_films_stop_or_are_left_out(manifest, run):
    path = manifest / "segments.csv"
    path.write_text(path.read_text().replace("A-1,A,3.0,5.0", "A-1,A,3.0,1.0"))
    with pytest.raises(CorpusError, match=r"segments\.csv"):
        run()
    assert run(skip_bad_films=True).corpus.problems


def test_a_corpus_without_videos_has_no_features(manifest, run):
    path = manifest / "segments.csv"
    path.write_text(path.read_text().replace("film.mp4", ""))
    opened = run()
    assert not opened.has_video
    for kind in ("i3d", "histograms"):
        with pytest.raises(ValueError, match=r"must have videos.*--modalities"):
            opened.features(kind)
    # Text alone needs none.
    shared = opened.job_input({None})
    assert shared.features == {}
    assert opened.weights_digest == "none"


def test_a_corpus_is_simulated_once(tmp_path):
    lines = []
    experiment = Experiment(data=tmp_path, segments_per_movie=2, corpus_seed=3)
    first = Run(experiment, lines.append)
    assert first.corpus.simulated
    assert experiment.corpus_folder.name == "simulated-2-seed3"
    assert "SIMULATED" in lines[0].upper()
    again = Run(experiment, lines.append)
    assert again.corpus.digest() == first.corpus.digest()
    assert again.seconds["simulate"] < first.seconds["simulate"]
