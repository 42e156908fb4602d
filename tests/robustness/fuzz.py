"""Coverage-guided fuzzing of the readers of a corpus (Atheris).

Not part of `make test`. Needs `pip install atheris` (Python up to 3.13):

    python tests/robustness/fuzz.py traces CORPUS -max_total_time=240
    python tests/robustness/fuzz.py subtitles CORPUS -max_total_time=240
    python tests/robustness/fuzz.py manifests CORPUS -max_total_time=240

CORPUS is a folder for the inputs that reached new code; flags are those of
libFuzzer. A finding, which is an exception other than `CorpusError`, a result
that breaks the reader's promise or an input that takes more than two seconds,
ends the run and is written to a file `crash-…` or `timeout-…`. Put it into a
test of `tests/robustness` before mending the reader.
"""

import os
import re
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

READERS = [
    f"emotion_mt.corpus.{name}"
    for name in (
        *("manifest", "own", "subtitle_lines", "subtitles"),
        *("tables", "textfiles", "traces"),
    )
]

with atheris.instrument_imports(include=[*READERS, "pysubs2"]):
    from emotion_mt.corpus import CorpusError, load_corpus, read_features
    from emotion_mt.corpus.subtitles import read_subtitles
    from emotion_mt.corpus.textfiles import plain_line
    from emotion_mt.corpus.traces import read_trace

#: What would break a line or a terminal; blanks of other widths do not.
UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

SEEDS = {
    "traces": [
        b"time;note;valence\n0,5;x;0,1\n1,5;y;-1\n",
        b"0.00 0.5 -0.5\n0.04 0.5 -0.5\n",
        b"0\t1\t-1\r\n\r\n1 0 0",
    ],
    "manifests": [
        # The files of a manifest, and what may be beside it.
        b"segment_id,movie,start_s,end_s,text,video\na,A,0,1,Hi,\n%%"
        b"segment_id,viewer,value\na,V,0.5\n%%fold,movie,part\nF,A,test\n%%"
        b"segment_id,x\na,0.5\n",
        b'segment_id;movie;start_s;end_s;text;video\r\na;A;0;1,5;"Hi;";\r\n%%'
        b"sep=;\r\nsegment_id;viewer;value\r\na;V;-0,5\r\n",
    ],
    "subtitles": [
        b"1\n00:00:01,000 --> 00:00:02,000\n<i>One</i>\n\n"
        b"2\n00:00:03,000 --> 00:00:04,000\n42\n",
        b"WEBVTT\n\nname\n00:01.000 --> 00:02.000 line:0\nA <c>b</c> &amp;\n",
        b"[Script Info]\n\n[V4+ Styles]\n\n[Events]\nDialogue: "
        b"0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}T{\\p1}m 0{\\p0}\\N\n",
        b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n"
        b"00:01.000 --> 00:02.000\na\n\n00:02.000 --> 00:02.010\na\n\n"
        b"00:02.010 --> 00:03.000\na\nb\n",
        "\ufeff1\n00:00:01,000 --> 00:00:02,000\nOù\n".encode("utf-16"),
    ],
}


def check_trace(path: Path) -> None:
    """Reads a trace and checks what `read_trace` promises."""
    trace = read_trace(path)
    assert (trace.time_s[1:] > trace.time_s[:-1]).all()
    assert not (abs(trace.values) > 1).any()  # NaN: without arousal


def check_manifest(path: Path) -> None:
    """Reads a manifest and checks what `load_corpus` promises."""
    folder = path.parent
    names = ("segments", "annotations", "folds", "features")
    parts = path.read_bytes().split(b"%%", len(names) - 1)
    for name in names:
        (folder / f"{name}.csv").unlink(missing_ok=True)
    for name, part in zip(names, parts, strict=False):
        (folder / f"{name}.csv").write_bytes(part)
    corpus = load_corpus(folder, on_problem="skip")
    assert (abs(corpus.values[corpus.values == corpus.values]) <= 1).all()
    assert corpus.segments["video"].isna().all()
    for fold in corpus.own_folds:
        assert {*fold.train, *fold.test} <= set(corpus.movies)
    if found := read_features(folder, corpus):
        assert len(found[0]) == len(corpus)


def check_subtitles(path: Path) -> None:
    """Reads subtitles and checks what `read_subtitles` promises."""
    for cue in read_subtitles(path).usable:
        assert 0 <= cue.start_s < cue.end_s
        assert cue.text == plain_line(cue.text)


def main() -> None:
    """Fuzzes the reader that the first argument names."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    check = {
        "manifests": check_manifest,
        "subtitles": check_subtitles,
        "traces": check_trace,
    }[name]
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(seed)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    path = Path(tempfile.mkdtemp(dir=memory), "input")
    warnings.simplefilter("error")

    def one_input(data: bytes) -> None:
        path.write_bytes(data)
        problems: tuple[str, ...] = ()
        try:
            check(path)
        except CorpusError as error:
            problems = error.problems
        for problem in problems:
            assert str(path.parent) in problem
            assert not UNPRINTABLE.search(problem)
        assert not problems or "expected" in " ".join(problems)

    flags = [sys.argv[0], str(folder), "-timeout=2", *sys.argv[3:]]
    atheris.Setup(flags, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
