"""Named streams of random numbers."""

import pytest

from emotion_mt.corpus.simulation.streams import stream


def test_same_names_give_the_same_numbers():
    a = stream(5, "shots", "BMI").random(4)
    stream(5, "other").random(100)
    assert (stream(5, "shots", "BMI").random(4) == a).all()


@pytest.mark.parametrize(
    "other",
    [
        (6, "shots", "BMI"),
        (5, "shots", "CHI"),
        (5, "BMI", "shots"),
        (5, "shots", "BMI", 0),
        (5, "shotsBMI"),
    ],
)
def test_other_names_give_other_numbers(other):
    assert (
        stream(*other).random(4) != stream(5, "shots", "BMI").random(4)
    ).all()


def test_negative_seeds_are_refused():
    with pytest.raises(ValueError, match=r"`seed` must be at least 0.*-1"):
        stream(-1, "shots")
