"""The model card: a bundle's README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emotion_mt import paper

if TYPE_CHECKING:
    from emotion_mt.inference.bundle import Bundle

_NOT_STATED = "not stated"


def render(bundle: Bundle) -> str:
    """Writes the model card of a bundle.

    Args:
        bundle: The bundle.

    Returns:
        Markdown: what the model does, how to load it, what it was trained
        on, its scores and its limits. What `training` does not say is "not
        stated". A simulated corpus is named as such at the top.
    """
    parts = [
        _heading(bundle),
        _usage(bundle),
        _training(bundle),
        _scores(bundle),
        _limits(bundle),
    ]
    return "\n\n".join(parts) + "\n"


def _heading(bundle: Bundle) -> str:
    kind = "Multi-task" if len(bundle.viewers) > 1 else "Single-task"
    lines = [
        f"# Evoked emotion of film viewers: {kind.lower()} model of "
        f"{' and '.join(bundle.modalities)}",
        "",
    ]
    if bundle.simulated:
        lines += [
            "> **SIMULATED DATA.** This model was trained and tested on a "
            "simulated corpus. Its scores and predictions say nothing about "
            "real viewers or real films.",
            "",
        ]
    dimension = _mapping(bundle, "corpus").get("dimension", "valence")
    lines += [
        f"{kind} model (`EvokedEmotionModel` of the Python package "
        f"`emotion_mt`) of the {dimension} that a film evokes. For each "
        "segment of a film it gives the probability that the segment is "
        f"positive (mean {dimension} above 0) to each of "
        f"{len(bundle.viewers)} viewers: {', '.join(bundle.viewers)}.",
        "",
        "Reference: Hayat, Ventura and Lapedriza, “Recognizing Emotions "
        "evoked by Movies using Multitask Learning”, ACII 2021.",
    ]
    if paper.AVERAGE in bundle.viewers and len(bundle.viewers) > 1:
        lines += ["", f"`{paper.AVERAGE}` is the average of the viewers."]
    return "\n".join(lines)


def _usage(bundle: Bundle) -> str:
    arguments = []
    if "visual" in bundle.modalities:
        arguments.append('video="film.mp4"')
    if "text" in bundle.modalities:
        arguments.append('subtitles="film.srt"')
    lines = [
        "## How to load it",
        "",
        "```python",
        "import emotion_mt as emt",
        "",
        'predictor = emt.Predictor.load("path/of/this/folder")',
        f"predictions = predictor.predict({', '.join(arguments)})",
        "```",
        "",
        "One row per segment: `start_s`, `end_s`, `text`, and for each viewer "
        "`<viewer>_probability` (0 to 1) and `<viewer>_label`.",
    ]
    if bundle.modalities == ("visual",):
        lines.append(
            "Subtitles may be given too; segments are then the cues, else "
            "pieces of a fixed length."
        )
    return "\n".join(lines)


def _training(bundle: Bundle) -> str:
    corpus = _mapping(bundle, "corpus")
    split = _mapping(bundle, "split")
    rows = {
        "Corpus": _stated(corpus.get("name")),
        "Simulated": _yes_or_no(corpus.get("simulated")),
        "Annotation": _stated(corpus.get("annotation")),
        "Digest of the corpus": _code(corpus.get("digest")),
        "Fold": _stated(split.get("name")),
        "Trained on": _films(split.get("train")),
        "Validated on": _films(split.get("validation")),
        "Tested on": _films(split.get("test")),
        "Seed": _stated(bundle.training.get("seed")),
    }
    if "visual" in bundle.modalities:
        rows["Digest of the I3D weights"] = _code(bundle.weights_digest)
        config = bundle.feature_config
        settings = config.as_dict() if config else {}
        rows["Windows"] = _settings(settings)
    rows["Training"] = _settings(_mapping(bundle, "config"))
    rows["Written with"] = _settings(bundle.versions)
    return "## Where it comes from\n\n" + _table(("", ""), list(rows.items()))


def _scores(bundle: Bundle) -> str:
    if not bundle.scores:
        return f"## Scores\n\nScores: {_NOT_STATED}."
    names = list(
        dict.fromkeys(n for score in bundle.scores.values() for n in score)
    )
    rows = [
        (viewer, *(_number(bundle.scores[viewer].get(n)) for n in names))
        for viewer in bundle.viewers
        if viewer in bundle.scores
    ]
    films = _films(_mapping(bundle, "split").get("test"))
    note = " Simulated data." if bundle.simulated else ""
    return (
        f"## Scores\n\nOn the tested films ({films}); accuracies are shares "
        f"in [0, 1], “–” is undefined.{note}\n\n"
        + _table(("viewer", *names), rows)
    )


def _limits(bundle: Bundle) -> str:
    limits = [
        "A viewer is one person who rated these films. The model does not "
        "know how anybody else feels, and must not be used to judge people.",
        "Films differ: the scores above are of few films, and on another "
        "film they may be far lower. A probability is not calibrated.",
        "A label is “positive” above a probability of 0.5, “negative” "
        "otherwise; neutral does not exist.",
    ]
    if "text" in bundle.modalities:
        limits.append(
            f"It reads the first {bundle.model.words} words of a segment; "
            "words that the training films do not have are one unknown word."
        )
    if "visual" in bundle.modalities:
        limits.append(
            "It sees moving pictures only, no sound, through an I3D network "
            "with the weights named above."
        )
    if bundle.untrained_viewers:
        limits.append(
            "Not trained, for want of a label in the training films, and "
            f"not predicted: {', '.join(bundle.untrained_viewers)}."
        )
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _mapping(bundle: Bundle, key: str) -> Mapping[str, Any]:
    value = bundle.training.get(key)
    return value if isinstance(value, Mapping) else {}


def _stated(value: Any) -> str:
    return _NOT_STATED if value is None or value == "" else str(value)


def _yes_or_no(value: Any) -> str:
    if value is None:
        return _NOT_STATED
    return "**yes**" if value else "no"


def _code(value: Any) -> str:
    return _NOT_STATED if not value else f"`{value}`"


def _films(value: Any) -> str:
    if value is None:
        return _NOT_STATED
    films = [value] if isinstance(value, str) else list(value)
    return ", ".join(map(str, films)) or "none"


def _settings(values: Mapping[str, Any]) -> str:
    pairs = [f"{name} {value}" for name, value in values.items()]
    return "; ".join(pairs) or _NOT_STATED


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    # A bar in a name would end the cell.
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |"
        for line in lines
    )
