"""Writers of small COGNIMUSE folders and manifests."""

from pathlib import Path

import numpy as np
import pytest

from emotion_mt.corpus import TRACE_NAMES, CorpusError, load_corpus

#: Two cues of one second each.
TWO_CUES = ((1.0, 2.0, "One"), (3.0, 4.0, "Two"))


def _clock(time_s):
    ms = round(time_s * 1000)
    return (
        f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d},"
        f"{ms % 1000:03d}"
    )


def write_srt(path, cues):
    """Writes (start_s, end_s, text) as SubRip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = [
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n"
        for number, (start, end, text) in enumerate(cues, 1)
    ]
    path.write_text("\n".join(blocks), encoding="utf-8")


def write_trace(path, valence, arousal=0.0, step_s=0.5, end_s=5.0):
    """Writes a trace; values are numbers or functions of time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for time_s in np.arange(0, end_s + step_s / 2, step_s):
        values = [v(time_s) if callable(v) else v for v in (valence, arousal)]
        rows.append(f"{time_s:.2f} {values[0]:.3f} {values[1]:.3f}\n")
    path.write_text("".join(rows))


class FolderWriter:
    """Writes films in COGNIMUSE's released layout or in the other one."""

    def __init__(self, root):
        self.root = Path(root)

    def trace_path(self, film, subject=1, take=1):
        name = f"subj{subject}_{take}_{TRACE_NAMES[film]}.dat"
        return self.root / "Emotion Annotation" / "experienced" / name

    def trace(self, film, valence, subject=1, take=1, **kwargs):
        path = self.trace_path(film, subject, take)
        write_trace(path, valence, **kwargs)
        return path

    def intended(self, film, valence, take=1, **kwargs):
        path = self.root / film / "emotion" / f"intended_{take}.dat"
        write_trace(path, valence, **kwargs)
        return path

    def subtitles(self, film, cues=TWO_CUES):
        path = self.root / film / "text" / "subtitle.srt"
        write_srt(path, cues)
        return path

    def video(self, film, content=b"not decoded here"):
        path = self.root / "Data" / f"2001{film}" / f"{film}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def film(self, film, valences=(0.5, -0.5), cues=TWO_CUES):
        """Writes one film, one viewer per valence."""
        self.subtitles(film, cues)
        for subject, valence in enumerate(valences, 1):
            self.trace(film, valence, subject=subject)


@pytest.fixture
def problems_of():
    """What is wrong with a folder that is no corpus."""

    def problems(root, **options):
        with pytest.raises(CorpusError) as caught:
            load_corpus(root, **options)
        return caught.value.problems

    return problems


@pytest.fixture
def writer(tmp_path):
    return FolderWriter(tmp_path / "films")


class ManifestWriter:
    """Writes `segments.csv` and `annotations.csv`."""

    SEGMENTS = ("a1,A,0,1.5,Hello,", "a2,A,2,3,,", "b1,B,0,1,Bye,")
    ANNOTATIONS = ("a1,V1,0.5", "a2,V1,-0.25", "a1,V2,-1", "b1,V2,1")

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir()

    def write(
        self,
        segments=SEGMENTS,
        annotations=ANNOTATIONS,
        segments_header="segment_id,movie,start_s,end_s,text,video",
        annotations_header="segment_id,viewer,value",
    ):
        for name, header, rows in (
            ("segments.csv", segments_header, segments),
            ("annotations.csv", annotations_header, annotations),
        ):
            text = "\n".join([header, *rows]) + "\n"
            (self.root / name).write_text(text, encoding="utf-8")
        return self.root


@pytest.fixture
def manifest(tmp_path):
    return ManifestWriter(tmp_path / "own")
