import csv
import io

import numpy as np
import pytest

from emotion_mt.evaluation import figures, rendering
from emotion_mt.evaluation.specs import table2_spec
from emotion_mt.evaluation.tables import build_table


def table2(records):
    return build_table(table2_spec(), records)


def test_markdown_shows_the_numbers_of_the_table(two_viewer_records):
    text = rendering.to_markdown(table2(two_viewer_records))
    assert "| **ST** | 62.50 | 75.00 | 68.75 |" in text
    assert "| **MT** | 87.50 | 75.00 | 81.25 |" in text
    assert "SIMULATED" not in text


def test_simulated_results_say_so_everywhere(record):
    one = record("F1", {"V1": [1, 0]}, {"V1": [1.0, 0.0]}, simulated=True)
    table = table2([one])
    assert "SIMULATED DATA" in rendering.to_markdown(table)
    rows = list(csv.DictReader(io.StringIO(rendering.to_csv(table))))
    assert {row["simulated"] for row in rows} == {"True"}


def test_csv_and_table_hold_the_same_numbers(two_viewer_records):
    table = table2(two_viewer_records)
    rows = list(csv.DictReader(io.StringIO(rendering.to_csv(table))))
    for measure, frame in table.measures.items():
        for name in frame.index:
            (found,) = [
                row
                for row in rows
                if (row["row"], row["measure"]) == (name, measure)
            ]
            values = [float(found[c] or "nan") for c in frame.columns]
            np.testing.assert_allclose(values, frame.loc[name], atol=5e-5)


def test_comparison_is_in_the_csv_file(two_viewer_records):
    table = table2(two_viewer_records)
    rows = list(csv.DictReader(io.StringIO(rendering.to_csv(table))))
    found = {r["measure"]: r for r in rows if r["row"] == "MT - ST"}
    # MT - ST: V1 +25, V2 0, mean +12.5 (see test_tables.py).
    assert [float(found["difference"][c]) for c in ("V1", "V2", "Mean")] == [
        25,
        0,
        12.5,
    ]
    assert float(found["p"]["V1"]) == 0.5
    assert found["p_holm"]["Mean"] == ""


def test_terminal_text_has_aligned_columns(two_viewer_records):
    lines = rendering.to_text(table2(two_viewer_records)).splitlines()
    (st,) = [line for line in lines if line.startswith("ST")]
    (mt,) = [line for line in lines if line.startswith("MT ")]
    assert st.split() == ["ST", "62.50", "75.00", "68.75"]
    assert [i for i, c in enumerate(st) if c == "."] == [
        i for i, c in enumerate(mt) if c == "."
    ]
    assert "*" not in "".join(lines)


def test_names_are_neither_markdown_nor_html(record):
    viewer = "<b>a|b*c_d</b>"
    table = table2([record("F1", {viewer: [1, 0]}, {viewer: [1.0, 0.0]})])
    text = rendering.to_markdown(table)
    assert r"&lt;b&gt;a\|b\*c\_d&lt;/b&gt;" in text
    assert "<b>" not in text
    assert viewer in rendering.to_text(table)


def test_undefined_cells_are_dashes_not_numbers(record):
    labels = {"V1": [1, 1], "V2": [None, None]}
    answers = {"V1": [0.9, 0.1], "V2": [0.9, 0.1]}
    table = table2([record("F1", labels, answers, architecture="MT")])
    assert "| **MT** | 50.00 | – | 50.00 |" in rendering.to_markdown(table)
    assert "nan" not in rendering.to_markdown(table).lower()
    assert "nan" not in rendering.to_csv(table).lower()


def test_written_files_repeat_byte_for_byte(tmp_path, two_viewer_records):
    contents = []
    for name in ("one", "two"):
        table = table2(two_viewer_records)
        paths = rendering.write_table(tmp_path / name, "table2", table)
        figures.save_comparison(tmp_path / name / "table2.png", table)
        paths.append(tmp_path / name / "table2.png")
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == [
        "table2.csv",
        "table2.md",
        "table2.png",
        "table2.tex",
    ]


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_figure_is_written(tmp_path, two_viewer_records, suffix):
    path = tmp_path / f"figure.{suffix}"
    figures.save_comparison(path, table2(two_viewer_records))
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF")
