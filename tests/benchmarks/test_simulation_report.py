"""Measures of a simulated corpus against targets, and the page of them."""

import dataclasses
import pathlib

import numpy as np
import pytest
from absl import flags

from emotion_mt.simulation import (
    SIMULATION_VERSION,
    SimulationConfig,
    simulate_state,
)

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def measures(load):
    return load("simulation_measures")


def missed(rows):
    return {name for name, _, _, met in rows if met is False}


def test_the_default_corpus_meets_its_targets(measures):
    state = simulate_state(0, 60, SimulationConfig())
    rows = [row for group in measures.GROUPS.values() for row in group(state)]
    assert missed(rows) == set()
    assert sum(met is True for *_, met in rows) >= 25
    # Only viewers who rated twice are compared with themselves.
    repeats = measures.repeat_correlations(state)
    assert list(repeats) == ["V1", "V2", "V4", "V5", "V7"]
    # The correlations are means over films, computed here by hand.
    expected = np.zeros((8, 8))
    for film in state.films:
        values = film.means("valence")
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        expected += scaled @ scaled.T / 7
    np.testing.assert_allclose(measures.mean_correlations(state), expected)


def test_other_seeds_meet_the_targets_of_viewers_too(measures):
    for seed in (1, 2):
        state = simulate_state(seed, 60, SimulationConfig())
        assert missed(measures.shares(state)) == set()
        assert missed(measures.correlations(state)) == set()


def test_missed_targets_are_noticed(measures):
    viewers = [
        dataclasses.replace(viewer, positive_share=0.5, sharing=0.4)
        for viewer in SimulationConfig().viewers
    ]
    config = SimulationConfig(
        viewers=tuple(viewers), visual_informativeness=0.5
    )
    state = simulate_state(0, 20, config)
    # V1 and V7 are as the others, and all agree equally little.
    assert "V1 with Vavg" in missed(measures.correlations(state))
    assert any(
        "mean over films" in name for name in missed(measures.shares(state))
    )
    looks = "look follows content within a film, weakest cue"
    assert looks in missed(measures.content(state))


@pytest.mark.parametrize("known", [False, True])
def test_simple_models_find_what_separates(load, known):
    movies = np.repeat(["A", "B", "C"], 20)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, size=(60, 2)).astype(float)
    features = labels + rng.normal(0, 0.1, size=(60, 2))
    held_out = load("simulation_measures").held_out
    assert held_out(features, labels, movies, known) == 1
    # The film decides the label, and the features say the film: that helps in
    # known films only. Unseen, A looks like none of the others, whose labels
    # are all negative.
    labels = (movies == "A").astype(float)[:, None]
    features = np.stack([movie == movies for movie in "ABC"], axis=1)
    found = held_out(features.astype(float), labels, movies, known)
    assert found == 1 if known else found < 0.9


def test_text_around_a_generated_part_is_kept(load, tmp_path):
    replace = load("pages").replace_between_markers
    page = tmp_path / "docs" / "page.md"
    replace(page, "x", "text")
    page.write_text(f"# Mine\n{page.read_text()}after\n")
    replace(page, "x", "new\nlines\n")
    replace(page, "y", "more")
    assert page.read_text() == (
        "# Mine\n<!-- begin x -->\nnew\nlines\n<!-- end x -->\nafter\n\n"
        "<!-- begin y -->\nmore\n<!-- end y -->\n"
    )
    begin, end = "<!-- begin x -->\n", "<!-- end x -->\n"
    for text in (begin, end + begin, begin + begin + end):
        page.write_text(text)
        with pytest.raises(ValueError, match=r"page\.md: expected the line"):
            replace(page, "x", "new")
        assert page.read_text() == text


# In a film of three segments a viewer may answer the same throughout.
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_script_writes_page_and_sheets(load, tmp_path, capsys):
    report = load("simulation_report")
    values = flags.FlagValues()
    report.define_flags(values)
    page = tmp_path / "docs" / "simulation_targets.md"
    page.parent.mkdir()
    page.write_text("Mine.\n")
    arguments = [f"--folder={tmp_path / 'corpus'}", f"--out={page.parent}"]
    values(["report", *arguments, "--segments_per_movie=4", "--seed=1"])
    report.run(values)
    assert "Targets missed:" in capsys.readouterr().out
    text = page.read_text()
    assert text.startswith("Mine.\n")
    assert "Seed 1, 4 segments per film" in text
    assert "| median length of a cue, s | 2 to 2.9 |" in text
    assert "| Files | size on disk, MB | 0 to 60 |" in text
    sheets = list(page.parent.glob("simulation_*.png"))
    assert len(sheets) == 7
    assert all(sheet.stat().st_size < 300_000 for sheet in sheets)


def test_the_page_is_of_this_version_and_no_target_is_missed():
    page = REPOSITORY / "docs" / "simulation_targets.md"
    text = page.read_text(encoding="utf-8")
    shown = text.split("<!-- begin measures -->")[1].split("<!-- end")[0]
    assert f"version {SIMULATION_VERSION} of the simulation" in shown
    assert shown.count("| yes |") >= 25
    assert "| NO |" not in shown
