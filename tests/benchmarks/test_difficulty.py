"""How hard the corpus is for the networks."""

import pathlib

import numpy as np
import pandas as pd
import pytest

from emotion_mt.simulation import SIMULATION_VERSION


@pytest.fixture(scope="module")
def difficulty(load):
    return load("difficulty")


@pytest.fixture
def shown():
    """What docs/simulation.md says of the difficulty."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs/simulation.md"
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- begin difficulty -->", "<!-- end difficulty -->"
    return text.split(begin)[1].split(end)[0]


def make_scores(accuracies):
    """Two seeds, films and viewers; MT is 4 points better than ST."""
    rows = []
    for modalities, accuracy in accuracies.items():
        for seed in (0, 1):
            for film in ("BMI", "CHI"):
                for viewer in ("V1", "Vavg"):
                    found = (
                        accuracy
                        + {0: -0.01, 1: 0.01}[seed]
                        + {"BMI": -0.01, "CHI": 0.01}[film]
                        + {"V1": -0.03, "Vavg": 0.03}[viewer]
                    )
                    balanced = 0.5 if film == "BMI" else np.nan
                    row = {
                        "modalities": modalities,
                        "seed": seed,
                        "film": film,
                        "viewer": viewer,
                        "ST": found - 0.02,
                        "MT": found + 0.02,
                        "ST_balanced": balanced,
                        "MT_balanced": balanced,
                        "ceiling": 0.9,
                    }
                    rows.append(row)
    return pd.DataFrame(rows)


def test_difficulty_averages_seeds_films_and_viewers(difficulty):
    scores = make_scores({"text": 0.6, "visual": 0.68, "text+visual": 0.7})
    table = difficulty.summarize(scores)
    found = table.set_index(["modalities", "architecture"])
    assert list(found.index) == [
        (modalities, architecture)
        for modalities in ("text", "visual", "text+visual")
        for architecture in ("ST", "MT")
    ]
    assert found.loc[("text", "ST"), "mean"] == pytest.approx(58)
    assert found.loc[("text", "ST"), "sd"] == pytest.approx(2**0.5)
    assert found.loc[("text", "MT"), "Vavg"] == pytest.approx(65)
    assert found.loc[("visual", "MT"), "balanced"] == pytest.approx(50)
    assert found.loc[("visual", "MT"), "ceiling"] == pytest.approx(90)
    said = [difficulty.verdict(row, table) for _, row in table.iterrows()]
    assert said == ["yes"] * 6


def test_difficulty_says_which_target_is_missed(difficulty):
    scores = make_scores({"text": 0.5, "visual": 0.75, "text+visual": 0.74})
    table = difficulty.summarize(scores)
    said = [difficulty.verdict(row, table) for _, row in table.iterrows()]
    assert said == [
        "no: below",
        "no: below",
        "no: above",
        "no: above",
        "no: not highest",
        "no: not highest",
    ]
    table["ceiling"] = 50.0
    assert difficulty.verdict(table.iloc[-1], table).endswith("the ceiling")
    text = difficulty.to_markdown(table, None)
    assert "| text | ST | 55 to 62 | 48.0 ± 1.4 | no: below | 51.0 |" in text


def test_known_parts_are_consecutive_fifths_of_every_film(
    difficulty, small_corpus
):
    features = np.arange(40, dtype=np.float32)[:, None]
    found, ordered, movies = difficulty.in_blocks(small_corpus, features)
    assert found.movies == tuple(f"part {n}" for n in range(1, 6))
    old = ordered[:, 0].astype(int)
    np.testing.assert_array_equal(found.values, small_corpus.values[old])
    np.testing.assert_array_equal(
        found.segments["segment_id"],
        small_corpus.segments["segment_id"].to_numpy()[old],
    )
    part = old[found.rows(("part 2",))]
    np.testing.assert_array_equal(part, [2, 3, 12, 13, 22, 23, 32, 33])
    assert set(movies[found.rows(("part 5",))]) == set("ABCD")


def test_texts_of_several_corpora_are_averaged_by_corpus(load, difficulty):
    def result(seed, fold, accuracy):
        scores = {
            name: {
                "V1": {"accuracy": accuracy + more},
                "Vavg": {"accuracy": accuracy + more + 0.1},
            }
            for name, more in {"ST": 0.0, "MT": 0.2}.items()
        }
        return {"corpus_seed": seed, "fold": fold, "scores": scores}

    results = [
        result(1, 0, 0.4),
        result(1, 1, 0.5),
        result(2, 0, 0.6),
        result(2, 1, 0.7),
    ]
    found = load("text_difficulty").summarize(results)
    means = found.set_index(["corpus_seed", "architecture"])
    assert means.loc[(1, "ST"), "mean"] == pytest.approx(50)
    assert means.loc[(2, "ST"), "Vavg"] == pytest.approx(75)
    assert means.loc[(2, "MT"), "mean"] == pytest.approx(90)
    shown = difficulty.seeds_to_markdown(found)
    assert "| ST | 50.0 | 70.0 | 60.0 ± 14.1 | yes |" in shown
    assert "| MT | 70.0 | 90.0 | 80.0 ± 14.1 | no |" in shown


def test_a_corpus_without_films_has_texts_and_known_shares(load):
    corpus = load("text_difficulty").text_corpus(3, 20)
    assert len(corpus) == 140
    assert corpus.segments["text"].str.len().min() > 0
    movies = corpus.segments["movie"].to_numpy()
    shares = [corpus.labels[movies == m].mean(axis=0) for m in corpus.movies]
    # Table II's Positive row, which the simulation solves for.
    expected = [0.57, 0.58, 0.77, 0.39, 0.56, 0.79, 0.65, 0.62]
    np.testing.assert_allclose(np.mean(shares, axis=0), expected, atol=0.02)


def test_the_page_is_of_this_version_and_no_target_is_missed(difficulty, shown):
    assert f"version {SIMULATION_VERSION} of the simulation" in shown
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in shown.splitlines()
        if line.startswith(("| text ", "| visual "))
    ]
    cells = {(row[0], row[1]): row for row in rows if row[1] in ("ST", "MT")}
    assert len(cells) == 2 * len(difficulty.TARGETS)
    # What the program wrote, from the numbers that stand there.
    table = pd.DataFrame(
        {
            "modalities": name.replace(" + ", "+"),
            "architecture": model,
            "mean": float(row[3].split("±")[0]),
            "ceiling": float(row[-1]),
        }
        for (name, model), row in cells.items()
    )
    said = [difficulty.verdict(row, table) for _, row in table.iterrows()]
    assert said == ["yes"] * len(cells) == [row[4] for row in cells.values()]
    # All well under the ceiling.
    assert (table["mean"] < table["ceiling"] - 10).all()
