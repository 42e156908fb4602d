"""A model that is fitted in a second, and a corpus on disk."""

import csv

import pytest

from emotion_mt.training import TrainingConfig


@pytest.fixture(scope="session")
def small_config():
    return TrainingConfig(
        l1=(1e-5,),
        max_epochs=2,
        embedding_dim=4,
        text_filters=3,
        single_task_trunk_units=(6, 5),
        multi_task_trunk_units=(6, 5),
        multi_task_head_units=(4,),
    )


@pytest.fixture
def manifest(tmp_path, small_corpus):
    """`small_corpus` as two CSV files, with the path of a video."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(b"not opened")
    segments = small_corpus.segments.assign(video="film.mp4")
    segments.to_csv(folder / "segments.csv", index=False)
    with open(folder / "annotations.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["segment_id", "viewer", "value"])
        for row, segment in enumerate(segments["segment_id"]):
            for column, viewer in enumerate(("V1", "V2")):
                value = float(small_corpus.values[row, column])
                if value == value:
                    writer.writerow([segment, viewer, value])
    return folder
