"""The page itself, in Gradio. Imported only where Gradio is installed."""

from __future__ import annotations

import contextlib
import importlib.resources
import logging
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import gradio.utils
from gradio.context import LocalContext

from emotion_mt.corpus.finder import VIDEO_EXTENSIONS
from emotion_mt.corpus.subtitles import SUBTITLE_EXTENSIONS
from emotion_mt.demo import job, plot, view
from emotion_mt.demo.limits import Limits
from emotion_mt.demo.messages import without_paths
from emotion_mt.demo.uploads import claimed
from emotion_mt.features import WeightsError
from emotion_mt.inference import DEFAULT_SEGMENT_S, Predictor

#: Uploads that nobody predicted are deleted after so many seconds; looked for
#: once a minute. Results stay in memory as long after the page was closed.
MAX_AGE_S = 2 * 3600
_CLEANING_S = 60

#: Pages whose results are remembered at the same time; each is some 20 MB.
SESSIONS = 20

_UNEXPECTED = (
    "The prediction failed for a reason that is not known. The terminal that "
    "runs this page says more."
)


class Stopped(BaseException):
    """The server ends while a prediction runs."""


class _Following(gr.Progress):
    """Follows progress bars, and stops what they show when the server ends."""

    def __init__(self, stopping: threading.Event) -> None:
        super().__init__()
        self._stopping = stopping

    def update(self, n: float = 1) -> None:
        """Gradio calls it from every bar of the running function."""
        if self._stopping.is_set():
            raise Stopped
        super().update(n)


@contextlib.contextmanager
def _following(stopping: threading.Event) -> Iterator[None]:
    """Puts a `_Following` where Gradio's bars look for what follows them."""
    token = LocalContext.progress.set(_Following(stopping))
    try:
        yield
    finally:
        LocalContext.progress.reset(token)


def build_app(
    predictor: Predictor,
    limits: Limits | None = None,
    stopping: threading.Event | None = None,
) -> gr.Blocks:
    """Builds the page.

    Args:
        predictor: What predicts; one clip at a time.
        limits: What is taken. Defaults to None, `Limits()`.
        stopping: Ends the running prediction when it is set. Defaults to
            None, nothing does.

    Returns:
        The page, with its queue. `launch` of Gradio needs the arguments of
        `launch_options` besides.

    Example:
        ```python
        app = build_app(Predictor.load("bundle"))
        app.launch(**launch_options(Limits()))
        ```
    """
    limits = limits or Limits()
    stopping = stopping or threading.Event()
    with gr.Blocks(
        title="Evoked emotion of film viewers",
        analytics_enabled=False,
        delete_cache=(_CLEANING_S, MAX_AGE_S),
    ) as app:
        gr.HTML(view.header(predictor.bundle), js_on_load=None)
        video, subtitles, segment_s, button = _inputs(predictor)
        gr.HTML(view.rules(limits), js_on_load=None)
        status = gr.HTML(
            view.message(_invitation(predictor)),
            elem_id="status",
            js_on_load=None,
            min_height=72,
        )
        result = gr.State(time_to_live=MAX_AGE_S)
        with gr.Column(visible=False, elem_id="result") as column:
            notes = gr.HTML(elem_id="notes", js_on_load=None)
            moment = gr.HTML(elem_id="moment", js_on_load=None)
            timeline = gr.HTML(elem_id="timeline", js_on_load=_asset("page.js"))
        pieces = [notes, moment, timeline]
        with gr.Accordion("About the model", open=False):
            gr.HTML(view.model_card(predictor.bundle), js_on_load=None)
        # The files are gone after the run, hence no longer chosen.
        button.click(
            _runner(predictor, limits, stopping),
            [video, subtitles, segment_s],
            [status, result, column, *pieces, video, subtitles],
            show_progress_on=status,
            trigger_mode="once",
            concurrency_limit=1,
            api_visibility="private",
        )
        timeline.select(
            _moment,
            result,
            moment,
            queue=False,
            show_progress="hidden",
            trigger_mode="always_last",
            api_visibility="private",
        )
    app.queue(
        max_size=limits.queue_size, default_concurrency_limit=1, api_open=False
    )
    return app


def launch_options(limits: Limits) -> dict[str, Any]:
    """Arguments of Gradio's `launch` that the page relies on.

    Args:
        limits: What the page takes.

    Returns:
        What keeps everything on this machine, limits uploads, and looks.
    """
    fonts = ["system-ui", "sans-serif"]
    return {
        "share": False,
        "show_error": False,
        "max_file_size": limits.max_upload_bytes,
        "state_session_capacity": SESSIONS,
        "enable_monitoring": False,
        "run_history": False,
        "mcp_server": False,
        "ssr_mode": False,
        "pwa": False,
        "footer_links": [],
        # Gradio's own themes ask Google for their fonts.
        "theme": gr.themes.Default(
            primary_hue="sky", font=fonts, font_mono=["monospace"]
        ),
        "css": _asset("page.css"),
        "head": _POLICY,
    }


# Whatever the page holds, the browser fetches from this server only.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'\">"
)


def _asset(name: str) -> str:
    folder = importlib.resources.files("emotion_mt.demo")
    return (folder / name).read_text(encoding="utf-8")


def _inputs(
    predictor: Predictor,
) -> tuple[gr.File, gr.File, gr.Number, gr.Button]:
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
            minimum=job.MIN_SEGMENT_S,
            step=0.5,
            visible=not text,
        )
        button = gr.Button("Predict", variant="primary", elem_id="run")
    return video, subtitles, segment_s, button


def _invitation(predictor: Predictor) -> str:
    if predictor.modalities == ("text",):
        files = "a subtitle file"
    elif predictor.modalities == ("visual",):
        files = "a video, with its subtitles if there are any,"
    else:
        files = "a video and its subtitles"
    return f"Drop {files} above and press “Predict”."


def _runner(
    predictor: Predictor, limits: Limits, stopping: threading.Event
) -> Callable[..., list[Any]]:
    """What the button does."""
    # Gradio follows every progress bar of a function that has one of these.
    following = gr.Progress(track_tqdm=True)

    def run(
        video: str | None,
        subtitles: str | None,
        segment_s: float | None,
        progress: gr.Progress = following,
    ) -> list[Any]:
        folder = gradio.utils.get_upload_folder()
        try:
            job.check_given(predictor, video, subtitles)
        except ValueError as error:
            # What was chosen stays chosen.
            return _failed(str(error), gr.skip())
        try:
            progress(0, desc="Starting")
            with (
                _following(stopping),
                claimed(video, subtitles, folder=folder) as paths,
            ):
                folders = [path.parent for path in paths if path is not None]
                try:
                    found = job.run(
                        predictor, paths[0], paths[1], segment_s, limits
                    )
                except (ValueError, OSError, WeightsError) as error:
                    logging.warning("Not predicted: %s", error)
                    return _failed(without_paths(str(error), folders))
        except (ValueError, OSError) as error:
            return _failed(without_paths(str(error), [folder]))
        except Stopped:
            return _failed("The server was stopped during the prediction.")
        except Exception:
            logging.exception("Not predicted, for an unexpected reason.")
            return _failed(_UNEXPECTED)
        return _shown(found)

    return run


def _failed(text: str, uploads: Any = None) -> list[Any]:
    return [
        view.message(text, "error"),
        None,
        gr.Column(visible=False),
        *3 * [""],
        *2 * [uploads],
    ]


def _shown(found: job.Result) -> list[Any]:
    done = (
        f"{' and '.join(found.names)}: {len(found.table)} segments predicted. "
        "The uploaded files are deleted."
    )
    return [
        view.message(done, "done"),
        found,
        gr.Column(visible=True),
        view.notes(found),
        view.moment(found, float(found.starts_s[0])),
        # In one piece, since the script goes to and fro between them.
        plot.timeline(found) + view.table(found),
        None,
        None,
    ]


def _moment(found: job.Result | None, event: gr.EventData) -> str:
    """What is shown when the cursor moves; what comes is not trusted."""
    if found is None:
        return view.message(
            "This result is no longer here. Please predict again."
        )
    time_s, row = float(event.time), int(event.row)
    if not math.isfinite(time_s):
        time_s = 0.0
    inside = 0 <= row < len(found.table)
    return view.moment(found, time_s, row if inside else None)
