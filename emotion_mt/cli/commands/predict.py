"""`emotion-mt predict`: a clip to a timeline per viewer."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli import console
from emotion_mt.cli.parsing import JSON, Command, number, text


def _run(values: flags.FlagValues) -> int:
    if values.video is None and values.subtitles is None:
        raise flags.Error("--video, --subtitles or both must be given.")
    from emotion_mt.inference.prediction import predict_to_folder

    prediction = predict_to_folder(
        values.out,
        values.model,
        video=values.video,
        subtitles=values.subtitles,
        segment_s=values.segment_s,
        title=values.title,
    )
    if values.json:
        console.write_json(prediction.to_json())
    else:
        print(prediction.render())
    return 0


COMMAND = Command(
    name="predict",
    summary="Predict how each viewer feels along a clip.",
    example=(
        "--model=runs/simulated/bundles/multimodal --video=clip.mp4 "
        "--subtitles=clip.srt --out=prediction"
    ),
    options={
        "model": text("Folder of the saved bundle."),
        "video": text("The film; needed by models with the visual modality."),
        "subtitles": text(
            "Its subtitles (SRT, WebVTT, ASS), whose cues are the segments; "
            "needed by models with the text modality."
        ),
        "out": text(
            "Folder to write predictions.csv, timeline.png and timeline.html "
            "to."
        ),
        "segment_s": number(
            None,
            "Length of the segments in seconds where there are no subtitles; "
            "default 2.5.",
        ),
        "title": text(
            "Title of the pictures; default is the name of the file."
        ),
        **JSON,
    },
    run=_run,
    required=("model", "out"),
)
