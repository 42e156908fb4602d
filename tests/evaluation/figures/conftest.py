"""What all tests of figures need: an eye for illegible text."""

import itertools

import cv2
import numpy as np
import pytest
from matplotlib.text import Text

#: Names that are too long for any axis, and one with signs that mean things.
LONG_VIEWERS = (
    *(f"participant_{i:02d}.lastname@university.example" for i in range(11)),
    "costs $5 & <b>more</b> $6",
    "Vavg",
)
LONG_FILMS = tuple(f"The very long title of film number {i}" for i in range(7))


def shown_texts(figure):
    """All texts that are drawn: those of ticks only inside the axes."""
    figure.canvas.draw()
    labels, hidden = set(), set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                pair = {tick.label1, tick.label2}
                labels |= pair
                if not (axes.axison and low <= tick.get_loc() <= high):
                    hidden |= pair
    return [
        text
        for text in figure.findobj(Text)
        if text not in hidden and text.get_visible() and text.get_text().strip()
    ]


def assert_legible(figure):
    """No text leaves the figure, and no two texts lie on each other."""
    renderer = figure.canvas.get_renderer()
    width, height = figure.bbox.width, figure.bbox.height
    boxes = {}
    for text in shown_texts(figure):
        box = boxes[text] = text.get_window_extent(renderer)
        where = (text.get_text(), box)
        assert min(box.x0, box.y0) >= -1, where
        assert max(box.x1 - width, box.y1 - height) <= 1, where
    for one, other in itertools.combinations(boxes, 2):
        a, b = boxes[one], boxes[other]
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, down) < 1, (one.get_text(), other.get_text())
    assert boxes


@pytest.fixture
def legible():
    """The function `assert_legible`."""
    return assert_legible


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A film whose frame n has grey level n (150 frames, 25 per second)."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), codec, 25, (64, 36))
    for number in range(150):
        writer.write(np.full((36, 64, 3), number, np.uint8))
    writer.release()
    return path


@pytest.fixture
def long_names():
    """Arguments of `made_up_run`: 12 viewers and 7 films with long names."""
    return {"viewers": LONG_VIEWERS, "movies": LONG_FILMS}
