"""What a visitor says of a clip's segments, and the viewer this makes."""

from __future__ import annotations

import dataclasses
import functools
import secrets
import shutil
import tempfile
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from emotion_mt.corpus import is_rated
from emotion_mt.corpus.ratings import RATING_COLUMNS
from emotion_mt.evaluation.templating import ENVIRONMENT
from emotion_mt.evaluation.timeline.page import render_timeline
from emotion_mt.inference import Bundle, ViewerFit, fit_viewer, with_viewer
from emotion_mt.inference.rated_clip import known_probabilities
from emotion_mt.models import EvokedEmotionModel

#: Name of the visitor, and from how many ratings on there is an answer.
YOU = "You"
LEAST_RATINGS = 5

_TEMPLATES = ENVIRONMENT.overlay(loader=jinja2.PackageLoader("emotion_mt.demo"))


def fill(template: str, **values: Any) -> Markup:
    """Fills one of the page's templates."""
    return Markup(_TEMPLATES.get_template(template).render(values))


# Without eq, so that Gradio tells one from another at once.
@dataclasses.dataclass(frozen=True, eq=False)
class Clip:
    """A predicted clip and what its visitor has said of it so far.

    Attributes:
        stem: What its files are called.
        names: Names of the files that were uploaded.
        bundle: What predicted it.
        table: What `Predictor.predict` returned, N segments.
        pictures: A JPEG file per segment, or None; None without a video.
        answers: Row of the table and rating in [-1, 1], NaN for skipped, in
            the order in which they were given.
        key: Tells the page which timelines are of one clip.
    """

    stem: str
    names: tuple[str, ...]
    bundle: Bundle
    table: pd.DataFrame
    pictures: list[bytes | None] | None
    answers: tuple[tuple[int, float], ...] = ()
    key: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))

    def answer(self, value: float) -> Clip:
        """Says `value` of the segment that is asked about."""
        if self.asked is None:
            return self
        given = (*self.answers, (self.asked, value))
        return dataclasses.replace(self, answers=given)

    def back(self) -> Clip:
        """Takes the last answer back."""
        return dataclasses.replace(self, answers=self.answers[:-1])

    @property
    def learns(self) -> bool:
        """Whether the model can get this viewer; the Baseline's gets none."""
        network = self.bundle.model
        if type(network) is not EvokedEmotionModel:
            return False
        return YOU not in network.known_viewers

    @functools.cached_property
    def asked(self) -> int | None:
        """Row that is asked about: the farthest in time from all that were.

        The first is in the middle. Only what was predicted is asked about.
        """
        middles_s = self.table[["start_s", "end_s"]].mean(axis=1).to_numpy()
        rows = [row for row, _ in self.answers]
        free = self.predicted.copy()
        free[rows] = False
        if not free.any():
            return None
        away_s = -np.abs(middles_s - middles_s[free].mean())
        if rows:
            away_s = np.abs(middles_s[:, None] - middles_s[rows]).min(axis=1)
        return int(np.where(free, away_s, -np.inf).argmax())

    @functools.cached_property
    def fit(self) -> ViewerFit | None:
        """The visitor as a viewer; None with too few ratings."""
        if len(self.ratings) < LEAST_RATINGS:
            return None
        values = self.ratings["value"].reindex(self.table.index)
        viewers = self.bundle.model.known_viewers
        return fit_viewer(viewers, self._known, values)

    @functools.cached_property
    def ratings(self) -> pd.DataFrame:
        """What was not skipped, as `read_ratings` takes it."""
        values = pd.Series(dict(self.answers), self.table.index, "float64")
        rated = self.table.assign(value=values)[is_rated(values.to_numpy())]
        return rated[[*RATING_COLUMNS]]

    @property
    def predicted(self) -> np.ndarray:
        """Whether there is a probability, bool [N]."""
        return ~np.isnan(self._known).all(axis=1)

    def timeline(self, pictures: bool = False) -> Markup:
        """The timeline, with the visitor's line once there is one.

        Without pictures, page.js takes them from the one before: all of them
        after each rating would be megabytes.
        """
        table, shown = self.table, self.pictures
        if self.fit is not None:
            mine = self.fit.probabilities(self._known)
            table = table.assign(**{f"{YOU}_probability": mine})
            table.attrs["added"] = [*table.attrs.get("added", ()), YOU]
        if shown and not pictures:
            shown = [None] * len(table)
        timeline = render_timeline(table, shown)
        return fill("clip.html", clip=self, timeline=timeline)

    def panel(self) -> Markup:
        """What the ratings are good for, a file of them, what is asked."""
        return fill("rating.html", clip=self, you=YOU, least=LEAST_RATINGS)

    def save(self, folder: str) -> str:
        """Writes the bundle with the visitor, as a zip file in a folder."""
        assert self.fit is not None, "the page offers it with a line only"
        simulated = "_SIMULATED" if self.bundle.simulated else ""
        name = f"{self.stem}_with_you{simulated}"
        with tempfile.TemporaryDirectory() as parts:
            with_viewer(self.bundle, YOU, self.fit).save(f"{parts}/{name}")
            return shutil.make_archive(f"{folder}/{name}", "zip", parts, name)

    @functools.cached_property
    def _known(self) -> np.ndarray:
        return known_probabilities(self.bundle, self.table)
