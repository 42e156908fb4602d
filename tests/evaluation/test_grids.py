import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.evaluation import grids, rendering
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.344, "12.34"), (-0.5, "-0.50"), (np.nan, "–"), (100.0, "100.00")],
)
def test_cell(value, text):
    assert grids.cell(value) == text


def test_cells_round_the_digits_of_the_csv_file():
    rng = np.random.default_rng(0)
    # Halves of the last digit, where rounding twice can differ.
    values = rng.integers(0, 10000, 2000) / 100 + 0.005 + rng.normal(0, 3e-5)
    for value in values:
        in_csv = float(f"{value:.{grids.CSV_DECIMALS}f}")
        assert grids.cell(value) == f"{in_csv:.2f}"


def test_papers_row_and_difference_stand_under_ours(record, few_draws):
    labels = {viewer: [1, 0] for viewer in paper.ALL_VIEWERS}
    answers = {viewer: [0.9, 0.1] for viewer in paper.ALL_VIEWERS}
    table = build_table(
        SPECS["II"], [record("F1", labels, answers, architecture="MT")]
    )
    lines = grids.grids(table)[0].lines
    names = [line.name for line in lines]
    place = names.index("MT")
    ours, theirs, difference = lines[place : place + 3]
    assert [line.kind for line in lines[place : place + 3]] == [
        grids.OURS,
        grids.PAPER,
        grids.DIFFERENCE,
    ]
    assert ours.cells == ("100.00",) * 9
    assert theirs.cells[:2] == ("67.60", "71.40")
    assert difference.cells[:2] == ("+32.40", "+28.60")
    assert theirs.cells[-1] == "73.61"


def test_blocks_without_numbers_are_left_out(record, few_draws):
    one = record("F1", {"V1": [1, 1]}, {"V1": [0.9, 0.9]})
    headings = [g.heading for g in grids.grids(build_table(SPECS["II"], [one]))]
    assert headings == ["Accuracy (%)"]


def test_comparison_has_its_own_block(two_viewer_records):
    table = build_table(SPECS["II"], two_viewer_records)
    block = grids.grids(table)[1]
    assert block.heading == "MT against ST"
    assert block.lines[0].name == "MT − ST (points)"
    assert block.lines[0].cells == ("25.000", "0.000", "12.500")
    assert block.lines[-1].cells[-1] == "–"
    assert rendering.markdown_grid(block)[0] == "|  | V1 | V2 | Mean |"
