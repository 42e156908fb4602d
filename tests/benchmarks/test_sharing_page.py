"""From the results of the sweeps to the page."""

import dataclasses
import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def page(load):
    return load("sharing_page")


# Bands


def test_bands_are_those_of_a_plain_bootstrap(page):
    differences = np.random.default_rng(2).normal(1.0, 2.0, (3, 7))
    rng = np.random.default_rng(5)
    means = []
    for _ in range(4000):
        rows = rng.choice(3, 3)
        columns = rng.choice(7, 7)
        means.append(differences[np.ix_(rows, columns)].mean())
    expected = np.percentile(means, [2.5, 97.5])
    np.testing.assert_allclose(page.band(differences), expected, atol=0.1)


# From results to the page


def make_result(sweep, setting, seed, film, gain):
    """ST is right half of the time, MT by `gain` more; Vavg by twice that."""
    scores = {
        name: {
            viewer: {"accuracy": 0.5 + more, "balanced_accuracy": None}
            for viewer, more in {
                "V1": part,
                "V2": part,
                "Vavg": 2 * part,
            }.items()
        }
        for name, part in {"ST": 0.0, "MT": gain}.items()
    }
    return {
        "key": f"{setting}{seed}{film}",
        **dataclasses.asdict(sweep.Task(setting, seed, 0)),
        "film": film,
        "ceiling": dict.fromkeys(("V1", "V2", "Vavg"), 0.9),
        "scores": scores,
        "cpu_s": 1.0,
    }


@pytest.fixture
def frame(sweep):
    results = [
        make_result(sweep, setting, seed, film, gain)
        for setting, gain in (
            (sweep.Setting(), 0.03),
            (sweep.Setting(sharing=0.0), 0.01),
            (sweep.Setting(sharing=0.8), 0.06),
        )
        for seed in (0, 1)
        for film in ("BMI", "CHI", "CRA")
    ]
    # The third seed was stopped before its last film.
    results += [
        make_result(sweep, sweep.Setting(), 2, film, 0.4)
        for film in ("BMI", "CHI")
    ]
    return sweep.as_frame(json.loads(json.dumps(results)))


def test_points_are_summed_up_over_whole_seeds(page, frame):
    summary = page.summarize(frame)
    found = summary[summary["sweep"] == "sharing"].set_index(
        ["sharing", "group"]
    )
    assert found["seeds"].unique() == 2
    assert found["films"].unique() == 3
    assert found.loc[(0.8, "viewers"), "gain"] == pytest.approx(6)
    assert found.loc[(0.8, "average"), "gain_low"] == pytest.approx(12)
    assert found.loc[(0.0, "viewers"), "ST"] == pytest.approx(50)
    assert found.loc[(0.0, "viewers"), "ceiling"] == pytest.approx(90)
    assert np.isnan(found.loc[(0.0, "viewers"), "gain_balanced"])
    # Points that were not run are not there, the default is in each sweep.
    assert set(found.index.get_level_values("sharing")[:4]) == {0.0, 0.8}
    assert (summary["sweep"] == "missing").sum() == 2


def test_changes_are_between_the_same_seeds_and_films(page, sweep, frame):
    first, last = sweep.Setting(sharing=0.0), sweep.Setting(sharing=0.8)
    found = page.change(frame, first, last, "viewers")
    assert found == pytest.approx((5, 5, 5))
    absent = sweep.Setting(missing=0.25)
    assert page.change(frame, first, absent, "viewers") is None


def test_the_page_says_the_numbers(page, frame):
    text = page.to_markdown(frame, page.summarize(frame), 60)
    line = "| 0.8 | mean of the viewers | 50.0 | 56.0 | 90.0 | +6.0 (+6.0 to"
    assert line in text
    assert "From 0 to 0.8, MT − ST changes by +5.0 points" in text
    assert "| default profile | Vavg | 50.0 | 56.0 |" in text
    assert "| nan" not in text
