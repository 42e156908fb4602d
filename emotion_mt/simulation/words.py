"""Subtitles: sentences whose sentiment follows the hidden valence weakly."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from pysubs2.formats.subrip import SubripFormat

from emotion_mt.simulation import lexicon, streams
from emotion_mt.simulation.config import FilmProfile, SimulationConfig
from emotion_mt.simulation.hidden import shared_weights
from emotion_mt.simulation.timeline import STEP_MS, Timeline

#: No subtitle has more words.
MOST_WORDS = 15

# Sentiments below and above these quantiles are negative and positive.
_POLAR_SHARE = 0.40
_WORDS_PER_S = 2.3
_WORDS_SPREAD = (0.6, 1.25)
_CANDIDATES = 6
_ADDRESSED = 0.15
# Chance of a sentence to open with a word such as "well". Those with a
# sentiment have exclamations of their own, and more often.
_OPENED = 0.12
_EXCLAIMED = 0.9
# A second sentence, for cues that have room for it.
_SECOND_FROM_WORDS = 8
_LINE_CHARACTERS = 34
_ITALIC = 0.04

_SLOT = re.compile(r"\{(\S+?)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")
_SENTENCE_START = re.compile(r"(^|[.!?] )([a-z])")


def make_subtitles(
    film: FilmProfile,
    timeline: Timeline,
    content: np.ndarray,
    seed: int,
    config: SimulationConfig,
) -> tuple[str, ...]:
    """Writes what is said during each cue.

    Longer cues get more words. They follow the shared valence of `content`,
    float64 [S, K], by `config.text_informativeness`; the valences of all
    films are standardized together.

    Returns:
        One text per cue, 1 to `MOST_WORDS` words, without markup.
    """
    rng = streams.stream(seed, "words", film.movie)
    # In every film the same sentiment means the same, so that words carry
    # the difference between films too.
    spread = np.sqrt(1 + np.mean([f.valence**2 for f in config.films]))
    valence = _cue_valence(content, timeline) / spread
    known = config.text_informativeness
    noise = rng.standard_normal(len(valence))
    sentiment = known * valence + np.sqrt(1 - known**2) * noise
    limit = statistics.NormalDist().inv_cdf(1 - _POLAR_SHARE)
    length_s = (timeline.cue_end_ms - timeline.cue_start_ms) / 1000
    words = length_s * _WORDS_PER_S * rng.uniform(*_WORDS_SPREAD, len(length_s))
    vocabulary = {**lexicon.WORDS, **lexicon.FILM_WORDS[film.movie]}
    texts = []
    for value, target in zip(sentiment, words, strict=True):
        polar = lexicon.POSITIVE if value > 0 else lexicon.NEGATIVE
        kind = polar if abs(value) > limit else lexicon.NEUTRAL
        texts.append(_cue_text(kind, float(target), vocabulary, rng))
    return tuple(texts)


def _cue_valence(content: np.ndarray, timeline: Timeline) -> np.ndarray:
    """Averages the shared valence over each cue: float64 [C].

    It is in standard deviations within a film.
    """
    by_shot = content @ shared_weights("valence")
    by_frame = np.append(0.0, np.cumsum(by_shot[timeline.shot_of_frame]))
    first = timeline.cue_start_ms // STEP_MS
    beyond = np.minimum(timeline.cue_end_ms // STEP_MS + 1, timeline.frames)
    return (by_frame[beyond] - by_frame[first]) / (beyond - first)


def _cue_text(
    kind: str,
    target: float,
    vocabulary: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
) -> str:
    """Returns the one of some candidates that is nearest to `target` words."""
    candidates = []
    for _ in range(_CANDIDATES):
        text = _sentence(kind, vocabulary, rng)
        if target >= _SECOND_FROM_WORDS:
            text += " " + _sentence(kind, vocabulary, rng)
        candidates.append(text)
    short = [t for t in candidates if len(t.split()) <= MOST_WORDS]
    # No single sentence of the lexicon is too long (a test sees to it).
    return min(
        short or [_sentence(kind, vocabulary, rng)],
        key=lambda text: abs(len(text.split()) - target),
    )


def _sentence(
    kind: str,
    vocabulary: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
) -> str:
    neutral = kind == lexicon.NEUTRAL
    patterns = lexicon.PATTERNS[kind]
    pattern = patterns[rng.integers(len(patterns))]
    if "{name}" not in pattern and rng.random() < _ADDRESSED:
        pattern = f"{{name}}, {pattern[0].lower()}{pattern[1:]}"
    elif rng.random() < (_OPENED if neutral else _EXCLAIMED):
        opener = "opener" if neutral else f"opener{kind}"
        pattern = f"{{{opener}}}, {pattern[0].lower()}{pattern[1:]}"
    text = _SLOT.sub(lambda slot: _word(vocabulary[slot[1]], rng), pattern)
    # The pronoun was lowered with the first letter.
    text = re.sub(r"\bi\b", "I", text)
    text = _ARTICLE.sub(r"\1n ", text)
    return _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), text)


def _word(words: Sequence[str], rng: np.random.Generator) -> str:
    """Draws a word by Zipf's law: the n-th has a chance as 1/n."""
    chances = 1.0 / (np.arange(len(words)) + 1.0)
    return words[rng.choice(len(words), p=chances / chances.sum())]


def to_subrip(
    texts: Sequence[str], timeline: Timeline, rng: np.random.Generator
) -> str:
    """Formats cues as a SubRip file with Windows line ends.

    Long texts are on two lines, and some cues, drawn with `rng`, in italics.
    """
    blocks = []
    clock = SubripFormat.ms_to_timestamp
    for number, text in enumerate(texts, 1):
        start = clock(int(timeline.cue_start_ms[number - 1]))
        end = clock(int(timeline.cue_end_ms[number - 1]))
        body = _two_lines(text)
        if rng.random() < _ITALIC:
            body = f"<i>{body}</i>"
        blocks.append(f"{number}\n{start} --> {end}\n{body}\n\n")
    return "".join(blocks).replace("\n", "\r\n")


def _two_lines(text: str) -> str:
    """Breaks a long text at the blank nearest to its middle."""
    if len(text) <= _LINE_CHARACTERS:
        return text
    blanks = [i for i, character in enumerate(text) if character == " "]
    if not blanks:
        return text
    middle = min(blanks, key=lambda i: abs(i - len(text) // 2))
    return f"{text[:middle]}\n{text[middle + 1 :]}"
