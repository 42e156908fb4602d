"""`emotion-mt demo`: a local page to drop clips on."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli.parsing import Command, text, whole


def _run(values: flags.FlagValues) -> int:
    from emotion_mt import demo

    try:
        demo.launch(values.model, host=values.host, port=values.port)
    except ImportError as error:
        # Without Gradio; the message says how to get it.
        raise RuntimeError(str(error)) from error
    return 0


COMMAND = Command(
    name="demo",
    summary="Open a local page: drop a clip, see the timeline per viewer.",
    example="--model=runs/simulated/bundles/multimodal",
    options={
        "model": text("Folder of the saved bundle."),
        "host": text(
            "Address to listen on; the default is this machine alone.",
            "127.0.0.1",
        ),
        "port": whole(7860, 1, "Port to listen on.", 65535),
    },
    run=_run,
    required=("model",),
)
