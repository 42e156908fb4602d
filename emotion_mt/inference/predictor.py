"""Predictions for a new clip, from a saved bundle."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pandas as pd
from absl import logging

from emotion_mt.corpus import read_subtitles
from emotion_mt.evaluation.scores import DECISION_THRESHOLD
from emotion_mt.features import FeatureConfig, load_i3d, model_digest
from emotion_mt.features.video import Video
from emotion_mt.features.windows import Times
from emotion_mt.inference.bundle import Bundle, load_bundle
from emotion_mt.inference.errors import BundleError
from emotion_mt.inference.film import cut_film, film_features
from emotion_mt.inference.inputs import Path, check_inputs
from emotion_mt.models import RESERVED_TOKENS, tokenize

#: Length of a segment in seconds where there are no subtitles. The cues of
#: COGNIMUSE, on which models are trained, last 2.5 s on average; the maximum
#: over windows grows with the length, so that it should be alike.
DEFAULT_SEGMENT_S = 2.5

POSITIVE = "positive"
NEGATIVE = "negative"


@dataclasses.dataclass
class _Rows:
    """Segments to be predicted.

    Attributes:
        times: (start_s, end_s) of each.
        texts: Text of each, maybe "".
        names: What problems call each.
        visual: float32 [N, C], NaN rows where the film has nothing; None
            without a video.
        problems: What a user should know.
        known_words: Words that a text model knows, and all that it reads.
    """

    times: list[Times]
    texts: list[str]
    names: list[str]
    visual: np.ndarray | None = None
    problems: list[str] = dataclasses.field(default_factory=list)
    known_words: list[int] | None = None


class Predictor:
    """Predicts how a film's segments feel to each viewer.

    Args:
        bundle: A loaded bundle.
        i3d: Network to Mixed_5c whose weights made the training features.
            Defaults to None: `load_i3d()`, which computes in float32, is
            called when the first video comes. For another arithmetic give
            `load_i3d(dtype="bfloat16")`; probabilities change by less than
            0.01 or so.

    Attributes:
        bundle: The bundle.

    Raises:
        BundleError: If `i3d` is not the one that the model was trained with.

    Example:
        ```python
        from emotion_mt.inference import Predictor, plot_timeline

        predictor = Predictor.load("bundle")
        predictions = predictor.predict("clip.mp4", "clip.srt")
        plot_timeline(predictions, "timeline.png")
        ```
    """

    def __init__(self, bundle: Bundle, i3d: keras.Model | None = None) -> None:
        self.bundle = bundle
        self._i3d = i3d
        if i3d is not None and "visual" in bundle.modalities:
            self._check_i3d(i3d)

    @classmethod
    def load(cls, folder: Path, i3d: keras.Model | None = None) -> Predictor:
        """Loads a bundle, and checks that it is whole and safe.

        Args:
            folder: What `save_bundle` wrote.
            i3d: See the class.

        Returns:
            The predictor, ready to use.

        Raises:
            BundleError: If the bundle cannot be trusted or used; names the
                file.
        """
        return cls(load_bundle(folder), i3d)

    @property
    def model(self) -> keras.Model:
        """The trained model."""
        return self.bundle.model

    @property
    def viewers(self) -> tuple[str, ...]:
        """The viewers, in the order of the columns."""
        return self.bundle.viewers

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model looks at: "text", "visual" or both."""
        return self.bundle.modalities

    @property
    def i3d(self) -> keras.Model:
        """The I3D, loaded at first use.

        Raises:
            BundleError: If its weights are not those of the training
                features.
            WeightsError: If the weights cannot be had.
        """
        if self._i3d is None:
            if self.bundle.weights_digest is None:
                raise BundleError(
                    f"{self.bundle.name}: expected the digest of the I3D that "
                    "made the training features, to be sure to use the same. "
                    "Received a bundle without `weights_digest`; give that "
                    "I3D to Predictor.load as `i3d`"
                )
            i3d = load_i3d()
            self._check_i3d(i3d)
            self._i3d = i3d
        return self._i3d

    def predict(
        self,
        video: Path | None = None,
        subtitles: Path | None = None,
        segment_s: float | None = None,
        progress: bool = True,
        encoding: str | None = None,
    ) -> pd.DataFrame:
        """Predicts every segment of a clip.

        With subtitles the cues are the segments. Without them the film is cut
        into segments of one length, which visual models can do with.

        A cue that cannot be predicted does not stop the others: cues that
        cannot be read or used are left out, and where the film ends before a
        cue does, the cue's probabilities are NaN and its labels None. Each is
        reported in the log and in `.attrs["problems"]`, as is what was
        guessed about the subtitles, and if the model knows less than half of
        their words.

        Args:
            video: The film; needed by visual models.
            subtitles: SRT, WebVTT or ASS; needed by text models.
            segment_s: Length of the segments in seconds where there are no
                subtitles. Defaults to None, 2.5 s, the mean length of
                COGNIMUSE's cues.
            progress: Whether to show on stderr how far it is: a bar on a
                terminal, lines now and then in a log.
            encoding: Encoding of subtitles that are not Unicode, such as
                "cp1250". Defaults to None, guess it.

        Returns:
            DataFrame in order of time: start_s, end_s (seconds), text, and for
            each viewer `<viewer>_probability` (of "positive", in [0, 1]) and
            `<viewer>_label` ("positive" above 0.5, else "negative"). Both are
            missing for viewers that the model was not trained for. `.attrs`
            holds "viewers", "modalities", "simulated" (whether the model was
            trained on simulated data), "problems" (a list of sentences) and,
            for text models, "known_words" (how many words of the clip the
            model knows, and of how many) and "added" (viewers whom
            `add_viewer` added, if any).

        Raises:
            ValueError: If the model lacks or needs a modality, or `segment_s`
                makes no sense.
            CorpusError: If the subtitles cannot be read.
            VideoError: If nothing of the video can be used.
            BundleError: If the I3D is not the one of the bundle.
        """
        check_inputs(self.bundle, video, subtitles, segment_s)
        if subtitles is not None:
            rows = _cue_rows(subtitles, encoding)
        else:
            assert video is not None, "check_inputs has seen to it"
            length_s = DEFAULT_SEGMENT_S if segment_s is None else segment_s
            times = cut_film(video, length_s, self._config)
            rows = _Rows(times, [""] * len(times), [str(video)] * len(times))
        if video is not None:
            self._look(video, rows, progress)
        table = self._table(rows)
        for problem in rows.problems:
            logging.warning("%s", problem)
        return table

    def _check_i3d(self, i3d: keras.Model) -> None:
        expected = self.bundle.weights_digest
        received = model_digest(i3d)
        if expected not in (None, received):
            raise BundleError(
                f"{self.bundle.name}: expected the I3D that made the training "
                f"features, weights digest {expected}. Received an I3D with "
                f"{received}; its features mean nothing to this model"
            )
        channels = i3d.output_shape[-1]
        if channels != self.model.visual_features:
            raise BundleError(
                f"{self.bundle.name}: expected an I3D with "
                f"{self.model.visual_features} features. Received one with "
                f"the output shape {i3d.output_shape}"
            )

    def _look(self, video: Path, rows: _Rows, progress: bool) -> None:
        """Adds what the film has at the rows' times."""
        with Video(video):
            pass  # It opens; else the I3D need not be loaded.
        rows.visual, problems = film_features(
            video, rows.times, self.i3d, self._config, progress
        )
        rows.problems += problems
        rows.problems += [
            f"{name}: not predicted, the film has no frames at {start_s:.2f} s"
            for name, (start_s, _), vector in zip(
                rows.names, rows.times, rows.visual, strict=True
            )
            if np.isnan(vector).any()
        ]

    @property
    def _config(self) -> FeatureConfig:
        config = self.bundle.feature_config
        assert config is not None, "visual bundles have one"
        return config

    def _table(self, rows: _Rows) -> pd.DataFrame:
        times = np.array(rows.times, np.float64)
        columns: dict[str, Any] = {
            "start_s": times[:, 0],
            "end_s": times[:, 1],
            "text": np.array(rows.texts, object),
        }
        probabilities = self._probabilities(rows)
        for viewer, values in zip(self.viewers, probabilities.T, strict=True):
            answers = np.where(values > DECISION_THRESHOLD, POSITIVE, NEGATIVE)
            labels = answers.astype(object)
            labels[np.isnan(values)] = None
            columns[f"{viewer}_probability"] = values
            # Some versions of pandas turn None into NaN unless they are told.
            columns[f"{viewer}_label"] = pd.Series(labels, dtype=object)
        table = pd.DataFrame(columns)
        if rows.known_words is not None:
            table.attrs["known_words"] = rows.known_words
        if self.model.added:
            table.attrs["added"] = list(self.model.added)
        table.attrs.update(
            viewers=list(self.viewers),
            modalities=list(self.modalities),
            simulated=self.bundle.simulated,
            problems=rows.problems,
        )
        return table

    def _probabilities(self, rows: _Rows) -> np.ndarray:
        """float32 [N, V]; NaN where there is nothing to go by."""
        result = np.full((len(rows.times), len(self.viewers)), np.nan, "f4")
        usable = np.ones(len(rows.times), bool)
        inputs = {}
        if self.bundle.tokenizer is not None:
            tokens = tokenize(self.bundle.tokenizer, rows.texts)
            inputs["tokens"] = tokens
            known = int((tokens >= RESERVED_TOKENS).sum())
            rows.known_words = [known, int((tokens > 0).sum())]
            if 2 * known < rows.known_words[1]:
                rows.problems.append(
                    f"The model knows {known} of {rows.known_words[1]} words "
                    "of the subtitles: less than half. Are they in the "
                    "language that it was trained on?"
                )
        if rows.visual is not None:
            inputs["visual"] = rows.visual
            usable = np.isfinite(rows.visual).all(axis=1)
        chosen = {name: values[usable] for name, values in inputs.items()}
        result[usable] = self.model.predict(chosen, verbose=0)
        for viewer in self.bundle.untrained_viewers:
            result[:, self.viewers.index(viewer)] = np.nan
        return result


def _cue_rows(subtitles: Path, encoding: str | None) -> _Rows:
    found = read_subtitles(subtitles, encoding)
    if not found.usable:
        raise ValueError(
            f"{subtitles}: expected at least one cue that can be used. "
            f"Received {len(found.cues)}, all left out: "
            f"{found.cues[0].left_out}"
        )
    return _Rows(
        times=[(cue.start_s, cue.end_s) for cue in found.usable],
        texts=[cue.text for cue in found.usable],
        names=[f"{subtitles}, line {cue.line}" for cue in found.usable],
        problems=list(found.problems),
    )
