"""A corpus on disk."""

import dataclasses

import pytest


@pytest.fixture(scope="session")
def text_training(tiny_training):
    return dataclasses.replace(tiny_training, modalities=("text",))


@pytest.fixture
def manifest(tmp_path, small_corpus):
    """`small_corpus` as two CSV files, with the path of a video."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(b"not opened")
    segments = small_corpus.segments.assign(video="film.mp4")
    segments.to_csv(folder / "segments.csv", index=False)
    values = small_corpus.values[:, :2]
    rated = [
        f"{segment},{viewer},{value}"
        for segment, row in zip(segments["segment_id"], values, strict=True)
        for viewer, value in zip(("V1", "V2"), row, strict=True)
        if value == value
    ]
    lines = ["segment_id,viewer,value", *rated]
    (folder / "annotations.csv").write_text("\n".join(lines) + "\n")
    return folder
