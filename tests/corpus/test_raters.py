"""Public films with several raters: known answers, cache and downloads."""

import csv
import hashlib
import io
import itertools
import shutil
import socket

import numpy as np
import pytest
import requests

import emotion_mt as emt
from emotion_mt.cli.main import main
from emotion_mt.corpus import RATERS, CorpusError, load_corpus

#: From the README beside the raw files: segments per part, ratings, share of
#: values above 0 by rater, mean correlation of two raters.
KNOWN = {
    "studyforrest": (
        (64, 78, 73, 76, 74, 53, 67, 41),
        4154,
        (0.608, 0.428, 0.556, 0.489, 0.498, 0.494, 0.524, 0.491, 0.542),
        0.703,
    ),
    "sherlock": (
        (130, 115, 119, 111, 168, 126, 74, 143),
        3940,
        (0.784, 0.499, 0.554, 0.568),
        0.509,
    ),
}


@pytest.fixture(scope="module")
def raw(shared):
    """The raw files as published, by corpus."""
    folder = shared / "raters"
    if not folder.is_dir():
        pytest.skip("real ratings (../shared/raters) are absent")
    return folder


@pytest.fixture(scope="module")
def cache(raw, tmp_path_factory):
    """A cache that has all files."""
    folder = tmp_path_factory.mktemp("cache")
    for name in RATERS:
        shutil.copytree(raw / name, folder / "raters" / name)
    return folder


@pytest.fixture
def offline(monkeypatch):
    """A machine whose network refuses."""

    def refuse(*_, **__):
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def served(raw, monkeypatch):
    """Serves raw files under the names in their addresses.

    Returns the addresses that were asked for, and a dict of name to content
    that is served in the place of a file.
    """
    asked, altered = [], {}
    files = {path.name: path for path in raw.glob("*/*")}

    def get(url, **_):
        asked.append(url)
        name = url.rpartition("/")[2]
        response = requests.Response()
        response.status_code, response.url = 200, url
        content = altered.get(name) or files[name].read_bytes()
        response.raw = io.BytesIO(content)
        return response

    monkeypatch.setattr(requests, "get", get)
    return asked, altered


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(cache, name):
    segments, ratings, shares, correlation = KNOWN[name]
    corpus = emt.load_raters(name, cache)
    sizes = corpus.segments["movie"].value_counts(sort=False)
    assert tuple(sizes) == segments
    raters = [f"R{n + 1}" for n in range(len(shares))]
    assert corpus.viewers == (*raters, "Vavg")
    values = corpus.values[:, :-1]
    assert np.isfinite(values).sum() == ratings
    positive = np.nanmean(corpus.labels[:, :-1], axis=0)
    np.testing.assert_allclose(positive, shares, atol=5e-4)
    pairs = [
        np.corrcoef(values[np.isfinite(values[:, two]).all(axis=1)][:, two].T)
        for two in map(list, itertools.combinations(range(len(shares)), 2))
    ]
    mean = np.mean([pair[0, 1] for pair in pairs])
    assert mean == pytest.approx(correlation, abs=5e-4)
    # The table says what is there.
    about = RATERS[name]
    assert (about.raters, about.segments) == (len(shares), len(corpus))
    assert np.isnan(values).mean() == pytest.approx(about.missing, abs=5e-5)
    assert corpus.annotation == about.rated
    said = " ".join(corpus.notes)
    for part in (about.licence, about.citation, "one film cut into parts"):
        assert part in said
    assert corpus.segments["video"].isna().all()


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("dimension", "more", "less"),
    [("valence", "POS", "NEG"), ("arousal", "HIGH", "LOW")],
)
def test_overlaps_equal_a_plain_loop(cache, raw, dimension, more, less):
    corpus = emt.load_raters("studyforrest", cache, dimension=dimension)
    column = corpus.column("R3")
    episodes = rows(raw / "studyforrest" / "av1o03.csv")
    for number in range(0, len(corpus), 7):
        segment, balance, total = corpus.segments.iloc[number], 0.0, 0.0
        for row in episodes:
            begin = max(float(row["start"]), segment["start_s"])
            shared = min(float(row["end"]), segment["end_s"]) - begin
            if shared > 0 and row[dimension] in (more, less):
                balance += shared if row[dimension] == more else -shared
                total += shared
        value = corpus.values[number, column]
        if total:
            assert value == pytest.approx(balance / total, abs=1e-6)
        else:
            assert np.isnan(value)


def test_segments_hold_each_line_of_dialogue_once(cache, raw):
    corpus = emt.load_raters("studyforrest", cache)
    lines = rows(raw / "studyforrest" / "english_dialog.csv")
    lines.sort(key=lambda line: float(line["start"]))
    said = " ".join(f"{line['person']}: {line['text']}" for line in lines)
    assert " ".join(corpus.segments["text"]) == said
    length = corpus.segments["end_s"] - corpus.segments["start_s"]
    assert (length > 0).all()


def test_arousal_of_coders_without_the_cartoon(cache):
    corpus = emt.load_raters("sherlock", cache, dimension="arousal")
    assert set(np.unique(corpus.values[:, 0])) == {-1.0, -0.5, 0.0, 0.5, 1.0}
    assert corpus.dimension == "arousal"
    assert len(corpus.left_out) == 1000 - 986
    assert (corpus.left_out["start_s"] < 39).all()
    assert corpus.left_out["reason"].str.contains("cartoon").all()


def test_load_corpus_and_every_verb_take_the_name(cache, monkeypatch, capsys):
    whole = emt.load_raters("sherlock", cache)
    same = load_corpus("raters:sherlock", cache=cache)
    assert same.digest() == whole.digest()
    some = load_corpus("raters:sherlock", cache=cache, movies=["S2d", "S1a"])
    assert some.movies == ("S1a", "S2d")
    assert len(some) == 130 + 143
    monkeypatch.setenv("EMOTION_MT_CACHE", str(cache))
    assert main(["inspect", "--corpus=raters:sherlock"]) == 0
    printed = capsys.readouterr().out
    assert "coded valence" in printed
    assert "Licence: MIT" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"folder": "raters:titanic"}, "`name` must be one of .*studyforrest"),
        ({"dimension": "dominance"}, "`dimension` must be one of"),
        ({"movies": ["FG9"]}, r"`movies` must be among \('FG1'.*'FG9'"),
        ({"annotation": "intended"}, "`annotation` chooses among .*one kind"),
    ],
)
def test_wrong_arguments_are_refused(cache, arguments, message):
    given = {"folder": "raters:studyforrest", "cache": cache, **arguments}
    with pytest.raises(ValueError, match=message):
        load_corpus(**given)


@pytest.mark.usefixtures("offline")
def test_only_an_empty_cache_needs_the_network(cache, tmp_path):
    assert len(emt.load_raters("studyforrest", cache)) == 526
    with pytest.raises(CorpusError) as caught:
        emt.load_raters("sherlock", tmp_path)
    message = str(caught.value)
    assert "ContextLab/sherlock-topic-model-paper" in message
    assert "cannot be downloaded" in message
    folder = tmp_path / "raters" / "sherlock"
    assert f"to {folder}. Where there is no network" in message


def test_files_are_downloaded_once(served, tmp_path, capsys):
    asked, _ = served
    corpus = emt.load_raters("studyforrest", tmp_path)
    assert len(corpus) == 526
    assert len(asked) == 11
    assert all("/fb51348a8e12" in u or "/155097f944f9" in u for u in asked)
    shown = capsys.readouterr().err
    assert "Licence: CC0" in shown
    assert "Downloading ratings: 11 of 11 files" in shown
    emt.load_raters("studyforrest", tmp_path)
    assert len(asked) == 11


def test_another_file_is_refused_and_not_kept(served, tmp_path):
    _, altered = served
    altered["av1o04.csv"] = b"start,end\n1,2\n"
    message = r"av1o04\.csv: expected a file with SHA-256 14c5ca80.*another"
    with pytest.raises(CorpusError, match=message):
        emt.load_raters("studyforrest", tmp_path)
    folder = tmp_path / "raters" / "studyforrest"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["av1o01.csv", "av1o02.csv", "av1o03.csv"]
    altered.clear()
    assert len(emt.load_raters("studyforrest", tmp_path)) == 526


def test_an_altered_file_in_the_cache_is_replaced(served, raw, tmp_path):
    asked, _ = served
    folder = tmp_path / "raters" / "studyforrest"
    shutil.copytree(raw / "studyforrest", folder)
    path = folder / "av1o01.csv"
    path.chmod(0o644)
    path.write_text("start,end,valence\n1,2,POS\n")
    emt.load_raters("studyforrest", tmp_path)
    assert [url.rpartition("/")[2] for url in asked] == ["av1o01.csv"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest.startswith("e496a5ed")
