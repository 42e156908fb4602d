"""Subtitles: sentences, and files that hold them."""

import dataclasses
import itertools
import re

import numpy as np
import pytest

from emotion_mt import paper
from emotion_mt.corpus import read_subtitles
from emotion_mt.corpus.simulation import SimulationConfig, language, lexicon
from emotion_mt.corpus.simulation.config import FILMS
from emotion_mt.corpus.simulation.content import make_content, shared_weights
from emotion_mt.corpus.simulation.streams import stream
from emotion_mt.corpus.simulation.timeline import STEP_MS, make_timeline

SLOT = re.compile(r"\{(\S+?)\}")


def film_texts(informativeness, cues=400, film=FILMS[1]):
    config = SimulationConfig(text_informativeness=informativeness)
    line = make_timeline(film, cues, 0, config)
    content = make_content(film, line, 0, config)
    texts = language.make_subtitles(film, line, content, 0, config)
    return texts, language.cue_valence(content, line)


def sentiment(text):
    """Counts positive minus negative words of the lexicon."""
    found = re.findall(r"[\w']+", text.lower())
    score = 0
    for slot, words in lexicon.WORDS.items():
        sign = {"+": 1, "-": -1}.get(slot[-1], 0)
        score += sign * sum(word in words for word in found)
    return score


def test_every_slot_has_words():
    for patterns in lexicon.PATTERNS.values():
        for slot in itertools.chain(*map(SLOT.findall, patterns)):
            for movie in paper.MOVIES:
                vocabulary = {**lexicon.WORDS, **lexicon.FILM_WORDS[movie]}
                assert vocabulary[slot], slot


def test_sentiment_words_stand_in_sentences_of_their_sentiment_only():
    for kind, patterns in lexicon.PATTERNS.items():
        slots = {s[-1] for p in patterns for s in SLOT.findall(p)}
        assert slots & {"+", "-"} <= {kind}
        if kind != lexicon.NEUTRAL:
            assert all(kind in "".join(SLOT.findall(p)) for p in patterns)


def test_words_of_a_film_occur_nowhere_else():
    own = {
        movie: {w.lower() for words in slots.values() for w in words}
        for movie, slots in lexicon.FILM_WORDS.items()
    }
    assert set(own) == set(paper.MOVIES)
    for one, other in itertools.combinations(own, 2):
        assert not own[one] & own[other]
    plain = " ".join(
        [
            *itertools.chain(*lexicon.PATTERNS.values()),
            *itertools.chain(*lexicon.WORDS.values()),
        ]
    ).lower()
    common = set(re.findall(r"[\w']+", plain))
    for words in own.values():
        assert not words & common


def test_no_sentence_of_the_lexicon_is_too_long():
    for pattern in itertools.chain(*lexicon.PATTERNS.values()):
        words = len(pattern.split())
        # A time can be two words or three, an opener two.
        longest = words + 2 * pattern.count("{time}") + 2
        assert longest <= language.MOST_WORDS


def test_texts_look_like_subtitles():
    texts, _ = film_texts(0.75)
    counts = [len(text.split()) for text in texts]
    assert min(counts) >= 1
    assert max(counts) <= language.MOST_WORDS
    assert 4 <= np.median(counts) <= 7
    for text in texts:
        assert re.fullmatch(r"[A-Z][\w' ,.!?]*[.!?]", text), text
        assert not re.search(r"\b[Aa] [aeiou]", text), text
        assert not re.search(r"\bi\b", text), text
        assert not re.search(r"[.!?] [a-z]", text), text
    assert len(set(texts)) > 100


def test_longer_cues_have_more_words():
    texts, _ = film_texts(0.75)
    line = make_timeline(FILMS[1], 400, 0, SimulationConfig())
    lengths = line.cue_end_ms - line.cue_start_ms
    counts = [len(text.split()) for text in texts]
    assert np.corrcoef(lengths, counts)[0, 1] > 0.5


def test_sentiment_follows_valence_as_much_as_it_is_told_to():
    found = {}
    for informativeness in (0.0, 0.75, 1.0):
        texts, valence = film_texts(informativeness)
        scores = np.sign([sentiment(text) for text in texts])
        found[informativeness] = np.corrcoef(scores, valence)[0, 1]
    assert abs(found[0.0]) < 0.12
    assert 0.45 < found[0.75] < 0.75
    assert found[1.0] > 0.75


def test_valence_of_a_cue_is_the_mean_over_its_frames():
    film = FILMS[0]
    config = SimulationConfig()
    line = make_timeline(film, 12, 5, config)
    content = make_content(film, line, 5, config)
    by_frame = (content @ shared_weights("valence"))[line.shot_of_frame]
    expected = [
        by_frame[start // STEP_MS : end // STEP_MS + 1].mean()
        for start, end in zip(line.cue_start_ms, line.cue_end_ms, strict=True)
    ]
    np.testing.assert_allclose(language.cue_valence(content, line), expected)


def test_subrip_is_read_back(tmp_path):
    texts, _ = film_texts(0.75, cues=60)
    line = make_timeline(FILMS[1], 60, 0, SimulationConfig())
    file = language.to_subrip(texts, line, stream(0, "test"))
    path = tmp_path / "film.srt"
    path.write_bytes(file.encode())
    cues = read_subtitles(path).cues
    assert [cue.text for cue in cues] == texts
    assert [cue.start_s for cue in cues] == (line.cue_start_ms / 1000).tolist()
    assert [cue.end_s for cue in cues] == (line.cue_end_ms / 1000).tolist()
    assert file.count("\r\n") == file.count("\n")
    assert "<i>" in file


def test_times_after_the_first_hour():
    line = make_timeline(FILMS[0], 2, 0, SimulationConfig())
    late = dataclasses.replace(
        line,
        cue_start_ms=np.array([3_723_004]),
        cue_end_ms=np.array([3_783_050]),
    )
    file = language.to_subrip(["Yes."], late, stream(0, "test"))
    assert "01:02:03,004 --> 01:03:03,050" in file


@pytest.mark.parametrize("length", [1, 34])
def test_short_lines_are_not_broken(length):
    line = make_timeline(FILMS[0], 1, 0, SimulationConfig())
    file = language.to_subrip(["x" * length], line, stream(1, "test"))
    assert f"\r\n{'x' * length}\r\n\r\n" in file
