"""The model card: a bundle's README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jinja2

from emotion_mt import paper
from emotion_mt.evaluation.templating import ENVIRONMENT
from emotion_mt.inference.new_viewer import expected_gain, rating_notes

if TYPE_CHECKING:
    from emotion_mt.inference.bundle import Bundle


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
    loader = jinja2.PackageLoader("emotion_mt.inference")
    templates = ENVIRONMENT.overlay(loader=loader)
    # The filters of an overlay are those of its origin.
    templates.filters = {**ENVIRONMENT.filters, "cell": _cell}
    return templates.get_template(template).render(
        bundle=bundle,
        average=paper.AVERAGE,
        expectations=_expectations,
        corpus=_mapping(bundle.training.get("corpus")),
        split=_mapping(bundle.training.get("split")),
        config=_mapping(bundle.training.get("config")),
        measures=list(
            dict.fromkeys(m for score in bundle.scores.values() for m in score)
        ),
    )


def _expectations(positive: int, negative: int) -> list[str]:
    """What is to be expected of a new viewer who rests on so many ratings."""
    gain = expected_gain(positive, negative)
    return [*rating_notes(positive, negative), *([gain] if gain else [])]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _cell(value: Any) -> str:
    """A value in a cell of a Markdown table."""
    if isinstance(value, Mapping):
        value = "; ".join(f"{key} {part}" for key, part in value.items())
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        value = "**yes**" if value else "no"
    if isinstance(value, float):
        value = f"{value:.3f}"
    text = "" if value is None else str(value)
    # A bar or a new line would end the cell.
    return " ".join(text.replace("|", "\\|").split("\n")) or "not stated"
