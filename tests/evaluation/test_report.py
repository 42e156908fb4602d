import json
import re

from emotion_mt.evaluation.report import write_report
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table
from emotion_mt.evaluation.templating import SCRIPT


def write(folder, corpus, records, **changed):
    tables = [build_table(SPECS["II"], records)]
    info = {"experiment": {"out": "runs/x"}, "failures": {}}
    info |= {"seconds": {"decode": 12.34}, **changed}
    return write_report(folder, corpus, tables, records, **info)


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


def test_report_says_what_was_done(written):
    for path in written.files[:2]:
        content = path.read_text().replace("\\", "")
        for said in (
            "SIMULATED DATA",
            "experienced valence",
            "INCOMPLETE: 1 job failed",
            "ValueError:",
            "must be &lt;small&gt;",
            "no rating at all",
            "no visual feature",
            "V2 has no trace for film B",
            "1 problem in the files of the corpus",
            "D/subtitle.srt: expected cues",
            "No rating in the training films: V2.",
            "training.l1",
            "1e-06, 1e-05",
            written.corpus.digest(),
            "12.3 s",
            "exact sign-flip test",
        ):
            assert said in content, (path.name, said)
        # What several fits reported is said once.
        note = "Early stopping had nothing to look at. (MT-V1+V2+V3"
        assert content.count(note) == 1
        assert "seed0 and 1 more)" in content


def test_single_rater_of_real_films(tmp_path, made_up_run, unpainted):
    corpus, records = made_up_run(viewers=("Expert",), simulated=False)
    page, text, *_ = write(tmp_path, corpus, records)
    content = page.read_text()
    assert "MT is left out: the corpus has one rater" in content
    assert 'class="sentence"' not in content
    assert "SIMULATED" not in content + text.read_text()


def test_same_results_leave_the_report_alone(tmp_path, made_up_run, unpainted):
    corpus, records = made_up_run(("Expert",), ("A", "B"), size=3)
    first = write(tmp_path, corpus, records)
    stamps = [path.stat().st_mtime_ns for path in first]
    assert write(tmp_path, corpus, records, seconds={"training": 0.1}) == first
    assert [path.stat().st_mtime_ns for path in first] == stamps
    assert "12.3 s" in first[0].read_text()

    # Another setting, a lost or broken file, another result: written anew.
    write(tmp_path, corpus, records, experiment={"out": "runs/y"})
    assert "runs/y" in first[0].read_text()
    first[-1].unlink()
    write(tmp_path, corpus, records, experiment={"out": "runs/y"})
    assert first[-1].exists()
    (tmp_path / "report.json").write_text("{")
    write(tmp_path, corpus, records, experiment={"out": "runs/y"})
    assert json.loads((tmp_path / "report.json").read_text())["files"]
    write(tmp_path, corpus, records[:-1], experiment={"out": "runs/y"})
    assert "finished jobs</dt><dd>1<" in first[0].read_text()
