r"""How well does a new viewer do from a few ratings?

    python benchmarks/new_viewer.py

Each viewer of a simulated corpus and of two real ones is left out in turn: MT
is trained on the others, with their own average, and the viewer is then added
from 5 to 100 of the ratings that they gave in the training films, drawn three
times, and scored on the held-out films. Beside the package's method stand
others, and ST that is trained on the viewer's own ratings. Writes the figure,
the numbers (.csv) and the tables of docs/new_viewer.md.

To take minutes and not hours, models read text alone and have small layers,
films are held out by thirds, and patience is 5. Finished fits are kept in
--out; stopped at any moment, the same command continues. A small run:
--corpora=simulated --segments_per_movie=12 --parts=1 --docs=FOLDER.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import new_viewer_scores as scoring
import numpy as np
import pages
import pandas as pd
import tensorflow as tf
from absl import app, flags
from sharing_sweep import text_corpus
from tqdm.auto import tqdm

import emotion_mt as emt
from emotion_mt import paper
from emotion_mt.corpus import is_rated, mean_of_rated
from emotion_mt.evaluation.figures import style
from emotion_mt.evaluation.jobs import versions
from emotion_mt.inference.new_viewer import rating_weights
from emotion_mt.models import LazyAdam, tokenize
from emotion_mt.models.layers import head_name
from emotion_mt.simulation import SimulationConfig, simulate_state
from emotion_mt.storage import atomic

#: Steps of Adam, with the paper's rate, that tune the head of the average.
TUNING_STEPS = 10

#: Ratings that ST from few ratings learns from.
ST_COUNT = 50

#: Kinds of ST to how the page calls them.
ALONE = {
    "ST": scoring.ALONE,
    "ST few": f"ST, {ST_COUNT} ratings",
}

#: Layers of the networks; the paper's are several times as wide.
SIZES: dict[str, Any] = {
    "embedding_dim": 64,
    "text_filters": 64,
    "single_task_trunk_units": (256, 128, 64),
    "multi_task_trunk_units": (256, 128),
    "multi_task_head_units": (64,),
}


def define_flags() -> None:
    """Defines the flags of the script."""
    names = ["simulated", "studyforrest", "sherlock"]
    kinds = ["MT", "ST", "ST few"]
    flags.DEFINE_list("corpora", names, "Which corpora.")
    flags.DEFINE_multi_enum("kinds", kinds, kinds, "Which networks.")
    flags.DEFINE_integer("parts", 3, "How many thirds are held out in turn.")
    flags.DEFINE_boolean("fit", True, "If not, the page shows finished fits.")
    flags.DEFINE_integer("segments_per_movie", 120, "Of the simulated films.")
    flags.DEFINE_string("cache", None, "Folder of downloads.")
    flags.DEFINE_string("out", "runs/new_viewer", "Folder of finished fits.")
    flags.DEFINE_string("docs", "docs", "Folder of the page and the figure.")


def splits(movies: Sequence[str]) -> Iterator[paper.Split]:
    """Yields splits that test on every third film, each film once."""
    for part in range(3):
        test = tuple(movies[part::3])
        validation = (movies[(part + 1) % 3],)
        train = tuple(x for x in movies if x not in {*test, *validation})
        yield paper.Split(f"P{part + 1}", train, validation, test)


def without(corpus: emt.Corpus, viewer: str) -> emt.Corpus:
    """Returns the corpus of the other viewers, with their own average."""
    others = [x for x in corpus.viewers if x not in (viewer, paper.AVERAGE)]
    values = corpus.values[:, [corpus.column(x) for x in others]]
    average = mean_of_rated(values.T)
    return corpus.replace(
        viewers=(*others, paper.AVERAGE),
        values=np.column_stack([values, average]).astype("float32"),
        ceiling=None,
    )


def fit_case(
    corpus: emt.Corpus,
    viewer: str,
    split: paper.Split,
    config: emt.TrainingConfig,
) -> dict[str, Any]:
    """Fits MT on the other viewers.

    Args:
        corpus: With the viewer.
        viewer: Who is new.
        split: Films to train on and to be scored on.
        config: Of the network.

    Returns:
        Its viewers; for the films of each part, answers ("train_known" and so
        on, float32 [n, V]), output of the trunk, labels of the new viewer and
        films; and answers of the tuned head.
    """
    known = without(corpus, viewer)
    result = emt.fit_split(known, None, split, known.viewers, config)
    first = result.model.get_layer(f"{head_name(known.viewers[0])}_dense_0")
    trunk = keras.Model(result.model.input, first.input)
    labels = corpus.labels[:, corpus.column(viewer)]
    case: dict[str, Any] = {"viewers": known.viewers}
    for part in ("train", "validation", "test"):
        rows = corpus.rows(getattr(split, part))
        segments = corpus.segments.iloc[rows]
        inputs = {"tokens": tokenize(result.tokenizer, segments["text"])}
        case[f"{part}_known"] = result.model.predict(inputs, verbose=0)
        case[f"{part}_trunk"] = trunk.predict(inputs, verbose=0)
        case[f"{part}_labels"] = labels[rows]
        case[f"{part}_movies"] = segments["movie"].to_numpy(dtype=str)
    case["tuned"] = tune_head(result.model, case)
    return case


def fit_alone(
    corpus: emt.Corpus,
    viewer: str,
    split: paper.Split,
    config: emt.TrainingConfig,
    count: int | None = None,
) -> dict[str, Any]:
    """Fits ST on all ratings of the training films, or on `count` of them.

    Those for validation are all there. Arguments as of `fit_case`.
    """
    train = corpus.rows(split.train)
    movies = corpus.segments["movie"].to_numpy(dtype=str)[train]
    rated = is_rated(corpus.labels[train, corpus.column(viewer)])
    values = corpus.values.copy()
    values[np.delete(train, scoring.draw_ratings(movies, rated, 0)[:count])] = (
        np.nan
    )
    some = corpus.replace(values=values)
    result = emt.fit_split(some, None, split, [viewer], config)
    return {"answers": result.probabilities[:, 0]}


def tune_head(model: emt.EvokedEmotionModel, case: scoring.Case) -> np.ndarray:
    """Tunes the head of the average viewer on a few ratings.

    Returns:
        float32 [counts, draws, n], answers for the test films.
    """
    names = [f"{head_name(paper.AVERAGE)}_{x}" for x in ("dense_0", "output")]
    own = [model.get_layer(name) for name in names]
    head = _head(*(layer.kernel.shape[0] for layer in own))
    found = []
    for count in scoring.COUNTS:
        for draw in range(scoring.DRAWS):
            rows = scoring.choose(case, count, draw)
            labels = case["train_labels"][rows]
            head.set_weights([w for layer in own for w in layer.get_weights()])
            for variable in head.optimizer.variables:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            head.optimizer.learning_rate = paper.LEARNING_RATE
            for _ in range(TUNING_STEPS):
                head.train_on_batch(
                    case["train_trunk"][rows],
                    labels[:, None],
                    sample_weight=rating_weights(labels)[:, None],
                )
            found.append(head(case["test_trunk"])[:, 0].numpy())
    return np.reshape(found, (len(scoring.COUNTS), scoring.DRAWS, -1))


@functools.lru_cache(maxsize=1)  # Tracing takes longer than all steps.
def _head(inputs: int, units: int) -> keras.Model:
    hidden = keras.layers.Dense(units, activation="relu")
    output = keras.layers.Dense(1, activation="sigmoid")
    head = keras.Sequential([keras.Input((inputs,)), hidden, output])
    head.compile(LazyAdam(), "binary_crossentropy")
    head.optimizer.build(head.trainable_variables)
    return head


def load_corpus(flag: flags.FlagValues, name: str) -> emt.Corpus:
    """Simulates or loads a corpus."""
    if name == "simulated":
        how = (0, flag.segments_per_movie, SimulationConfig())
        return text_corpus(simulate_state(*how))
    return emt.load_raters(name, flag.cache)


def list_fits(
    flag: flags.FlagValues, corpora: Mapping[str, emt.Corpus]
) -> pd.DataFrame:
    """Lists all fits, those of one architecture together.

    Returns:
        DataFrame with "kind", "corpus", "viewer", "split", "config" and the
        "path" of the result, whose name holds a digest of what decides it.
    """
    config = emt.TrainingConfig(modalities=("text",), patience=5, **SIZES)
    rows = []
    for kind in flag.kinds:
        for name, corpus in corpora.items():
            for split in [*splits(corpus.movies)][: flag.parts]:
                how = [dataclasses.asdict(split), config.to_json(), versions()]
                text = json.dumps([corpus.digest(), TUNING_STEPS, *how])
                digest = hashlib.sha256(text.encode()).hexdigest()[:10]
                for viewer in corpus.viewers[:-1]:
                    stem = f"{name}-{viewer}-{split.name}-{kind}-{digest}"
                    path = pathlib.Path(flag.out) / f"{stem}.npz"
                    rows.append((kind, name, viewer, split, config, path))
    columns = ["kind", "corpus", "viewer", "split", "config", "path"]
    return pd.DataFrame(rows, columns=columns)


def fit_missing(fits: pd.DataFrame, corpora: Mapping[str, emt.Corpus]) -> None:
    """Makes the fits that have no result yet."""
    ways = {
        "MT": fit_case,
        "ST": fit_alone,
        "ST few": functools.partial(fit_alone, count=ST_COUNT),
    }
    waiting = [fit for fit in fits.itertuples() if not fit.path.exists()]
    for fit in tqdm(waiting, desc="Fits"):
        corpus = corpora[fit.corpus]
        found = ways[fit.kind](corpus, fit.viewer, fit.split, fit.config)
        fit.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(fit.path) as place, place.open("wb") as file:
            np.savez_compressed(file, **found)


def score_fits(fits: pd.DataFrame) -> pd.DataFrame:
    """Scores all cases whose fits are finished.

    Returns:
        DataFrame of `score_case`, with "corpus", "viewer" and "part".
    """
    frames = []
    fits = fits.assign(part=[split.name for split in fits["split"]])
    for (corpus, viewer, part), own in fits.groupby(
        ["corpus", "viewer", "part"], sort=False
    ):
        paths = dict(zip(own["kind"], own["path"], strict=True))
        if not all(paths[kind].exists() for kind in ("MT", "ST")):
            continue
        alone = {
            name: np.load(paths[kind])["answers"]
            for kind, name in ALONE.items()
            if kind in paths and paths[kind].exists()
        }
        case = dict(np.load(paths["MT"]))
        grid = corpus in scoring.GRID_CORPORA
        frame = pd.DataFrame(scoring.score_case(case, alone, grid))
        frames.append(frame.assign(corpus=corpus, viewer=viewer, part=part))
    return pd.concat(frames, ignore_index=True)


def main(argv: list[str]) -> None:
    """Runs the script."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    flag = flags.FLAGS
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    corpora = {name: load_corpus(flag, name) for name in flag.corpora}
    fits = list_fits(flag, corpora)
    if flag.fit:
        fit_missing(fits, corpora)
    frame = score_fits(fits)
    docs = pathlib.Path(flag.docs)
    docs.mkdir(parents=True, exist_ok=True)
    numbers = scoring.summarize(frame)
    atomic.write_text(
        docs / "new_viewer.csv",
        numbers.to_csv(index=False, float_format="%.3f"),
    )
    style.save(scoring.draw(numbers), docs / "new_viewer.png")
    text = scoring.to_markdown(frame, numbers)
    pages.replace_between_markers(docs / "new_viewer.md", "numbers", text)
    print(text)


if __name__ == "__main__":
    define_flags()
    app.run(main)
