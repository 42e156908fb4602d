"""Coverage-guided fuzzing of the trace and subtitle readers (Atheris).

Not part of `make test`. Needs `pip install atheris` (Python up to 3.13):

    python tests/robustness/fuzz.py traces CORPUS -max_total_time=240
    python tests/robustness/fuzz.py subtitles CORPUS -max_total_time=240

CORPUS is a folder for the inputs that reached new code; flags are those of
libFuzzer. A finding, which is an exception other than `CorpusError`, a result
that breaks the reader's promise or an input that takes more than two seconds,
ends the run and is written to a file `crash-…` or `timeout-…`. Put it into a
test of `tests/robustness` before mending the reader.
"""

import os
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

READERS = [
    f"emotion_mt.corpus.{name}"
    for name in ("subtitle_blocks", "subtitles", "textfiles", "traces")
]

with atheris.instrument_imports(include=[*READERS, "pysubs2"]):
    from emotion_mt.corpus import CorpusError
    from emotion_mt.corpus.subtitles import read_subtitles
    from emotion_mt.corpus.textfiles import plain_line
    from emotion_mt.corpus.traces import read_trace

SEEDS = {
    "traces": [b"0.00 0.5 -0.5\n0.04 0.5 -0.5\n", b"0\t1\t-1\r\n\r\n1 0 0"],
    "subtitles": [
        b"1\n00:00:01,000 --> 00:00:02,000\n<i>One</i>\n\n"
        b"2\n00:00:03,000 --> 00:00:04,000\n42\n",
        b"WEBVTT\n\nname\n00:01.000 --> 00:02.000 line:0\nA <c>b</c> &amp;\n",
        b"[Script Info]\n\n[V4+ Styles]\n\n[Events]\nDialogue: "
        b"0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}T{\\p1}m 0{\\p0}\\N\n",
        "\ufeff1\n00:00:01,000 --> 00:00:02,000\nOù\n".encode("utf-16"),
    ],
}


def check_trace(path: Path) -> None:
    """Reads a trace and checks what `read_trace` promises."""
    trace = read_trace(path)
    assert (trace.time_s[1:] > trace.time_s[:-1]).all()
    assert (abs(trace.values) <= 1).all()


def check_subtitles(path: Path) -> None:
    """Reads subtitles and checks what `read_subtitles` promises."""
    for cue in read_subtitles(path).usable:
        assert 0 <= cue.start_s < cue.end_s
        assert cue.text == plain_line(cue.text)


def main() -> None:
    """Fuzzes the reader that the first argument names."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    check = {"traces": check_trace, "subtitles": check_subtitles}[name]
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(seed)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    path = Path(tempfile.mkdtemp(dir=memory), "input")
    warnings.simplefilter("error")

    def one_input(data: bytes) -> None:
        path.write_bytes(data)
        try:
            check(path)
        except CorpusError as error:
            for problem in error.problems:
                assert str(path) in problem
                assert "expected" in problem
                assert problem.isprintable()

    flags = [sys.argv[0], str(folder), "-timeout=2", *sys.argv[3:]]
    atheris.Setup(flags, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
