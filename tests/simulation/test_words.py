"""What is said in simulated films."""

import itertools
import re

import numpy as np

from emotion_mt.corpus import read_subtitles
from emotion_mt.simulation import SimulationConfig, lexicon, simulate_state


def sentiment(text):
    """Counts positive minus negative words of the lexicon."""
    found = re.findall(r"[\w']+", text.lower())
    score = 0
    for slot, words in lexicon.WORDS.items():
        sign = {"+": 1, "-": -1}.get(slot[-1], 0)
        score += sign * sum(word in words for word in found)
    return score


def test_texts_look_like_subtitles(state):
    for film in state.films:
        counts = [len(text.split()) for text in film.texts]
        assert min(counts) >= 1
        assert max(counts) <= 15
        assert 4 <= np.median(counts) <= 7
        line = film.timeline
        lengths = line.cue_end_ms - line.cue_start_ms
        assert np.corrcoef(lengths, counts)[0, 1] > 0.5
        for text in film.texts:
            assert re.fullmatch(r"[A-Z][\w' ,.!?]*[.!?]", text), text
            assert not re.search(r"\b[Aa] [aeiou]", text), text
            assert not re.search(r"\bi\b", text), text
            assert not re.search(r"[.!?] [a-z]", text), text
        assert len(set(film.texts)) > 0.8 * len(film.texts)
        said = set(re.findall(r"[\w']+", " ".join(film.texts).lower()))
        for movie, slots in lexicon.FILM_WORDS.items():
            own = {word.lower() for word in itertools.chain(*slots.values())}
            used = len(said & own)
            assert used >= 5 if movie == film.profile.movie else used == 0


def test_sentiment_follows_valence_as_much_as_it_is_told_to():
    found = {}
    for informativeness in (0.0, 0.75, 1.0):
        config = SimulationConfig(text_informativeness=informativeness)
        scores, valences = [], []
        for film in simulate_state(0, 60, config).films:
            line, felt = film.timeline, film.feelings.shared[:, 0]
            middles = (line.cue_start_ms + line.cue_end_ms) // 80
            scores += [sentiment(text) for text in film.texts[: line.rated]]
            valences += felt[middles[: line.rated]].tolist()
        found[informativeness] = np.corrcoef(np.sign(scores), valences)[0, 1]
    assert abs(found[0.0]) < 0.12
    assert 0.4 < found[0.75] < found[1.0] - 0.1


def test_files_say_what_is_said(tiny_folder, tiny_state):
    italics = 0
    for film in tiny_state.films:
        path = next(tiny_folder.rglob(f"{film.profile.movie}.srt"))
        content = path.read_bytes()
        cues = read_subtitles(path).cues
        assert [cue.text for cue in cues] == list(film.texts)
        for name in ("start", "end"):
            found = [getattr(cue, f"{name}_s") for cue in cues]
            expected = getattr(film.timeline, f"cue_{name}_ms") / 1000
            assert found == expected.tolist()
        assert content.count(b"\r\n") == content.count(b"\n")
        italics += content.count(b"<i>")
        for block in content.decode().strip().split("\r\n\r\n"):
            text = re.sub(r"</?i>", "", block).split("\r\n", 2)[2]
            assert ("\r\n" in text) == (len(text) > 34), text
    assert italics < 0.2 * sum(len(film.texts) for film in tiny_state.films)
