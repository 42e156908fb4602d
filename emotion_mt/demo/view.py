"""Pieces of the page: HTML as text, everything from a file escaped."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotion_mt import paper
from emotion_mt._clock import clock
from emotion_mt.demo.job import Result, average_first
from emotion_mt.demo.limits import Limits
from emotion_mt.inference import Bundle, card

#: Rows of the table on the page; the CSV file holds all.
MAX_TABLE_ROWS = 1500

#: Notes on the page.
MAX_NOTES = 12

SIMULATED = (
    '<div class="emt-simulated"><strong>SIMULATED</strong> '
    "<span>This model was trained on simulated data. What it predicts says "
    "nothing about real viewers or real films.</span></div>"
)

_MISSING = "–"


def message(text: str, kind: str = "info") -> str:
    """A message in a box.

    Args:
        text: Plain text.
        kind: "info", "done" or "error".

    Returns:
        HTML; an error is announced to screen readers at once.
    """
    role = "alert" if kind == "error" else "status"
    return (
        f'<div class="emt-message emt-{kind}" role="{role}">'
        f"{html.escape(text)}</div>"
    )


def header(bundle: Bundle) -> str:
    """What the page is, and what the model looks at."""
    takes = " and ".join(
        {"text": "subtitles", "visual": "pictures"}[m]
        for m in bundle.modalities
    )
    count = len([v for v in bundle.viewers if v != paper.AVERAGE])
    viewers = f"{count} viewer{'s' if count != 1 else ''}" if count else ""
    if paper.AVERAGE in bundle.viewers:
        viewers += (" and their" if viewers else "the") + " average"
    text = (
        f"How likely each moment of a film is to feel positive to {viewers}, "
        f"from its {takes}."
    )
    return (
        '<div class="emt-header"><h1>Evoked emotion of film viewers</h1>'
        f"<p>{html.escape(text)}</p></div>"
        + (SIMULATED if bundle.simulated else "")
    )


def rules(limits: Limits) -> str:
    """What is taken and what becomes of it."""
    return (
        '<p class="emt-rules">Files of at most '
        f"{limits.max_upload_mb:g} MB, films of at most "
        f"{limits.max_minutes:g} minutes. They are sent to the machine that "
        "runs this page, nowhere else, and deleted after the prediction.</p>"
    )


def model_card(bundle: Bundle) -> str:
    """Viewers, corpus and held-out scores, and the whole model card."""
    corpus = _mapping(bundle.training.get("corpus"))
    split = _mapping(bundle.training.get("split"))
    untrained = ", ".join(bundle.untrained_viewers)
    facts = {
        "Viewers": ", ".join(average_first(bundle.viewers))
        + (f" (not trained: {untrained})" if untrained else ""),
        "Looks at": " and ".join(bundle.modalities),
        "Corpus": _text(corpus.get("name"))
        + (" (simulated)" if bundle.simulated else ""),
        "Ratings": " ".join(
            str(corpus[key])
            for key in ("annotation", "dimension")
            if corpus.get(key)
        )
        or "not stated",
        "Trained on": _films(split.get("train")),
        "Held out": _films(split.get("test")),
        "Held-out accuracy": _accuracy(bundle),
    }
    rows = "".join(
        f"<tr><th scope=row>{name}</th><td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    return (
        f'<div class="emt-card"><table class="emt-facts">{rows}</table>'
        f"{_scores(bundle)}<details><summary>The whole model card</summary>"
        f"<pre>{html.escape(card.render(bundle))}</pre></details></div>"
    )


def notes(result: Result) -> str:
    """What a user should know about a prediction; "" where there is none."""
    if not result.notes:
        return ""
    shown = [html.escape(note) for note in result.notes[:MAX_NOTES]]
    if len(result.notes) > MAX_NOTES:
        shown.append(f"and {len(result.notes) - MAX_NOTES} more of the kind")
    items = "".join(f"<li>{note}</li>" for note in shown)
    return f'<ul class="emt-notes">{items}</ul>'


def moment(result: Result, time_s: float, row: int | None = None) -> str:
    """The frame, the subtitle and the probabilities at a time.

    Args:
        result: The prediction.
        time_s: The time in seconds.
        row: The segment, where several overlap; None to look for it.

    Returns:
        HTML.
    """
    if row is None:
        row = result.row_at(time_s)
    bars = "".join(_bar(result, viewer, row) for viewer in result.viewers)
    if row is None:
        times = f"{clock(time_s)}, between two segments"
        text = ""
    else:
        times = f"{clock(result.starts_s[row])} to {clock(result.ends_s[row])}"
        text = result.texts[row]
    caption = html.escape(text)
    picture = ""
    if result.frames is not None:
        jpeg = result.frames.at(time_s)
        picture = (
            '<div class="emt-picture emt-none">The film has no frame here</div>'
            if jpeg is None
            else '<div class="emt-picture"><img alt="Frame at '
            f'{clock(time_s)}" src="data:image/jpeg;base64,{_base64(jpeg)}">'
            "</div>"
        )
    return (
        '<div class="emt-moment"><figure>'
        f"{picture}<figcaption><b>{times}</b><q>{caption}</q></figcaption>"
        f'</figure><div class="emt-bars"><p>Probability of “positive”</p>{bars}'
        "</div></div>"
    )


def table(result: Result) -> str:
    """The segments table, and the link that saves all of it as CSV."""
    head = "".join(
        f"<th scope=col>{html.escape(viewer)}</th>" for viewer in result.viewers
    )
    values = np.stack([result.probabilities(v) for v in result.viewers], axis=1)
    columns = zip(
        result.starts_s,
        result.ends_s,
        result.texts,
        values,
        strict=True,
    )
    rows = []
    for number, (start, end, text, row) in enumerate(columns):
        if number == MAX_TABLE_ROWS:
            break
        cells = "".join(
            f'<td class="emt-{_kind(value)}">{_number(value)}</td>'
            for value in row
        )
        rows.append(
            f'<tr data-row="{number}"><td><button type=button>{clock(start)}'
            f"</button></td><td>{clock(end)}</td>"
            f'<td class="emt-text">{html.escape(text)}</td>{cells}</tr>'
        )
    total = len(result.table)
    more = (
        f"These are the first {MAX_TABLE_ROWS} segments; the CSV file holds "
        f"all {total}."
        if total > MAX_TABLE_ROWS
        else ""
    )
    return (
        f'<div class="emt-tablehead"><h2>{total} '
        f"segment{'s' if total != 1 else ''}</h2>{_csv_link(result)}</div>"
        '<div class="emt-scroll" tabindex=0><table class="emt-table"><thead>'
        "<tr><th scope=col>Start</th><th scope=col>End</th><th scope=col>Text"
        f"</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f'<p class="emt-help">Bold: “positive”, a probability above 0.5. '
        f"{more}</p>"
    )


def csv_name(result: Result) -> str:
    """Name of the CSV file: that of the clip, and what is in it."""
    simulated = "_SIMULATED" if result.simulated else ""
    return f"{Path(result.names[0]).stem}_emotions{simulated}.csv"


def _csv_link(result: Result) -> str:
    # The file is in the link: nothing is left on the server.
    content = result.table.to_csv(index=False).encode("utf-8")
    return (
        f'<a class="emt-csv" download="{html.escape(csv_name(result))}" '
        f'href="data:text/csv;charset=utf-8;base64,{_base64(content)}">'
        "Download CSV</a>"
    )


def _bar(result: Result, viewer: str, row: int | None) -> str:
    value = math.nan if row is None else result.probabilities(viewer)[row]
    kind = _kind(value)
    share = 0.0 if math.isnan(value) else 100 * value
    average = " emt-average" if viewer == paper.AVERAGE else ""
    return (
        f'<div class="emt-bar emt-{kind}{average}"><span>{html.escape(viewer)}'
        f'</span><i><b style="width:{share:.1f}%"></b></i>'
        f"<output>{_number(value)}</output></div>"
    )


def _kind(value: float) -> str:
    """The class of a probability, as `Predictor` labels it."""
    if math.isnan(value):
        return "unknown"
    return "positive" if value > 0.5 else "negative"


def _number(value: float) -> str:
    return _MISSING if math.isnan(value) else f"{value:.2f}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return str(value) if value else "not stated"


def _films(value: Any) -> str:
    films = [value] if isinstance(value, str) else value
    return ", ".join(map(str, films)) if films else "not stated"


def _accuracy(bundle: Bundle) -> str:
    """The accuracy of the average and the mean over the other viewers."""
    found = {
        viewer: float(score["accuracy"])
        for viewer, score in bundle.scores.items()
        if isinstance(score.get("accuracy"), int | float)
    }
    if not found:
        return "not stated"
    parts = []
    if paper.AVERAGE in found:
        parts.append(f"{found[paper.AVERAGE]:.1%} for {paper.AVERAGE}")
    others = [v for name, v in found.items() if name != paper.AVERAGE]
    if others:
        count = len(others)
        of = "one viewer" if count == 1 else f"mean of {count} viewers"
        parts.append(f"{sum(others) / count:.1%} ({of})")
    return ", ".join(parts)


def _scores(bundle: Bundle) -> str:
    """A table of all held-out scores, "" where there is none."""
    names = list(
        dict.fromkeys(n for score in bundle.scores.values() for n in score)
    )
    if not names:
        return ""
    rows = [
        [viewer, *(bundle.scores[viewer].get(name) for name in names)]
        for viewer in average_first(bundle.viewers)
        if viewer in bundle.scores
    ]
    head = "".join(
        f"<th scope=col>{html.escape(name.replace('_', ' '))}</th>"
        for name in ("viewer", *names)
    )
    body = "".join(f"<tr>{_score_cells(row)}</tr>" for row in rows)
    return (
        '<div class="emt-scroll" tabindex=0><table class="emt-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _score_cells(row: Sequence[Any]) -> str:
    cells = []
    for value in row:
        if value is None:
            text = _MISSING
        elif isinstance(value, float):
            text = f"{value:.3f}"
        else:
            text = html.escape(str(value))
        cells.append(f"<td>{text}</td>")
    return "".join(cells)
