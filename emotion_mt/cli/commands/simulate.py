"""`emotion-mt simulate`: writes a simulated corpus."""

from __future__ import annotations

from absl import flags

from emotion_mt.cli.parsing import Command, text, whole


def _run(values: flags.FlagValues) -> int:
    from emotion_mt.corpus import simulate_corpus

    folder = simulate_corpus(values.out, values.seed, values.segments_per_movie)
    print(f"The simulated corpus is in {folder}")
    return 0


COMMAND = Command(
    name="simulate",
    summary="Write a corpus of simulated films, subtitles and ratings.",
    example="--out=data/tiny --segments_per_movie=5",
    options={
        "out": text(
            "Folder to write, laid out as COGNIMUSE. A folder that holds the "
            "same corpus is left as it is; one of a stopped run is completed."
        ),
        "seed": whole(0, 0, "Another seed gives other films and viewers."),
        "segments_per_movie": whole(60, 2, "Segments per film, on average."),
    },
    run=_run,
    required=("out",),
)
