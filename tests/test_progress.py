import io
import sys

import pytest

from emotion_mt import _progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand, in seconds."""
    now = [0.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_lines_now_and_then(clock, capsys):
    with _progress.progress("Work", 200, " pieces", initial=50) as bar:
        for second in range(1, 101):
            clock[0] = second
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Work: 80 of 200 pieces (40%) after 30 s, about 2 min 0 s left",
        "Work: 110 of 200 pieces (55%) after 1 min 0 s, about 1 min 30 s left",
        "Work: 140 of 200 pieces (70%) after 1 min 30 s, about 1 min 0 s left",
        "Work: 150 of 200 pieces (75%) after 1 min 40 s, about 50 s left",
    ]


def test_an_unknown_amount_and_long_times(clock, capsys):
    with _progress.progress("Work", 0, "pieces") as bar:
        clock[0] = 7260.0
        with bar.external_write_mode():
            bar.update(2)
    first, last = capsys.readouterr().err.splitlines()
    assert first == last == "Work: 2 pieces after 2 h 1 min"


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("stream", [Terminal, io.StringIO, lambda: None])
def test_a_terminal_gets_a_bar_and_what_is_hidden_nothing(
    stream, shown, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "stderr", opened := stream())
    with _progress.progress("Work", 2, " pieces", shown=shown) as bar:
        bar.update(2)
    assert capsys.readouterr().out == ""
    written = opened.getvalue() if opened else ""
    assert ("100%|" in written) == (shown and isinstance(opened, Terminal))
    assert ("\r" in written) == (shown and isinstance(opened, Terminal))
    assert bool(written) == (shown and opened is not None)


def test_uneven_pieces_in_a_log(clock, capsys):
    with _progress.progress("Work", 5, "jobs", initial=2, effort=6) as bar:
        clock[0] = 40.0
        bar.finish(4)
        clock[0] = 80.0
        bar.finish(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Work: 3 of 5 jobs (60%) after 40 s, about 20 s left",
        "Work: 4 of 5 jobs (80%) after 1 min 20 s, about 16 s left",
        "Work: 4 of 5 jobs (80%) after 1 min 20 s, about 16 s left",
    ]


def test_uneven_pieces_in_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with _progress.progress("Work", 5, "jobs", initial=2, effort=6) as bar:
        assert "?" in str(bar)
        bar.start_t -= 40.0
        bar.finish(4)
        # tqdm alone would expect 80 s.
        assert "[00:40<00:20," in str(bar)
        bar.finish(1)
        bar.finish(1)
        assert "[00:40<00:00," in str(bar)
