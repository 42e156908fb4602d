"""How hard the corpus is for the networks."""

import pathlib

import numpy as np
import pandas as pd
import pytest

from emotion_mt.simulation import SIMULATION_VERSION


@pytest.fixture(scope="module")
def difficulty(load):
    return load("difficulty")


def make_scores(accuracies):
    """Two seeds, films and viewers; MT is 4 points better than ST."""
    rows = []
    for modalities, accuracy in accuracies.items():
        for number in range(8):
            signs = [-1 if number & bit else 1 for bit in (1, 2, 4)]
            found = accuracy + np.dot(signs, [1, 1, 3])
            balanced = 50.0 if signs[1] < 0 else np.nan
            row = {"modalities": modalities, "seed": signs[0]}
            row |= {"film": "BMI" if signs[1] < 0 else "CHI"}
            row |= {"viewer": "V1" if signs[2] < 0 else "Vavg"}
            for model, more in {"ST": -2, "MT": 2}.items():
                row |= {f"{model} accuracy": found + more}
                row |= {f"{model} {n}": balanced for n in ("balanced", "auc")}
            rows.append(row | {"ceiling": 90.0})
    return pd.DataFrame(rows)


def verdicts(difficulty, table):
    return [difficulty.verdict(row, table) for _, row in table.iterrows()]


def test_seeds_films_and_viewers_are_averaged(difficulty):
    scores = make_scores({"text": 60, "visual": 68, "text+visual": 70})
    table = difficulty.summarize(scores)
    found = table.set_index(["modalities", "architecture"])
    names = ("text", "visual", "text+visual")
    assert list(found.index) == [(n, m) for n in names for m in ("ST", "MT")]
    assert found.loc[("text", "ST"), "mean"] == pytest.approx(58)
    assert found.loc[("text", "ST"), "sd"] == pytest.approx(2**0.5)
    assert found.loc[("text", "MT"), "Vavg"] == pytest.approx(65)
    assert found.loc[("visual", "MT"), "balanced"] == pytest.approx(50)
    assert found.loc[("visual", "MT"), "ceiling"] == pytest.approx(90)
    assert verdicts(difficulty, table) == ["yes"] * 6


def test_missed_targets_are_said(difficulty):
    scores = make_scores({"text": 50, "visual": 75, "text+visual": 74})
    table = difficulty.summarize(scores)
    said = ("no: below", "no: above", "no: not highest")
    expected = [verdict for verdict in said for _ in range(2)]
    assert verdicts(difficulty, table) == expected
    text = difficulty.to_markdown(table)
    assert "| text | ST | 55 to 62 | 48.0 ± 1.4 | no: below | 51.0 |" in text
    table["ceiling"] = 50.0
    assert difficulty.verdict(table.iloc[-1], table).endswith("the ceiling")


def test_texts_of_several_corpora_are_averaged_by_corpus(difficulty):
    rows = [
        (1, 40.0, 60.0),
        (1, 60.0, 80.0),
        (2, 50.0, 80.0),
        (2, 70.0, 100.0),
    ]
    columns = ["seed", "ST accuracy", "MT accuracy"]
    shown = difficulty.seeds_to_markdown(pd.DataFrame(rows, columns=columns))
    assert "| text, corpora of | seed 1 | seed 2 | mean ± sd |" in shown
    assert "| ST | 50.0 | 60.0 | 55.0 ± 7.1 | yes |" in shown
    assert "| MT | 70.0 | 90.0 | 80.0 ± 14.1 | no |" in shown


def test_the_page_is_of_this_version_and_no_target_is_missed(difficulty):
    page = pathlib.Path(__file__).resolve().parents[2] / "docs/simulation.md"
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- begin difficulty -->", "<!-- end difficulty -->"
    shown = text.split(begin)[1].split(end)[0]
    assert f"version {SIMULATION_VERSION} of the simulation" in shown
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in shown.splitlines()
        if line.startswith(("| text ", "| visual "))
    ]
    rows = [row for row in rows if row[1] in ("ST", "MT")]
    assert len(rows) == 2 * len(difficulty.TARGETS)
    # What the program wrote, from the numbers that stand there.
    table = pd.DataFrame(
        {
            "modalities": row[0].replace(" + ", "+"),
            "architecture": row[1],
            "mean": float(row[3].split("±")[0]),
            "ceiling": float(row[-1]),
        }
        for row in rows
    )
    said = [row[4] for row in rows]
    assert verdicts(difficulty, table) == said == ["yes"] * len(rows)
    # All well under the ceiling.
    assert (table["mean"] < table["ceiling"] - 10).all()
