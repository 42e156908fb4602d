r"""When does sharing help? MT minus ST on films whose truth is known.

    python benchmarks/sharing.py

Three sweeps on one simulated corpus, all around the default profile: the
share of the feeling that viewers share, the number of training segments, and
the share of missing ratings. At each point and for each seed, ST (one model
per viewer and one for the average) and MT of the paper's size are fitted on
each fold of Table I, and scored on the held-out film against complete
ratings. It writes the figure docs/sharing.png, the numbers docs/sharing.csv
and the table in docs/simulation.md.

What it leaves out to take less than half an hour on two cores: the models see
the video alone, with one L1 strength and the patience of `make tables`; the
films are the same for all seeds. A seed decides the viewers' own weights,
their noise and hands, which ratings and segments are left out, the initial
weights and the order of segments. Fewer segments means a consecutive stretch
of each training film; the validation film stays whole. Ratings are missing at
random in the training and validation films, for each viewer and segment.

Features of the films come from the feature store, or take seven more minutes.
Finished fits are kept in --out; stopped at any moment, the same command
continues. A small one: --seeds=0 --points=2 --folds=2 --segments_per_movie=4.
"""

from __future__ import annotations

import pathlib

import joblib
import numpy as np
import pages
import resumable
import sharing_page
import sharing_sweep
from absl import app, flags

import emotion_mt as emt
from emotion_mt.evaluation.figures import style
from emotion_mt.storage import atomic


def define_flags() -> None:
    """Defines the flags of the script."""
    flags.DEFINE_string("data", "data", "Folder of simulated corpora.")
    flags.DEFINE_string("cache", None, "Folder of weights and features.")
    flags.DEFINE_string("out", "runs/sharing", "Folder of the finished fits.")
    flags.DEFINE_string("docs", "docs", "Folder of the page and the figure.")
    flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds, see above.")
    flags.DEFINE_integer("segments_per_movie", 60, "Size of the films.")
    flags.DEFINE_integer("film_seed", 0, "Seed of the films.")
    flags.DEFINE_integer("patience", 5, "Epochs without improvement.")
    flags.DEFINE_float("l1", 1e-4, "Strength of the L1 penalty.")
    flags.DEFINE_list("modalities", ["visual"], "What the models see.")
    flags.DEFINE_integer("workers", None, "Processes; default one per core.")
    flags.DEFINE_integer("points", None, "Only the first points per sweep.")
    flags.DEFINE_integer("folds", None, "Only the first folds.")


def load_material(flag: flags.FlagValues) -> sharing_sweep.Material:
    """Simulates the films, or reads them, and their features.

    Raises:
        ValueError: If the ratings that are simulated in memory are not those
            of the corpus, so that features and labels would not fit.
    """
    segments, film_seed = flag.segments_per_movie, flag.film_seed
    folder = emt.simulate_corpus(
        pathlib.Path(flag.data) / f"simulated-{segments}-seed{film_seed}",
        seed=film_seed,
        segments_per_movie=segments,
    )
    corpus = emt.load_corpus(folder)
    values, _ = sharing_sweep.rated(film_seed, segments, None, film_seed)
    if not np.array_equal(values.astype(np.float32), corpus.values):
        raise ValueError(
            f"{folder}: expected the ratings of seed {film_seed} as this "
            "version simulates them. Received others; remove the folder"
        )
    cache = None if flag.cache is None else pathlib.Path(flag.cache)
    features = emt.extract_features(
        corpus,
        emt.load_i3d(cache_dir=cache),
        cache_dir=None if cache is None else cache / "features",
    )
    config = emt.TrainingConfig(
        modalities=tuple(flag.modalities),
        patience=flag.patience,
        l1=(flag.l1,),
    )
    return sharing_sweep.Material(corpus, features, film_seed, segments, config)


def choose_tasks(
    flag: flags.FlagValues, material: sharing_sweep.Material
) -> dict[str, sharing_sweep.Task]:
    """Lists the tasks that the flags ask for, by their keys."""
    settings = [
        setting
        for sweep in sharing_sweep.SWEEPS.values()
        for setting in sweep[: flag.points]
    ]
    tasks = sharing_sweep.list_tasks(
        material, [int(seed) for seed in flag.seeds], settings
    )
    if flag.folds is None:
        return tasks
    return {key: t for key, t in tasks.items() if t.fold < flag.folds}


def write_results(
    docs: pathlib.Path,
    material: sharing_sweep.Material,
    results: list[dict[str, object]],
) -> None:
    """Writes figure, numbers and the part of the page."""
    frame = sharing_sweep.as_frame(results)
    summary = sharing_page.summarize(frame)
    segments = material.segments_per_movie
    docs.mkdir(parents=True, exist_ok=True)
    style.save(sharing_page.draw(summary, segments), docs / "sharing.png")
    atomic.write_text(
        docs / "sharing.csv", summary.to_csv(index=False, float_format="%.3f")
    )
    seconds = sum(float(str(result["cpu_s"])) for result in results)
    inputs = " and ".join(material.config.modalities)
    text = "\n\n".join(
        [
            "**SIMULATED DATA.** Accuracy in % on held-out films, input "
            f"{inputs}, {segments} segments per film, "
            f"{sharing_page.caption(summary)}",
            sharing_page.to_markdown(frame, summary, segments),
            f"Written by `python benchmarks/sharing.py`: {len(results)} "
            f"tasks, {seconds / 60:.0f} minutes of one core.",
        ]
    )
    pages.replace_between_markers(docs / "simulation.md", "sharing", text)
    print(text)


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    flag = flags.FLAGS
    path = pathlib.Path(flag.out) / "results.jsonl"
    material = load_material(flag)
    tasks = choose_tasks(flag, material)
    workers = flag.workers or joblib.cpu_count()
    done = resumable.read_results(path)
    waiting = [task for key, task in tasks.items() if key not in done]
    minutes = sharing_sweep.estimate_s(material, waiting) / 60
    print(
        f"{len(waiting)} of {len(tasks)} tasks to do: about {minutes:.0f} "
        f"minutes of one core, {minutes / workers:.0f} on {workers} quiet ones",
        flush=True,
    )
    results = resumable.run(
        sharing_sweep.run_task, tasks, path, material, workers, "Sharing"
    )
    write_results(pathlib.Path(flag.docs), material, results)


if __name__ == "__main__":
    define_flags()
    app.run(main)
