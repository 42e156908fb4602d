"""Small predictions to draw."""

import math

import pandas as pd
import pytest


@pytest.fixture
def make_table():
    """Makes predictions out of [(start_s, end_s)] and viewer=probabilities."""

    def make(times, **viewers):
        table = pd.DataFrame(times, columns=["start_s", "end_s"]).assign(
            text=[f"cue {i}" for i in range(len(times))],
            **{f"{v}_probability": p for v, p in viewers.items()},
        )
        table.attrs["viewers"] = list(viewers)
        return table

    return make


@pytest.fixture
def predictions(make_table):
    """Two segments that touch and one apart; V2 has no answer to one."""
    return make_table(
        [(0.0, 2.0), (2.0, 3.0), (5.0, 8.0)],
        Vavg=[0.3, 0.4, 0.5],
        V1=[0.1, 0.9, 0.2],
        V2=[0.5, math.nan, 0.8],
    )


@pytest.fixture
def rated(make_table):
    """Four segments: right, wrong, not rated, not answered."""
    table = make_table(
        [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, 8.0)],
        Vavg=[0.9, 0.8, 0.7, math.nan],
    )
    return table.assign(Vavg_rating=[0.5, -1.0, math.nan, 0.5])
