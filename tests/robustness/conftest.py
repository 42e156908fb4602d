"""Corpora of one film in all three layouts, and how many cases to try."""

import json
import os
from pathlib import Path

import hypothesis
import pytest

#: Cases per property: few in `make test`, 10,000 with EMOTION_MT_CASES=10000.
#: (docs/robustness.md has the command.)
CASES = int(os.environ.get("EMOTION_MT_CASES", "25"))

hypothesis.settings.register_profile(
    "robustness",
    max_examples=CASES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.filter_too_much,
        hypothesis.HealthCheck.data_too_large,
    ],
)

#: What `load_corpus` reads, and how each layout names its parts.
LAYOUTS = ("released", "folder per film", "manifest")

TRACE = "".join(f"{i / 10:.1f} 0.5 -0.5\n" for i in range(101))
SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:02,000\nOne\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\nTwo\n"
)


class Films:
    """Writes a corpus of one good film, BMI, and lets tests spoil a part.

    Args:
        root: The folder.
        layout: One of `LAYOUTS`.
    """

    def __init__(self, root, layout):
        self.root = Path(root)
        self.layout = layout
        self.root.mkdir(parents=True)
        if layout == "manifest":
            self.segments = self.root / "segments.csv"
            self.annotations = self.root / "annotations.csv"
            self.video = self.root / "a film.avi"
            self.write_segments([("s1", 1, 2, "One"), ("s2", 3, 4, "Two")])
            self.annotations.write_text(
                "segment_id,viewer,value\ns1,V1,0.5\ns2,V1,0.5\n"
            )
            return
        if layout == "released":
            traces = self.root / "Emotion Annotation" / "experienced"
            self.subtitles = self.root / "Subtitles" / "BMI.srt"
            self.video = self.root / "Data" / "2002BMI" / "BMI.avi"
            self.name = "subj{}_{}_BeautifulMind.dat"
        else:
            traces = self.root / "BMI" / "emotion"
            self.subtitles = self.root / "BMI" / "text" / "subtitle.srt"
            self.video = self.root / "BMI" / "video.avi"
            self.name = "subj{}_{}.dat"
        self.traces = traces
        for folder in (traces, self.subtitles.parent, self.video.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.trace().write_text(TRACE)
        self.subtitles.write_text(SUBTITLES)

    def trace(self, subject=1, take=1):
        """Path of a viewer's trace."""
        return self.traces / self.name.format(subject, take)

    def write_segments(self, rows, video=""):
        """Writes a manifest's segments from (id, start, end, text)."""
        lines = ["segment_id,movie,start_s,end_s,text,video"]
        for id_, start, end, text in rows:
            cell = text.replace('"', '""')
            lines.append(f'{id_},BMI,{start},{end},"{cell}",{video}')
        self.segments.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(params=LAYOUTS)
def films(request, tmp_path):
    """A good film in each layout."""
    return Films(tmp_path / "films", request.param)


@pytest.fixture(params=LAYOUTS[:2])
def cognimuse(request, tmp_path):
    """A good film in both of COGNIMUSE's layouts."""
    return Films(tmp_path / "films", request.param)


@pytest.fixture
def manifest(tmp_path):
    """A good film as a manifest."""
    return Films(tmp_path / "films", "manifest")


@pytest.fixture
def inspect(capsys):
    """Runs `emotion-mt inspect`: (exit status, JSON or None, stderr)."""
    from emotion_mt.cli.main import main

    def run(films, *flags):
        status = main(["inspect", f"--corpus={films.root}", "--json", *flags])
        written = capsys.readouterr()
        assert "Traceback" not in written.err
        # Whatever is in a name, a terminal in UTF-8 can take it.
        (written.out + written.err).encode("utf-8")
        return status, json.loads(written.out or "null"), written.err

    return run
