import csv
import html.parser
import io
import json
import re

import pytest

from emotion_mt import paper
from emotion_mt.evaluation import rendering, report
from emotion_mt.evaluation.figures import Picture
from emotion_mt.evaluation.grids import COMPARISON_NAMES, MEASURE_NAMES
from emotion_mt.evaluation.grids import SPREAD_NAMES as SPREADS
from emotion_mt.evaluation.report_content import RunInfo
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table
from emotion_mt.evaluation.timeline import SCRIPT

pytestmark = pytest.mark.usefixtures("few_draws")

INFO = RunInfo(
    experiment={"out": "runs/x", "training": {"l1": [1e-06, 1e-05]}},
    failures={"ST-text-F9": "ValueError: `x` must be <small>"},
    seconds={"decode": 12.34, "training": 5.0},
)


class Tables(html.parser.HTMLParser):
    """Texts of all tables of a page, with the heading above each."""

    def __init__(self):
        super().__init__()
        self.found, self._heading, self._text = [], "", None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.found.append((self._heading, []))
        elif tag == "tr":
            self.found[-1][1].append([])
        elif tag in ("td", "th", "h3"):
            self._text = ""

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.found[-1][1][-1].append(self._text)
            self._text = None
        elif tag == "h3":
            self._heading, self._text = self._text, None


def write(folder, corpus, records, info=INFO, specs=("II",)):
    tables = [build_table(SPECS[number], records) for number in specs]
    for number, table in zip(specs, tables, strict=True):
        rendering.write_table(folder, SPECS[number].file_stem, table)
    return report.write_report(folder, corpus, tables, records, info)


@pytest.fixture
def drawn_once(monkeypatch):
    """Leaves out the drawing of figures where a test is about texts."""

    def save_all(folder, corpus, tables, records):
        folder.mkdir(parents=True, exist_ok=True)
        png = folder / "figure4.png"
        png.write_bytes(b"\x89PNG")
        png.with_suffix(".pdf").write_bytes(b"%PDF")
        return [Picture("Figure 4", "What is seen.", png, "", None, 100)]

    monkeypatch.setattr(report.figures, "save_all", save_all)


def expected_from_csv(path):
    """(heading, row) -> texts that a rendering of the csv file must show."""
    headings = {"accuracy": "Accuracy (%)", **MEASURE_NAMES}
    headings |= {f"sd_{name}": text for name, text in SPREADS.items()}
    shown = {}
    for row in csv.DictReader(io.StringIO(path.read_text())):
        columns = list(row)[4:]
        measure, name = row["measure"], row["row"]
        digits, heading = 2, headings.get(measure)
        if measure in COMPARISON_NAMES:
            ours, other = name.split(" - ")
            heading, digits = f"{ours} against {other}", 3
            name = COMPARISON_NAMES[measure].format(ours=ours, other=other)
        elif row["source"] == "paper":
            name += ", paper"
        texts = [
            f"{float(row[c]):.{digits}f}" if row[c] else "–" for c in columns
        ]
        if measure == "sd_seeds" and set(texts) == {"–"}:
            continue
        shown[heading, name] = texts
    return shown


def test_html_shows_the_numbers_of_the_csv_file(
    tmp_path, made_up_run, drawn_once
):
    corpus, records = made_up_run(viewers=paper.ALL_VIEWERS)
    page, *_ = write(tmp_path, corpus, records)
    expected = expected_from_csv(tmp_path / "table2.csv")
    parser = Tables()
    parser.feed(page.read_text())
    shown = {
        (heading, name): cells
        for heading, rows in parser.found
        for name, *cells in rows
        if heading in {above for above, _ in expected} and name
    }
    assert len(expected) > 20
    assert {key: shown.get(key) for key in expected} == expected
    # Nothing else is shown but the differences to the paper's rows.
    others = [name for h, name in shown if (h, name) not in expected]
    assert all(name.endswith(", difference") for name in others)


def test_markdown_shows_the_numbers_of_the_csv_file(
    tmp_path, made_up_run, drawn_once
):
    corpus, records = made_up_run()
    _, text, *_ = write(tmp_path, corpus, records)
    heading, shown = "", {}
    for line in text.read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            name, *cells = line.strip("| ").replace("*", "").split(" | ")
            shown[heading, name] = cells
    expected = expected_from_csv(tmp_path / "table2.csv")
    assert {key: shown.get(key) for key in expected} == expected


def test_texts_of_others_are_escaped(hostile_report):
    for path in hostile_report.files[:2]:
        content = path.read_text().replace(f"<script>{SCRIPT}</script>", "")
        assert "<script" not in content
        assert "<img src=x" not in content
        assert "&lt;script&gt;" in content
    # Subtitles (in the strip's table), viewers, film, job, path and part.
    page = hostile_report.files[0].read_text()
    assert page.count("dataset.evil") > 20


def test_report_needs_nothing_else(hostile_report):
    page, text, *figures = hostile_report.files
    content = page.read_text()
    assert "http://" not in content
    assert "https://" not in content
    sources = re.findall(r'<img src="([^"]{22})', content)
    assert set(sources) == {"data:image/png;base64,"}
    # The seventh is the timeline.
    assert len(sources) + content.count('class="chart') == 7
    assert len(figures) == 14
    assert 'name="viewport"' in content
    # The Markdown report names the same pictures by their path.
    linked = re.findall(r"!\[.*?\]\((figures/[^)]+)\)", text.read_text())
    assert len(linked) == 7
    assert all((hostile_report.folder / name).is_file() for name in linked)


def test_report_says_what_was_done(tmp_path, made_up_run, drawn_once):
    corpus, records = made_up_run()
    corpus = corpus.replace(notes=("V2 has no trace for film B",))
    paths = write(tmp_path, corpus, records)
    for path in paths[:2]:
        content = path.read_text()
        for said in (
            "SIMULATED DATA",
            "experienced valence",
            "INCOMPLETE: 1 job failed",
            "ValueError:",
            "must be &lt;small&gt;",
            "no rating at all",
            "no visual feature",
            "V2 has no trace for film B",
            "training.l1",
            "1e-06, 1e-05",
            corpus.digest(),
            "12.3 s",
            "exact sign-flip test",
        ):
            assert said in content.replace("\\", ""), (path.name, said)


def test_what_fits_and_files_reported_is_said_once(
    tmp_path, made_up_run, drawn_once
):
    corpus, records = made_up_run()
    corpus = corpus.replace(problems=("D/subtitle.srt: expected cues",))
    for record in records[:2]:
        record["fit"]["notes"] = ["Early stopping had nothing to look at."]
    records[0]["fit"]["untrained_viewers"] = ["V2"]
    for path in write(tmp_path, corpus, records)[:2]:
        content = path.read_text()
        note = "Early stopping had nothing to look at. (MT-V1+V2+Vavg-F1-seed0"
        assert content.count(note) == 1
        assert "seed0 and 1 more)" in content
        assert "No rating in the training films: V2." in content
        assert "1 problem in the files of the corpus" in content
        assert "D/subtitle.srt: expected cues" in content


def test_real_data_are_not_called_simulated(tmp_path, made_up_run, drawn_once):
    corpus, records = made_up_run(simulated=False)
    for path in write(tmp_path, corpus, records)[:2]:
        assert "SIMULATED" not in path.read_text()


def test_single_rater_has_a_report_without_a_comparison(
    tmp_path, made_up_run, drawn_once
):
    corpus, records = made_up_run(viewers=("Expert",))
    page, *_ = write(tmp_path, corpus, records)
    content = page.read_text()
    assert "MT is left out: the corpus has one rater" in content
    assert 'class="sentence"' not in content


def test_same_results_leave_the_report_alone(tmp_path, made_up_run, drawn_once):
    corpus, records = made_up_run()
    first = write(tmp_path, corpus, records)
    stamps = [path.stat().st_mtime_ns for path in first]
    later = RunInfo(INFO.experiment, INFO.failures, {"training": 0.1})
    assert write(tmp_path, corpus, records, later) == first
    assert [path.stat().st_mtime_ns for path in first] == stamps
    assert "12.3 s" in first[0].read_text()

    # Another result, another setting, a lost or broken file: written anew.
    changed = RunInfo({"out": "runs/y"}, INFO.failures, INFO.seconds)
    write(tmp_path, corpus, records, changed)
    assert "runs/y" in first[0].read_text()
    first[-1].unlink()
    write(tmp_path, corpus, records, changed)
    assert first[-1].exists()
    (tmp_path / "report.json").write_text("{")
    write(tmp_path, corpus, records, changed)
    assert json.loads((tmp_path / "report.json").read_text())["files"]
    write(tmp_path, corpus, records[:-1], changed)
    assert "finished jobs</dt><dd>11" in first[0].read_text()
