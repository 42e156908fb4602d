import pytest
from hypothesis import example, given, settings, strategies as st

from emotion_mt import paper
from emotion_mt.corpus import baseline_split, fixed_split, folds


def test_the_papers_films_get_table_i_in_any_order():
    assert folds(paper.MOVIES) == paper.FOLDS
    assert folds(tuple(reversed(paper.MOVIES))) == paper.FOLDS


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(
        st.text("aÄ語 .1", min_size=1, max_size=4)
        | st.sampled_from(paper.MOVIES),
        unique=True,
        max_size=12,
    )
)
@example([*paper.MOVIES[:6]])
@example([*paper.MOVIES, "ABE"])
def test_other_films_are_left_out_one_at_a_time(movies):
    if len(movies) < 3:
        with pytest.raises(ValueError, match="must hold at least three films"):
            folds(movies)
        return
    splits = folds(movies)
    assert sorted(m for split in splits for m in split.test) == sorted(movies)
    assert sorted(s.validation[0] for s in splits) == sorted(movies)
    assert len({split.name for split in splits}) == len(movies)
    for split in splits:
        parts = (*split.train, *split.validation, *split.test)
        assert sorted(parts) == sorted(movies)
        assert len(split.validation) == 1


def test_validation_is_the_next_film_in_a_circle():
    first, second, third = folds(["A", "B", "C"])
    assert first == paper.Split("F1", ("C",), ("B",), ("A",))
    assert second == paper.Split("F2", ("A",), ("C",), ("B",))
    assert third == paper.Split("F3", ("B",), ("A",), ("C",))


def test_baseline_split_takes_validation_out_of_training():
    assert baseline_split() == baseline_split("GLA")
    for validation in paper.BASELINE_TRAIN:
        split = baseline_split(validation)
        assert split.test == ("CRA", "DEP")
        assert split.validation == (validation,)
        assert set(split.train) == set(paper.BASELINE_TRAIN) - {validation}


def test_fixed_split_is_the_baselines_where_its_films_are():
    assert fixed_split(paper.MOVIES) == baseline_split()
    more = (*paper.MOVIES, "ABE")
    assert fixed_split(more, "FNE") == baseline_split("FNE")


@pytest.mark.parametrize(
    ("films", "tested"), [(3, 1), (5, 1), (6, 2), (7, 2), (14, 4)]
)
def test_fixed_split_of_other_films(films, tested):
    movies = tuple(f"film{n}" for n in range(films))
    split = fixed_split(movies)
    assert split.test == movies[-tested:]
    assert split.validation == (movies[-tested - 1],)
    assert split.train == movies[: -tested - 1]
    first = fixed_split(movies, validation="film0")
    assert first.validation == ("film0",)
    assert first.train == movies[1:-tested]


@pytest.mark.parametrize(
    ("split", "arguments", "message"),
    [
        (folds, [("A", "B", "A")], "`movies` must name each film once"),
        (baseline_split, ["CRA"], "`validation` must be .*'CRA'"),
        (fixed_split, [("a", "b")], "at least three films.*'a', 'b'"),
        (fixed_split, [("a", "b", "c"), "c"], r"one of \('a', 'b'\).*'c'"),
    ],
)
def test_what_cannot_be_split_is_refused(split, arguments, message):
    with pytest.raises(ValueError, match=message):
        split(*arguments)
