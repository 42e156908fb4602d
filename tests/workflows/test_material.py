import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import CorpusError
from emotion_mt.features import ExtractionReport
from emotion_mt.workflows import (
    VisualFeatures,
    find_split,
    material,
    open_corpus,
    open_features,
    write_features,
)


def test_folds_by_name(small_corpus):
    assert find_split(small_corpus, "f3").test == ("C",)
    with pytest.raises(ValueError, match=r"F1, F2, F3, F4\. Received: 'Base"):
        find_split(small_corpus, "Baseline")


def test_baseline_needs_the_papers_films(small_corpus):
    movies = np.resize(paper.MOVIES, len(small_corpus))
    segments = small_corpus.segments.assign(movie=np.sort(movies))
    corpus = small_corpus.replace(segments=segments)
    assert find_split(corpus, "baseline").test == paper.BASELINE_TEST


def test_broken_films_stop_or_are_left_out(manifest):
    path = manifest / "segments.csv"
    path.write_text(path.read_text().replace("A-1,A,3.0,5.0", "A-1,A,3.0,1.0"))
    with pytest.raises(CorpusError, match=r"segments\.csv"):
        open_corpus(manifest)
    corpus = open_corpus(manifest, skip_bad_films=True)
    assert corpus.problems


def test_a_corpus_without_videos_has_no_features(small_corpus):
    with pytest.raises(ValueError, match="must have videos"):
        open_features(small_corpus)


def test_features_come_from_the_given_cache(
    small_corpus, small_features, monkeypatch, tmp_path
):
    segments = small_corpus.segments.assign(video="film.mp4")
    corpus = small_corpus.replace(segments=segments)
    calls = []

    def extract(given, i3d, cache_dir):
        calls.append((given, i3d, cache_dir))
        return material.VisualFeatures(small_features, "", ExtractionReport())

    monkeypatch.setattr(material, "load_i3d", lambda *a: ("i3d", *a))
    monkeypatch.setattr(material, "model_digest", lambda i3d: i3d[0])
    monkeypatch.setattr(material, "extract", extract)
    found = open_features(corpus, "w", "float32", tmp_path)
    i3d = ("i3d", "w", "float32", tmp_path)
    assert calls == [(corpus, i3d, tmp_path / "features")]
    assert found.weights_digest == "i3d"
    assert found.missing == 0


def test_features_in_a_file(small_corpus, small_features, tmp_path):
    small_features[2, 5] = np.nan
    visual = VisualFeatures(small_features, "abc", ExtractionReport())
    assert visual.missing == 1
    write_features(tmp_path / "deep" / "f.npz", small_corpus, visual)
    with np.load(tmp_path / "deep" / "f.npz") as found:
        np.testing.assert_array_equal(found["features"], small_features)
        assert found["segment_id"][:2].tolist() == ["A-0", "A-1"]
        assert str(found["weights_digest"]) == "abc"
