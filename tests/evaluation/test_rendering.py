"""Tables as files: one set of numbers in every format."""

import csv
import html.parser
import io
import re
import shutil
import subprocess

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.evaluation import rendering
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


def table2(records):
    return build_table(SPECS["II"], records)


def csv_rows(table):
    return list(csv.DictReader(io.StringIO(rendering.to_csv(table))))


class Tables(html.parser.HTMLParser):
    """Cells of all tables of scores of a page by heading and name."""

    def __init__(self, page):
        super().__init__()
        self.found, self._heading, self._row, self._text = {}, "", [], None
        self._scores = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self._scores = ("class", "grid") in attrs
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th", "h3"):
            self._text = ""

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._row.append(self._text)
            self._text = None
        elif tag == "h3":
            self._heading, self._text = self._text, None
        elif tag == "tr" and self._scores and self._row[0]:
            self.found[self._heading, self._row[0]] = self._row[1:]


def read_markdown(text):
    """Cells of all tables by heading and name."""
    heading, found = "", {}
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| *"):
            name, *cells = line.strip("| ").replace("*", "").split(" | ")
            found[heading, name] = cells
    return found


def read_latex(text):
    """Cells of all tables by heading and name, LaTeX taken off."""
    text = re.sub(r"\\textit\{([^}]*)\}", r"\1", text)
    signs = {r"$\times$": "×", "$-$": "-", "$+$": "+", r"\%": "%", "--": "–"}
    for latex, plain in signs.items():
        text = text.replace(latex, plain)
    heading, found = "", {}
    for line in text.splitlines():
        if line.startswith(r"\caption"):
            heading = line.rpartition(": ")[2].rstrip("}")
        elif " & " in line and not line.startswith(" &"):
            name, *cells = line.removesuffix(r" \\").split(" & ")
            found[heading, name] = cells
    # LaTeX has one sign for both.
    return {(h, n.replace(" - ", " − ")): c for (h, n), c in found.items()}


def expected_from_csv(table):
    """(heading, row) -> texts that a rendering of the csv file must show."""
    comparison = rendering.COMPARISON_NAMES
    shown = {}
    for row in csv_rows(table):
        measure, name = row["measure"], row["row"]
        values = [row[c] for c in table.rows.columns]
        if measure == "sd_seeds" and not any(values):
            continue

        def texts(form, values=values):
            return [f"{float(v):{form}}" if v else "–" for v in values]

        key = measure.removeprefix("balanced_accuracy_")
        if key not in comparison:
            name += ", paper" if row["source"] == "paper" else ""
            shown[rendering.HEADINGS[measure], name] = texts(".2f")
            continue
        of = "accuracy" if key == measure else "balanced accuracy"
        ours, other = name.split(" - ")
        long = comparison[key].format(ours=ours, other=other)
        shown[f"{ours} against {other}, {of}", long] = texts(".3f")
        if key == "difference":
            heading = f"{of.capitalize()} (%)"
            shown[heading, f"{ours} − {other}"] = texts("+.2f")
    return shown


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("report.html", lambda page: Tables(page).found),
        ("report.md", read_markdown),
        ("table2.md", read_markdown),
        ("table2.tex", read_latex),
    ],
)
def test_every_file_shows_the_numbers_of_the_csv_file(written, name, read):
    expected = expected_from_csv(written.table)
    shown = read((written.folder / name).read_text())
    assert len(expected) > 35
    assert {key: shown.get(key) for key in expected} == expected
    # Nothing else is shown but the differences to the paper's rows.
    headings = {heading for heading, _ in expected}
    others = [n for h, n in shown if h in headings and (h, n) not in expected]
    assert len(others) == 5
    assert all(name.endswith(", difference") for name in others)


def test_csv_and_table_hold_the_same_numbers(two_viewer_records):
    table = table2(two_viewer_records)
    rows = {(row["row"], row["measure"]): row for row in csv_rows(table)}
    for measure, frame in table.measures.items():
        for name in frame.index:
            found = rows[name, measure]
            values = [float(found[c] or "nan") for c in frame.columns]
            np.testing.assert_allclose(values, frame.loc[name], atol=5e-5)
    # MT - ST: V1 +25, V2 0, mean +12.5 (see test_tables.py).
    difference = rows["MT - ST", "difference"]
    assert [float(difference[c]) for c in ("V1", "V2", "Mean")] == [25, 0, 12.5]
    assert rows["MT - ST", "p_holm"]["Mean"] == ""
    assert list(difference)[:4] == ["row", "source", "measure", "simulated"]


def test_papers_row_and_difference_stand_under_ours(record):
    labels = {viewer: [1, 0] for viewer in paper.ALL_VIEWERS}
    answers = {viewer: [0.9, 0.1] for viewer in labels}
    one = record("F1", labels, answers, architecture="MT", simulated=True)
    table = table2([one])
    lines = rendering.to_markdown(table).splitlines()
    place = next(i for i, s in enumerate(lines) if s.startswith("| **MT**"))
    ours, theirs, difference = lines[place : place + 3]
    assert ours.count("100.00") == 9
    assert theirs.startswith("| *MT, paper* | *67.60* | *71.40* |")
    assert theirs.endswith("| *73.61* |")
    assert difference.startswith("| *MT, difference* | +32.40 | +28.60 |")
    latex = rendering.to_latex(table)
    assert r"\textit{MT, paper} & \textit{67.60} & \textit{71.40}" in latex
    assert r"MT, difference & $+$32.40 &" in latex
    assert r"\caption{SIMULATED DATA. Table II." in latex


def test_accuracy_and_balanced_accuracy_stand_before_the_notes(
    two_viewer_records,
):
    table = table2(two_viewer_records)
    text = rendering.to_text(table)
    headings = [text.index(h) for h in ("\nAccuracy (%)", "\nBalanced acc")]
    assert headings == sorted(headings)
    assert headings[1] < text.index("- In accuracy, MT is ahead of ST by 12.5")
    lines = text.splitlines()
    found = [line.split()[3:] for line in lines if line.startswith("MT − ST")]
    expected = ("+25.00 +0.00 +12.50", "+25.00 -50.00 -12.50")
    assert found == [numbers.split() for numbers in expected]
    # Columns are aligned, within a block and between the two.
    dots = [
        [i for i, letter in enumerate(line) if letter == "."]
        for line in lines
        if line.startswith(("ST ", "MT "))
    ]
    assert len(dots) == 6
    assert all(places == dots[0] for places in dots)
    markdown = rendering.to_markdown(table)
    assert markdown.index("## Balanced") < markdown.index("- In accuracy")
    assert "**" not in text


def test_cells_round_the_digits_of_the_csv_file():
    rng = np.random.default_rng(0)
    # Halves of the last digit, where rounding twice can differ.
    values = rng.integers(0, 10000, 2000) / 100 + 0.005 + rng.normal(0, 3e-5)
    for value in values:
        in_csv = float(f"{value:.{rendering.CSV_DECIMALS}f}")
        assert rendering.number(value) == f"{in_csv:.2f}"


def test_undefined_cells_are_dashes_not_numbers(record):
    labels = {"V1": [1, 1], "V2": [None, None]}
    answers = {"V1": [0.9, 0.1], "V2": [0.9, 0.1]}
    table = table2([record("F1", labels, answers, architecture="MT")])
    text = rendering.to_markdown(table)
    assert "| **MT** | 50.00 | – | 50.00 |" in text
    # One class only: a block without a number is left out.
    assert "## Balanced" not in text
    for rendered in (text, rendering.to_csv(table), rendering.to_latex(table)):
        assert "nan" not in rendered.lower()
    # So far, only a job has ended whose viewer did not rate the film.
    table = table2([record("F1", {"V2": [None]}, {"V2": [0.5]})])
    assert rendering.to_text(table).count("ST  –    –") == 1
    assert "| **ST** | – | – |" in rendering.to_markdown(table)


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_results_say_so_everywhere(record, simulated):
    answers = {"V1": [1.0, 0.0]}
    one = record("F1", {"V1": [1, 0]}, answers, simulated=simulated)
    table = table2([one])
    for name in ("to_markdown", "to_text", "to_latex"):
        text = getattr(rendering, name)(table)
        assert ("SIMULATED DATA" in text) == simulated
    assert {row["simulated"] for row in csv_rows(table)} == {str(simulated)}


SPECIAL = "a_b & 50% $5 #1 {x} ~^\\ <i> [2] c|d*"


def test_names_are_no_markup_anywhere(record, tmp_path):
    table = table2([record("F1", {SPECIAL: [1, 0]}, {SPECIAL: [0.9, 0.1]})])
    latex = rendering.to_latex(table)
    assert (
        r"a\_b \& 50\% \$5 \#1 \{x\} \textasciitilde{}\textasciicircum{}"
        r"\textbackslash{} \textless{}i\textgreater{} [2] c\textbar{}d*"
    ) in latex
    markdown = rendering.to_markdown(table)
    assert r"~^\\ &lt;i&gt; \[2\] c\|d\*" in markdown
    assert "<i>" not in markdown
    assert SPECIAL in rendering.to_text(table)
    if not shutil.which("pdflatex"):
        pytest.skip("no LaTeX here that could be asked")
    source = rf"\documentclass{{article}}\begin{{document}}{latex}"
    (tmp_path / "t.tex").write_text(rf"{source}\end{{document}}", "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error"]
    subprocess.run([*command, "t.tex"], cwd=tmp_path, check=True)


def test_written_files_repeat_and_can_be_removed(tmp_path, two_viewer_records):
    contents = []
    for name in ("one", "two"):
        table = table2(two_viewer_records)
        paths = rendering.write_table(tmp_path / name, "table2", table)
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["table2.csv", "table2.md", "table2.tex"]
    rendering.remove_table(tmp_path / "one", "table2")
    rendering.remove_table(tmp_path / "one", "table2")
    assert not list((tmp_path / "one").iterdir())
