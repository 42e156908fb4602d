"""`emotion-mt demo`: a local page to drop clips on."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli.parsing import Command


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "model", None, "Folder of the saved bundle.", flag_values=values
    )
    flags.DEFINE_string(
        "host",
        "127.0.0.1",
        "Address to listen on; the default is this machine alone.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "port",
        7860,
        "Port to listen on.",
        lower_bound=1,
        upper_bound=65535,
        flag_values=values,
    )


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
    define=_define,
    run=_run,
    required=("model",),
)
