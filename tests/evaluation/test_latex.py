import csv
import io
import re
import shutil
import subprocess

import pytest

from emotion_mt import paper
from emotion_mt.evaluation import latex, rendering
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


def numbers(text):
    """Name and cells of each line of all tabulars, LaTeX taken off."""
    lines = []
    for line in text.splitlines():
        if " & " in line and line.endswith(r" \\"):
            plain = re.sub(r"\\textit\{([^}]*)\}", r"\1", line[:-3])
            plain = plain.replace("$", "").replace("--", "")
            lines.append(plain.split(" & "))
    return lines


def test_numbers_are_those_of_the_csv_file(two_viewer_records):
    table = build_table(SPECS["II"], two_viewer_records)
    (first, *_) = latex.to_latex(table).split(r"\end{table*}")
    heading, *lines = numbers(first)
    assert heading == ["", "V1", "V2", "Mean"]
    rows = csv.DictReader(io.StringIO(rendering.to_csv(table)))
    expected = [
        [row["row"], *(f"{float(row[c]):.2f}" for c in ("V1", "V2", "Mean"))]
        for row in rows
        if row["measure"] == "accuracy"
    ]
    assert lines == expected


def test_published_rows_are_in_italics(record, few_draws):
    labels = {viewer: [1, 0] for viewer in paper.ALL_VIEWERS}
    answers = {viewer: [0.9, 0.1] for viewer in paper.ALL_VIEWERS}
    one = record("F1", labels, answers, architecture="MT", simulated=True)
    text = latex.to_latex(build_table(SPECS["II"], [one]))
    assert r"\textit{MT, paper} & \textit{67.60} & \textit{71.40}" in text
    assert r"MT, difference & $+$32.40 &" in text
    assert r"\caption{SIMULATED DATA. Table II." in text


def test_special_characters_are_escaped():
    text = latex.escape("a_b & 50% of $5 #1 {x} ~^\\ <i>\n–")
    assert text == (
        r"a\_b \& 50\% of \$5 \#1 \{x\} \textasciitilde{}"
        r"\textasciicircum{}\textbackslash{} \textless{}i\textgreater{} --"
    )


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX here")
def test_latex_accepts_it(tmp_path, record, few_draws):
    viewer = "a_b & 50% $5 #1 {x} ~^\\ <i> [2]"
    one = record("F1", {viewer: [1, 0]}, {viewer: [0.9, 0.1]})
    body = latex.to_latex(build_table(SPECS["II"], [one]))
    source = (
        rf"\documentclass{{article}}\begin{{document}}{body}\end{{document}}"
    )
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
