import warnings

import matplotlib as mpl
import pytest

from emotion_mt.evaluation.figures import style


def test_wrapped_lines_fit_and_lose_nothing():
    text = "I know who rides with Theoden of Rohan, said incomprehensibilities"
    lines = style.wrap(text, 0.8, 7)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(style.text_width_in(line, 7) <= 0.8 for line in lines)
    assert style.wrap("", 1, 7) == []


def test_too_many_lines_end_in_an_ellipsis():
    lines = style.wrap("one two three four five six seven", 0.5, 7, max_lines=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert style.text_width_in(lines[-1], 7) <= 0.5


def test_wrapping_ends_where_not_even_a_letter_fits():
    assert style.wrap("abc", 0.001, 7) == ["a", "b", "c"]


def test_short_names_fit_and_differ():
    names = [f"participant_{i}@university.example" for i in range(12)]
    short = style.short_names([*names, "V1"], 1.0)
    assert len(set(short)) == 13
    assert short[-1] == "V1"
    assert short[3].startswith("4: ")
    widest = max(style.text_width_in(n, style.NORMAL_PT) for n in short)
    assert widest <= 1.1


def test_short_names_keep_both_ends():
    (name,) = style.short_names(["The Lord of the Rings: Return"], 1.0)
    assert name.startswith("The")
    assert name.endswith("rn")
    assert "…" in name


def test_characters_without_a_glyph_become_boxes():
    assert style.printable("a\n映\tb") == "a □ b"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = style.new_figure(1.0)
        style.set_title(figure, "映画", simulated=False)
        figure.canvas.draw()


def test_simulated_data_are_called_so():
    figure = style.new_figure(1.0)
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
