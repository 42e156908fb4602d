"""`emotion-mt train`, `predict`, `add-viewer` and `demo`: models in use."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli import console, experiment_flags
from emotion_mt.cli.commands import corpus
from emotion_mt.cli.parsing import (
    JSON,
    Command,
    names,
    number,
    switch,
    text,
    whole,
)


def _train(values: flags.FlagValues) -> int:
    config = experiment_flags.training_from_flags(values)
    from emotion_mt.runs import Run, train_bundle

    run = Run(experiment_flags.corpus_experiment(values), console.say)
    split = run.split(values.fold)
    trained = train_bundle(
        values.out,
        run.corpus,
        run.features() if "visual" in config.modalities else None,
        split,
        config,
        viewers=values.viewers,
        seed=values.seed,
        weights_digest=None if run.own_features else run.weights_digest,
        replace=values.replace,
    )
    shown = ("split", "seed", "l1", "best_epoch", "notes")
    content = {
        "bundle": str(trained.folder),
        "reused": trained.reused,
        "corpus": corpus.describe(run.corpus),
        **{name: trained.training[name] for name in shown},
        "scores": trained.scores,
    }
    return console.write_result(values, content, trained.render())


def _predict(values: flags.FlagValues) -> int:
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
        encoding=values.encoding,
    )
    return console.write_result(
        values, prediction.to_json(), prediction.render()
    )


def _add_viewer(values: flags.FlagValues) -> int:
    scale = experiment_flags.scale_from_flags(values)
    if values.video is None and values.subtitles is None:
        raise flags.Error("--video, --subtitles or both must be given.")
    from emotion_mt.inference.rated_clip import add_rated_viewer

    added = add_rated_viewer(
        values.out,
        values.model,
        values.ratings,
        name=values.name,
        video=values.video,
        subtitles=values.subtitles,
        segment_s=values.segment_s,
        scale=scale,
        encoding=values.encoding,
    )
    return console.write_result(values, added.to_json(), added.render())


def _demo(values: flags.FlagValues) -> int:
    from emotion_mt import demo

    demo.launch(values.model, host=values.host, port=values.port)
    return 0


TRAIN = Command(
    name="train",
    summary="Fit a model with a head per viewer and save it as a bundle.",
    example="--corpus=data/tiny --out=models/tiny --max_epochs=20",
    options={
        "out": text(
            "Folder of the bundle. One that was trained with the same flags "
            "is left as it is."
        ),
        "replace": switch(
            "Overwrite a bundle that was trained with other flags."
        ),
        "fold": text(
            "Which films train, validate and test: F1, F2, … of Table I, or "
            "Baseline. Other corpora leave out each film in turn.",
            "F1",
        ),
        "viewers": names(
            "Viewers with a head each, separated by commas; default all. A "
            "single viewer makes a single-task model."
        ),
        "seed": whole(
            "Decides initial weights and order of segments.", 0, lower_bound=0
        ),
        **experiment_flags.FEATURES,
        **experiment_flags.TRAINING,
        **JSON,
    },
    run=_train,
    required=("corpus", "out"),
)

PREDICT = Command(
    name="predict",
    summary="Predict how each viewer feels along a clip.",
    example=(
        "--model=runs/simulated/bundles/multimodal --video=clip.mp4 "
        "--subtitles=clip.srt --out=prediction"
    ),
    options={
        "model": text("Folder of the saved bundle."),
        "video": text("The film. Needed by models with the visual modality."),
        "subtitles": text(
            "Subtitles of the film (SRT, WebVTT, ASS); their cues are the "
            "segments. Needed by models with the text modality."
        ),
        "out": text("Folder for predictions.csv, timeline.png and .html."),
        "segment_s": number(
            "Seconds per segment where there are no subtitles; default 2.5."
        ),
        "title": text("Title of the pictures; default is the file's name."),
        "encoding": text(
            "Encoding of subtitles that are not Unicode, such as cp1250; "
            "default is to guess, and to say so."
        ),
        **JSON,
    },
    run=_predict,
    required=("model", "out"),
)

#: A second clip would take the place of the first one without a word.
_ONCE = {"allow_overwrite": False}

ADD_VIEWER = Command(
    name="add-viewer",
    summary=(
        "Add a viewer to a bundle, from ratings of one clip: five or more, "
        "better twenty.\nFor --model with the result, `emotion-mt predict` "
        "answers for the viewer too."
    ),
    example=(
        "--model=runs/simulated/bundles/multimodal --ratings=my.csv "
        "--video=clip.mp4 --subtitles=clip.srt --out=mine"
    ),
    options={
        "model": text("Folder of the saved bundle, which stays as it is."),
        "ratings": text(
            "Table with the columns start_s, end_s and value, or a folder "
            "with segments.csv and annotations.csv; of one clip, once. A "
            "rating counts for the segments that it covers at least half of, "
            "or lies in for at least half of its time.",
            **_ONCE,
        ),
        "scale": experiment_flags.CORPUS["scale"],
        "name": text("Name of the viewer.", "You"),
        "video": text(
            "The film that was rated; needed by models with the visual "
            "modality.",
            **_ONCE,
        ),
        "subtitles": text(
            "Its subtitles (SRT, WebVTT, ASS), whose cues are the segments; "
            "needed by models with the text modality.",
            **_ONCE,
        ),
        "segment_s": PREDICT.options["segment_s"],
        "out": text("Folder of the new bundle."),
        "encoding": text(
            "Encoding of subtitles and ratings that are not Unicode, such as "
            "cp1250; default is to guess and to say so."
        ),
        **JSON,
    },
    run=_add_viewer,
    required=("model", "ratings", "out"),
)

DEMO = Command(
    name="demo",
    summary="Open a local page: drop a clip, see the timeline per viewer.",
    example="--model=runs/simulated/bundles/multimodal",
    options={
        "model": text("Folder of the saved bundle."),
        "host": text(
            "Address to listen on; default this machine alone.", "127.0.0.1"
        ),
        "port": whole(
            "Port to listen on.", 7860, lower_bound=1, upper_bound=65535
        ),
    },
    run=_demo,
    required=("model",),
)
