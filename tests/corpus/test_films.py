import pytest

from emotion_mt import paper
from emotion_mt.corpus import FILM_CODES, TRACE_NAMES, VIDEO_FOLDERS
from emotion_mt.corpus.films import film_code


@pytest.mark.parametrize("code", FILM_CODES)
def test_every_name_leads_to_its_film(code):
    names = [code, code.lower(), TRACE_NAMES[code], f"2005{code}", f"{code}/"]
    names += [paper.MOVIE_TITLES[code]] if code in paper.MOVIE_TITLES else []
    assert {film_code(name) for name in names} == {code}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("A Beautiful Mind (2001)", "BMI"),
        ("the_lord_of_the_rings_the_return_of_the_king", "LOR"),
        ("Million Dollar Baby", "MDB"),
        *((other, None) for other in ("", "2002", "Matrix", "BMIX", "Data")),
    ],
)
def test_titles_may_be_spelt_in_other_ways_and_others_lead_nowhere(name, code):
    assert film_code(name) == code


def test_the_papers_films_come_first_and_have_video_folders():
    assert FILM_CODES[:7] == paper.MOVIES
    assert len(FILM_CODES) == 12
    assert tuple(VIDEO_FOLDERS) == paper.MOVIES
    assert all(film_code(name) == c for c, name in VIDEO_FOLDERS.items())
