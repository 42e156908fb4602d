"""Measures against targets, pages and pictures about a corpus."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_mt.corpus.simulation import SimulationConfig, simulate_state
from emotion_mt.corpus.simulation.report import (
    Measure,
    agreement,
    draw_contact_sheet,
    measure_corpus,
    measure_files,
    measures_table,
    replace_between_markers,
    viewer_measures,
)

REPOSITORY = Path(__file__).resolve().parents[3]


def missed(measures):
    return [m for m in measures if m.met is False]


def test_the_default_corpus_meets_its_targets(state):
    measures = measure_corpus(state)
    assert missed(measures) == []
    assert sum(m.met is True for m in measures) >= 30


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_meet_the_targets_of_viewers_too(seed):
    state = simulate_state(seed, 60, SimulationConfig())
    measures = [
        *viewer_measures.measure_shares(state),
        *viewer_measures.measure_correlations(state),
    ]
    assert missed(measures) == []


def test_missed_targets_are_noticed():
    config = SimulationConfig()
    viewers = [
        dataclasses.replace(viewer, positive_share=0.5, sharing=0.4)
        for viewer in config.viewers
    ]
    state = simulate_state(
        0,
        20,
        dataclasses.replace(config, viewers=tuple(viewers), average_share=None),
    )
    names = {m.name for m in missed(viewer_measures.measure_shares(state))}
    assert {"V3, mean over films", "V6, mean over films"} <= names
    names = {
        m.name for m in missed(viewer_measures.measure_correlations(state))
    }
    # V1 and V7 are as the others, and all agree equally little.
    assert {
        "V1 with Vavg",
        "lowest with Vavg but for V1",
        "pairs without V1 below 0.4",
    } <= names


def test_files_are_measured(tiny_folder):
    size, videos, seconds = measure_files(tiny_folder, 12.3)
    bytes_ = sum(
        p.stat().st_size for p in tiny_folder.rglob("*") if p.is_file()
    )
    assert size.achieved == f"{bytes_ / 1e6:.2f}"
    assert (videos.achieved, videos.met) == ("7, 25", True)
    assert (seconds.achieved, seconds.met) == ("12", True)
    assert measure_files(tiny_folder, 121.0)[2].met is False
    assert measure_files(tiny_folder, None)[2].met is None


def test_correlations_are_means_over_films(state):
    found = agreement.mean_correlations(state)
    expected = np.zeros((8, 8))
    for film in state.films:
        values = film.means("valence")
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        expected += scaled @ scaled.T / 7
    np.testing.assert_allclose(found, expected)


def test_only_viewers_who_rated_twice_are_compared_with_themselves(state):
    found = agreement.repeat_correlations(state)
    assert list(found) == ["V1", "V2", "V4", "V5", "V7"]
    assert all(0.6 < value < 0.95 for value in found.values())


def test_autocorrelation_and_ranks():
    wave = np.sin(np.arange(400) * 2 * np.pi / 40)[:, None]
    assert agreement.autocorrelation(wave, 40) == pytest.approx(1)
    assert agreement.autocorrelation(wave, 20) == pytest.approx(-1)
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert agreement.rank_correlation(a, a**5) == pytest.approx(1)
    assert agreement.rank_correlation(a, -(a**5)) == pytest.approx(-1)
    assert agreement.rank_correlation(a, a[[0, 2, 1, 3]]) == pytest.approx(0.8)


def test_table_has_one_part_per_group():
    table = measures_table(
        [
            Measure("A", "one", "1 to 2", "1.5", True),
            Measure("A", "two", "", "7", None),
            Measure("B", "three", "0", "1", False),
        ]
    )
    assert table == (
        "**A**\n\n| what | target | achieved | met |\n"
        "| --- | --- | --- | --- |\n"
        "| one | 1 to 2 | 1.5 | yes |\n| two | – | 7 | – |\n\n"
        "**B**\n\n| what | target | achieved | met |\n"
        "| --- | --- | --- | --- |\n| three | 0 | 1 | NO |"
    )


def test_text_around_a_generated_part_is_kept(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Mine\n<!-- begin x -->\nold\n<!-- end x -->\nafter\n")
    replace_between_markers(page, "x", "new\nlines\n")
    replace_between_markers(page, "x", "new\nlines\n")
    assert page.read_text() == (
        "# Mine\n<!-- begin x -->\nnew\nlines\n<!-- end x -->\nafter\n"
    )
    replace_between_markers(page, "y", "more")
    assert page.read_text().endswith(
        "after\n\n<!-- begin y -->\nmore\n<!-- end y -->\n"
    )


def test_a_missing_page_is_made(tmp_path):
    page = tmp_path / "docs" / "page.md"
    replace_between_markers(page, "x", "text")
    assert page.read_text() == "<!-- begin x -->\ntext\n<!-- end x -->\n"


@pytest.mark.parametrize(
    "text",
    [
        "<!-- begin x -->\n",
        "<!-- end x -->\n<!-- begin x -->\n",
        "<!-- begin x -->\n<!-- begin x -->\n<!-- end x -->\n",
    ],
)
def test_broken_markers_are_refused(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(
        ValueError, match=r"page\.md: expected the line '<!-- b"
    ):
        replace_between_markers(page, "x", "new")
    assert page.read_text() == text


def test_contact_sheets_are_small_pictures(tiny_folder, tiny_state, tmp_path):
    path = tmp_path / "new" / "sheet.png"
    draw_contact_sheet(tiny_folder, tiny_state, "FNE", path)
    picture = cv2.imread(str(path))
    assert picture.shape[1] > 600
    assert path.stat().st_size < 300_000
    # Colourful frames above, mostly white below.
    top, bottom = np.array_split(picture, 2)
    assert (top == 255).all(axis=-1).mean() < (bottom == 255).all(
        axis=-1
    ).mean()


def test_a_video_that_ends_early_is_named(tiny_state, tmp_path):
    with pytest.raises(RuntimeError, match=r"BMI\.avi: expected a video of mo"):
        draw_contact_sheet(tmp_path, tiny_state, "BMI", tmp_path / "x.png")


def test_script_writes_page_and_sheets(tmp_path):
    script = REPOSITORY / "experiments" / "simulation_report.py"
    page = tmp_path / "docs" / "simulation.md"
    page.parent.mkdir()
    page.write_text("Mine.\n")
    done = subprocess.run(
        [
            sys.executable,
            str(script),
            f"--folder={tmp_path / 'corpus'}",
            f"--out={page.parent}",
            "--segments_per_movie=4",
            "--seed=1",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Targets missed:" in done.stdout
    text = page.read_text()
    assert text.startswith("Mine.\n")
    assert "Seed 1, 4 segments per film" in text
    assert "| median length of a cue, s | 2 to 2.9 |" in text
    assert len(list(page.parent.glob("simulation_*.png"))) == 7
