import warnings

import matplotlib as mpl
import pytest

from emotion_mt.evaluation.figures import style


def test_wrapped_lines_fit_and_lose_nothing():
    text = "I know who rides with Theoden of Rohan, said incomprehensibilities"
    lines = style.wrap(text, 0.8, 7)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(style.text_width_in(line, 7) <= 0.8 for line in lines)
    short = style.wrap(text, 0.8, 7, max_lines=2)
    assert len(short) == 2
    assert short[-1].endswith("…")
    assert style.text_width_in(short[-1], 7) <= 0.8
    assert style.wrap("", 1, 7) == []
    # It ends where not even a letter fits, and soon for a very long text.
    assert style.wrap("abc", 0.001, 7) == ["a", "b", "c"]
    assert len(style.wrap("word " * 2000, 1.2, 7, max_lines=7)) == 7


def test_short_names_fit_differ_and_keep_both_ends():
    names = [f"participant_{i}@university.example" for i in range(12)]
    short = style.short_names([*names, "V1"], 1.0)
    assert len(set(short)) == 13
    assert short[-1] == "V1"
    assert short[3].startswith("4: ")
    widest = max(style.text_width_in(n, style.NORMAL_PT) for n in short)
    assert widest <= 1.1
    (name,) = style.short_names(["The Lord of the Rings: Return"], 1.0)
    first, last = name.split("…")
    assert first.startswith("The")
    assert last.endswith("rn")


def test_titles_name_simulated_data_and_lack_no_glyph():
    assert style.printable("a\n映\tb") == "a □ b"
    figure = style.new_figure(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        style.set_title(figure, "映画", simulated=False)
        figure.canvas.draw()
    assert "SIMULATED" not in figure.get_suptitle()
    style.set_title(figure, "a title", simulated=True)
    assert "SIMULATED DATA" in figure.get_suptitle()


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_files_repeat_whatever_the_users_style(tmp_path, suffix):
    @style.styled
    def draw():
        figure = style.new_figure(1.5)
        axes = figure.add_subplot()
        axes.plot([1, 2], label="costs $5 and $6_x")
        axes.legend()
        return figure

    contents = []
    for number, size in enumerate((10, 20)):
        path = tmp_path / f"{number}.{suffix}"
        with mpl.rc_context({"font.size": size, "axes.grid": True}):
            style.save(draw(), path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.png or \.pdf.*figure\.jpg"):
        style.save(style.new_figure(1.0), tmp_path / "figure.jpg")
