"""The page itself, in Gradio. Imported only where Gradio is installed."""

from __future__ import annotations

import functools
import importlib.resources
import logging
import math
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from markupsafe import Markup

from emotion_mt import paper
from emotion_mt.corpus.finder import VIDEO_EXTENSIONS
from emotion_mt.corpus.subtitles import SUBTITLE_EXTENSIONS
from emotion_mt.demo.limits import Limits
from emotion_mt.demo.prediction import predict, without_paths
from emotion_mt.demo.rating import YOU, Clip, fill
from emotion_mt.evaluation.templating import SCRIPT
from emotion_mt.features import WeightsError
from emotion_mt.inference import DEFAULT_SEGMENT_S, Predictor, card

#: Uploads that nobody predicted are deleted after so many seconds; looked for
#: once a minute.
_MAX_AGE_S = 2 * 3600
_CLEANING_S = 60

_CANCELLED = "The prediction was cancelled. The uploaded files are deleted."
_GONE = "The prediction is no longer here. Please predict the clip again."
_UNEXPECTED = (
    "The prediction failed for a reason that is not known. The terminal that "
    "runs this page says more."
)

# Whatever the page holds, the browser fetches from this server only.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'\">"
)

#: What the buttons say of a segment; None takes the last answer back.
_ANSWERS = {"Good": 1.0, "Bad": -1.0, "Skip": math.nan, "Undo": None}

#: What a modality needs, and what it is called on the page.
_FILES = {"visual": "a video", "text": "a subtitle file"}
_SEEN = {"text": "subtitles", "visual": "pictures"}


#: Options of events that neither wait for others nor are part of an API.
_AT_ONCE: dict[str, Any] = {"queue": False, "api_visibility": "private"}


class Stopped(BaseException):
    """The visitor cancels, or the server ends, while a prediction runs."""


class _Following(gr.Progress):
    """Follows progress bars, and stops what they show when it is told to."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def update(self, n: float = 1) -> None:
        """Gradio calls it from every bar of the running function."""
        if self._stop.is_set():
            raise Stopped
        super().update(n)


class Runs:
    """The predictions that the page's visitors ask for, one at a time."""

    def __init__(self, predictor: Predictor, limits: Limits) -> None:
        self.predictor = predictor
        self.limits = limits
        self._stops: dict[str | None, threading.Event] = {}

    def run(
        self,
        video: str | None,
        subtitles: str | None,
        segment_s: float | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(track_tqdm=True),  # noqa: B008
    ) -> list[Any]:
        """What the button does; the uploads are deleted in any case."""
        given = {"visual": video, "text": subtitles}
        modalities = self.predictor.modalities
        missing = [kind for kind in modalities if given[kind] is None]
        if missing:
            choose = (
                f"Please choose {_joined(_FILES, missing)}: this model looks "
                f"at {_joined(_SEEN, modalities)}."
            )
            # What was chosen stays chosen.
            return [message(choose, "error"), *(5 * [gr.skip()])]
        progress(0, desc="Starting")
        stop = self._stops[request.session_hash] = threading.Event()
        # Where Gradio's bars look for what follows them.
        token = LocalContext.progress.set(_Following(stop))
        paths: list[Path] = []
        clip = None
        try:
            with tempfile.TemporaryDirectory(prefix="emotion_mt-job-") as own:
                film, cues = _take(video, own, "0"), _take(subtitles, own, "1")
                paths = [path for path in (film, cues) if path is not None]
                clip = predict(
                    self.predictor, film, cues, segment_s, self.limits
                )
                found = clip.timeline(pictures=True)
        except Stopped:
            found = message(_CANCELLED)
        except (ValueError, OSError, WeightsError) as error:
            logging.warning("Not predicted: %s", error)
            found = message(without_paths(str(error), *paths), "error")
        except Exception:
            logging.exception("Not predicted, for an unexpected reason.")
            found = message(_UNEXPECTED, "error")
        finally:
            LocalContext.progress.reset(token)
            del self._stops[request.session_hash]
        # The files are gone, hence no longer chosen.
        return [found, None, None, *_to_rate(clip)]

    def cancel(self, request: gr.Request) -> list[Any]:
        """Stops the visitor's own prediction."""
        stop = self._stops.get(request.session_hash)
        if stop is None:
            return 6 * [gr.skip()]
        stop.set()
        return [message(_CANCELLED), None, None, *_to_rate(None)]

    def end(self) -> None:
        """Stops whatever runs."""
        for stop in list(self._stops.values()):
            stop.set()


def _take(upload: str | None, folder: str, number: str) -> Path | None:
    """Moves an upload to where no clean-up and no other job can reach it."""
    if upload is None:
        return None
    path = Path(folder, number, Path(upload).name)
    path.parent.mkdir()
    try:
        shutil.move(upload, path)
    except FileNotFoundError:
        raise ValueError(
            f"{path.name}: no longer here, since uploads are deleted after "
            "use. Please choose again"
        ) from None
    return path


def _to_rate(clip: Clip | None) -> list[Any]:
    """The clip, what it asks, and no file yet."""
    panel = clip.panel() if clip and clip.learns else ""
    return [clip, panel, gr.File(visible=False)]


def _answer(value: float | None, clip: Clip | None) -> list[Any]:
    """What a button below a segment does."""
    if clip is None:
        return [message(_GONE, "error"), *_to_rate(None)]
    clip = clip.back() if value is None else clip.answer(value)
    return [clip.timeline(), *_to_rate(clip)]


def _save(clip: Clip) -> Iterator[Any]:
    """Gives out the bundle, which Gradio copies before it comes back here."""
    with tempfile.TemporaryDirectory(prefix="emotion_mt-job-") as folder:
        yield gr.File(clip.save(folder), visible=True)


def build_app(runs: Runs) -> gr.Blocks:
    """Builds the page, with its queue.

    `launch` of Gradio needs the arguments of `launch_options` besides.
    """
    predictor = runs.predictor
    files = _joined(_FILES, predictor.modalities)
    with gr.Blocks(
        title="Evoked emotion of film viewers",
        analytics_enabled=False,
        delete_cache=(_CLEANING_S, _MAX_AGE_S),
    ) as app:
        gr.HTML(_header(predictor), js_on_load=None)
        video, subtitles, segment_s, button, cancel = _inputs(predictor)
        gr.HTML(fill("rules.html", limits=runs.limits), js_on_load=None)
        result = gr.HTML(
            message(f"Drop {files} above and press “Predict”."),
            elem_id="result",
            js_on_load=str(SCRIPT) + _file("page.js"),
            min_height=72,
            apply_default_css=False,
        )
        outputs = [result, video, subtitles, *_rating(result)]
        with gr.Accordion("About the model", open=False):
            gr.Markdown(card.render(predictor.bundle), elem_id="card")
        started = button.click(
            runs.run,
            [video, subtitles, segment_s],
            outputs,
            show_progress_on=result,
            trigger_mode="once",
            concurrency_limit=1,
            concurrency_id="model",  # None is saved meanwhile.
            api_visibility="private",
        )
        # Gradio takes the end of a cancelled run for an error, maybe late: this
        # takes "Error" off the message.
        started.failure(
            gr.skip,
            None,
            result,
            show_progress="hidden",
            trigger_mode="multiple",
            **_AT_ONCE,
        )
        cancel.click(runs.cancel, None, outputs, cancels=[started], **_AT_ONCE)
    app.queue(
        max_size=runs.limits.queue_size,
        default_concurrency_limit=1,
        api_open=False,
    )
    return app


def launch_options(limits: Limits) -> dict[str, Any]:
    """Arguments of Gradio's `launch` that the page relies on.

    They keep everything on this machine, limit uploads, and look.
    """
    return {
        "share": False,
        "max_file_size": max(1, round(limits.max_upload_mb * 1e6)),
        "enable_monitoring": False,
        "run_history": False,
        "footer_links": [],
        # Gradio's own themes ask Google for their fonts.
        "theme": gr.themes.Default(
            primary_hue="sky",
            font=["system-ui", "sans-serif"],
            font_mono=["monospace"],
        ),
        "css": _file("page.css"),
        "head": _POLICY,
    }


def _inputs(
    predictor: Predictor,
) -> tuple[gr.File, gr.File, gr.Number, gr.Button, gr.Button]:
    """The fields; what the model cannot use is not shown."""
    visual = "visual" in predictor.modalities
    text = "text" in predictor.modalities
    with gr.Row(equal_height=True):
        video = gr.File(
            label="Video",
            file_types=list(VIDEO_EXTENSIONS),
            visible=visual,
            height=150,
            elem_id="video",
        )
        subtitles = gr.File(
            label="Subtitles (SRT, WebVTT, ASS)"
            + ("" if text else ", if there are any"),
            file_types=list(SUBTITLE_EXTENSIONS),
            height=150,
            elem_id="subtitles",
        )
    with gr.Row(equal_height=True):
        segment_s = gr.Number(
            DEFAULT_SEGMENT_S,
            label="Segments without subtitles (seconds)",
            minimum=0.5,
            step=0.5,
            visible=not text,
        )
        button = gr.Button("Predict", variant="primary", elem_id="run", scale=4)
        cancel = gr.Button("Cancel", elem_id="cancel", min_width=100)
    return video, subtitles, segment_s, button, cancel


def _rating(result: gr.HTML) -> list[Any]:
    """Below the timeline; page.css shows what there is a use for."""
    with gr.Column(elem_id="rating"):
        clip = gr.State(None, time_to_live=_MAX_AGE_S)
        panel = gr.HTML(js_on_load=None, apply_default_css=False)
        with gr.Row(elem_id="answers"):
            buttons = {
                gr.Button(text, elem_id=text.lower(), min_width=55): value
                for text, value in _ANSWERS.items()
            }
        save = gr.Button(f"Save the model with “{YOU}”", elem_id="save")
        file = gr.File(label="The model", visible=False, elem_id="model")
    changed = [clip, panel, file]
    for button, value in buttons.items():
        button.click(
            functools.partial(_answer, value),
            clip,
            [result, *changed],
            show_progress="hidden",
            trigger_mode="once",
            **_AT_ONCE,
        )
    save.click(
        _save, clip, file, concurrency_id="model", api_visibility="private"
    )
    return changed


def _file(name: str) -> str:
    folder = importlib.resources.files("emotion_mt.demo") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def message(text: str, kind: str = "info") -> Markup:
    """A message in a box, as HTML; kind is "info" or "error"."""
    role = "alert" if kind == "error" else "status"
    return Markup('<div class="emt-message emt-{}" role="{}">{}</div>').format(
        kind, role, text
    )


def _joined(names: Mapping[str, str], modalities: Collection[str]) -> str:
    """The names of some modalities, in the order of all names."""
    return " and ".join(names[kind] for kind in names if kind in modalities)


def _header(predictor: Predictor) -> Markup:
    count = len([v for v in predictor.viewers if v != paper.AVERAGE])
    viewers = f"{count} viewer{'s' if count != 1 else ''}" if count else ""
    if paper.AVERAGE in predictor.viewers:
        viewers += (" and their" if viewers else "the") + " average"
    return fill(
        "header.html",
        viewers=viewers,
        seen=_joined(_SEEN, predictor.modalities),
        simulated=predictor.bundle.simulated,
    )
