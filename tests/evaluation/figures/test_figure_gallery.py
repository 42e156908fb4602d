from emotion_mt.evaluation import figures
from emotion_mt.evaluation.specs import SPECS
from emotion_mt.evaluation.tables import build_table


def test_all_figures_are_written(tmp_path, made_up_run, film):
    corpus, records = made_up_run(movies=("A",), video=str(film))
    tables = [build_table(SPECS["II"], records)]
    drawings = figures.save_all(tmp_path, corpus, tables, records)
    contents = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    stems = [
        "accuracies-table-II",
        "difference-table-II",
        "figure3",
        "figure4",
        "figure5a",
        "timeline",
        "training-curves",
    ]
    assert [d.stem for d in drawings] == stems
    assert set(contents) == {f"{s}.{e}" for s in stems for e in ("png", "pdf")}
    for name, content in contents.items():
        magic = b"\x89PNG" if name.endswith("png") else b"%PDF"
        assert content.startswith(magic)
    assert [d.table for d in drawings[:3]] == ["II", "II", ""]
    assert all(d.caption and d.title for d in drawings)


def test_files_repeat(tmp_path, made_up_run, film):
    contents = []
    for name in ("one", "two"):
        corpus, records = made_up_run(video=str(film), missing=0.2)
        predictions = figures.choose_predictions(records)
        drawing = figures.draw_strip(corpus, predictions, "B")
        paths = [tmp_path / f"{name}{suffix}" for suffix in (".png", ".pdf")]
        figures.save(drawing.figure, *paths)
        counts = tmp_path / f"{name}-counts.pdf"
        figures.save(figures.draw_counts(corpus).figure, counts)
        contents.append([path.read_bytes() for path in (*paths, counts)])
    assert contents[0] == contents[1]


def test_without_records_the_corpus_is_drawn(tmp_path, made_up_run):
    corpus, _ = made_up_run(viewers=("Expert",))
    drawings = figures.save_all(tmp_path, corpus, [], [])
    assert [d.stem for d in drawings] == ["figure4"]
