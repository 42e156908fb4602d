"""The model card: a bundle's README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jinja2

from emotion_mt import paper

if TYPE_CHECKING:
    from emotion_mt.inference.bundle import Bundle

_NOT_STATED = "not stated"


def render(bundle: Bundle, template: str = "card.md") -> str:
    """Writes the model card of a bundle.

    Args:
        bundle: The bundle.
        template: "card.md", or "saved_model.md" for an exported bundle.

    Returns:
        Markdown: what the model does, how to load it, what it was trained
        on, its scores and its limits. What `training` does not say is "not
        stated". A simulated corpus is named as such at the top.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emotion_mt.inference"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A bar or a new line would end the cell.
    environment.filters["cell"] = lambda text: " ".join(
        str(text).replace("|", "\\|").splitlines()
    )
    corpus = _mapping(bundle.training.get("corpus"))
    split = _mapping(bundle.training.get("split"))
    return environment.get_template(template).render(
        bundle=bundle,
        average=paper.AVERAGE,
        dimension=corpus.get("dimension", "valence"),
        facts=_facts(bundle, corpus, split),
        measures=list(
            dict.fromkeys(m for score in bundle.scores.values() for m in score)
        ),
        number=_number,
        tested=_films(split.get("test")),
    )


def _facts(
    bundle: Bundle, corpus: Mapping[str, Any], split: Mapping[str, Any]
) -> dict[str, str]:
    """Where the model comes from."""
    facts = {
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
    if bundle.feature_config is not None:
        facts["Digest of the I3D weights"] = _code(bundle.weights_digest)
        facts["Windows"] = _settings(bundle.feature_config.as_dict())
    facts["Training"] = _settings(bundle.training.get("config"))
    facts["Written with"] = _settings(bundle.versions)
    return facts


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _stated(value: Any) -> str:
    return _NOT_STATED if value is None or value == "" else str(value)


def _yes_or_no(value: Any) -> str:
    if value is None:
        return _NOT_STATED
    return "**yes**" if value else "no"


def _code(value: Any) -> str:
    return f"`{value}`" if value else _NOT_STATED


def _films(value: Any) -> str:
    if value is None:
        return _NOT_STATED
    films = [value] if isinstance(value, str) else list(value)
    return ", ".join(map(str, films)) or "none"


def _settings(values: Any) -> str:
    pairs = [f"{name} {value}" for name, value in _mapping(values).items()]
    return "; ".join(pairs) or _NOT_STATED


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
