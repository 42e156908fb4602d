"""`emotion-mt simulate` and `inspect`: make a corpus, and look into one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from absl import flags

from emotion_mt.cli import console, experiment_flags
from emotion_mt.cli.parsing import JSON, Command, text, whole

if TYPE_CHECKING:
    from emotion_mt.corpus import Corpus


def _simulate(values: flags.FlagValues) -> int:
    from emotion_mt.simulation import simulate_corpus

    folder = simulate_corpus(values.out, values.seed, values.segments_per_movie)
    print(f"The simulated corpus is in {folder}")
    return 0


def _inspect(values: flags.FlagValues) -> int:
    from emotion_mt.corpus import inspect_corpus

    inspection = inspect_corpus(
        values.corpus,
        values.annotation,
        values.dimension,
        allow_outside=values.allow_outside,
        scale=experiment_flags.scale_from_flags(values),
        encoding=values.encoding,
    )
    films = _film_problems(inspection.corpus)
    if not values.json:
        print(inspection.render(), end="")
        if films:
            print("\n- ".join(["\nProblems of videos", *films]))
        return 0
    content: dict[str, Any] = {"corpus": describe(inspection.corpus)}
    for name in ("films", "counts", "left_out"):
        # null where there is no number.
        rows = getattr(inspection, name).to_json(orient="records")
        content[name] = json.loads(rows)
    for name in ("problems", "notes"):
        content[name] = list(getattr(inspection, name))
    content["video_problems"] = films
    console.write_json(content)
    return 0


def _film_problems(corpus: Corpus) -> list[str]:
    """What is wrong with the videos of a corpus; reads all of them."""
    from emotion_mt._progress import progress
    from emotion_mt.features.windows import film_problems

    segments = corpus.segments[corpus.segments["video"].notna()]
    videos = segments.groupby("video", sort=False)
    found, count = [], videos.ngroups
    with progress("Reading videos", count, " videos", shown=count > 0) as bar:
        for path, rows in videos:
            times = [*zip(rows["start_s"], rows["end_s"], strict=True)]
            found += film_problems(str(path), times)
            bar.update()
    return found


def describe(corpus: Corpus) -> dict[str, Any]:
    """Returns what a corpus is, as plain JSON."""
    about = ("name", "simulated", "annotation", "dimension")
    return {
        **{name: getattr(corpus, name) for name in about},
        "digest": corpus.digest(),
        "movies": list(corpus.movies),
        "viewers": list(corpus.viewers),
        "segments": len(corpus),
    }


SIMULATE = Command(
    name="simulate",
    summary="Write a corpus of simulated films, subtitles and ratings.",
    example="--out=data/tiny --segments_per_movie=5",
    options={
        "out": text(
            "Folder to write, laid out like COGNIMUSE. A folder that holds the "
            "same corpus is left as it is; one of a stopped run is completed."
        ),
        "seed": whole(
            "Another seed gives other films and viewers.", 0, lower_bound=0
        ),
        "segments_per_movie": whole(
            "Segments per film, on average.", 60, lower_bound=2
        ),
    },
    run=_simulate,
    required=("out",),
)

INSPECT = Command(
    name="inspect",
    summary="Say what is in a corpus, and what is missing.",
    example="--corpus=data/tiny",
    options={**experiment_flags.CORPUS, **JSON},
    run=_inspect,
    required=("corpus",),
)
