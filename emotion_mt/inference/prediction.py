"""A clip to a folder with the prediction as a table and as pictures."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from emotion_mt.evaluation.timeline.page import write_timeline_html
from emotion_mt.evaluation.timeline.picture import plot_timeline
from emotion_mt.inference.predictor import POSITIVE, Predictor
from emotion_mt.storage.atomic import write_text

#: What is written, and under which name.
FILES: Mapping[str, str] = {
    "csv": "predictions.csv",
    "png": "timeline.png",
    "html": "timeline.html",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """A prediction and where it was written to.

    Attributes:
        table: What `Predictor.predict` returned.
        files: "csv", "png" and "html" to their paths; no pictures where
            nothing could be predicted.
    """

    table: pd.DataFrame
    files: Mapping[str, Path]

    def render(self) -> str:
        """Returns a summary as text for a terminal."""
        about = self.table.attrs
        lines = [f"{len(self.table)} segments. Share of positive ones:"]
        if about["simulated"]:
            lines.insert(0, "The model was trained on SIMULATED data.")
        for viewer in about["viewers"]:
            labels = self.table[f"{viewer}_label"].dropna()
            share = f"{(labels == POSITIVE).mean():.0%}" if len(labels) else "–"
            lines.append(f"  {viewer:8}{share}")
        if "known_words" in about:
            known, words = about["known_words"]
            lines.append(f"The model knows {known} of {words} words.")
        lines += [f"Written: {path}" for path in self.files.values()]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Returns all of it as plain JSON; missing values are None."""
        viewers = self.table.attrs["viewers"]
        return {
            **{str(name): value for name, value in self.table.attrs.items()},
            "files": {kind: str(path) for kind, path in self.files.items()},
            "segments": [
                {
                    "start_s": row["start_s"],
                    "end_s": row["end_s"],
                    "text": row["text"],
                    "viewers": {v: _viewer(row, v) for v in viewers},
                }
                for row in self.table.to_dict(orient="records")
            ],
        }


def _viewer(row: Mapping[Any, Any], viewer: str) -> dict[str, Any] | None:
    probability = float(row[f"{viewer}_probability"])
    if math.isnan(probability):
        return None
    return {"probability": probability, "label": row[f"{viewer}_label"]}


def predict_to_folder(
    folder: str | os.PathLike[str],
    bundle: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str] | None = None,
    subtitles: str | os.PathLike[str] | None = None,
    segment_s: float | None = None,
    title: str | None = None,
    encoding: str | None = None,
) -> Prediction:
    """Predicts a clip and writes predictions.csv and the timelines.

    Files of these names in `folder` are overwritten. `title` is that of the
    pictures, by default the name of the video or else of the subtitles.
    `bundle` and all else, errors too, are as of `Predictor.load` and
    `Predictor.predict`.
    """
    table = Predictor.load(bundle).predict(
        video, subtitles, segment_s, encoding=encoding
    )
    source = video if video is not None else subtitles
    title = Path(os.fspath(source or "")).stem if title is None else title
    paths = {kind: Path(folder) / name for kind, name in FILES.items()}
    write_text(paths["csv"], table.to_csv(index=False))
    if table.filter(like="_probability").isna().all(axis=None):
        return Prediction(table, {"csv": paths["csv"]})
    plot_timeline(table, paths["png"], title)
    write_timeline_html(table, paths["html"], title)
    return Prediction(table, paths)
