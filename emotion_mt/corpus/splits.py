"""Which films train, validate and test (Table I, Sect. V-C)."""

from __future__ import annotations

from collections.abc import Sequence

from emotion_mt import paper

#: The film that the Baseline's split validates on, unless told otherwise.
#: The paper names none. GLA has both classes (BMI and CHI hardly have: 3.5 %
#: and 100 % positive in the intended valence), is live action as the two test
#: films are, and among FNE, GLA and LOR costs training the fewest segments.
BASELINE_VALIDATION = "GLA"


def folds(movies: Sequence[str]) -> tuple[paper.Split, ...]:
    """Returns the folds of cross-validation, one test film each.

    Args:
        movies: The films of the corpus, in the corpus's order.

    Returns:
        Table I if `movies` are the paper's seven films; otherwise each film
        is tested on once, with the next film (after the last comes the
        first) for validation and all others for training.

    Raises:
        ValueError: If there are fewer than three films, or one is named
            twice.
    """
    movies = tuple(movies)
    if len(set(movies)) != len(movies):
        raise ValueError(
            f"`movies` must name each film once. Received: {movies}"
        )
    if set(movies) == set(paper.MOVIES):
        return paper.FOLDS
    _check_three(movies)
    splits = []
    for number, test in enumerate(movies, 1):
        validation = movies[number % len(movies)]
        train = tuple(m for m in movies if m not in (test, validation))
        splits.append(paper.Split(f"F{number}", train, (validation,), (test,)))
    return tuple(splits)


def _check_three(movies: Sequence[str]) -> None:
    if len(movies) < 3:
        raise ValueError(
            "`movies` must hold at least three films, one each for training, "
            f"validation and testing. Received: {movies}"
        )


def baseline_split(validation: str = BASELINE_VALIDATION) -> paper.Split:
    """Returns the split of the Baseline [20] (Sect. V-C).

    Args:
        validation: The film to validate on, one of `paper.BASELINE_TRAIN`;
            it is taken out of the training films. See
            `BASELINE_VALIDATION` for the choice of the default.

    Returns:
        The split; it tests on CRA and DEP.

    Raises:
        ValueError: If `validation` is not one of the training films.
    """
    if validation not in paper.BASELINE_TRAIN:
        raise ValueError(
            f"`validation` must be one of {paper.BASELINE_TRAIN}. "
            f"Received: {validation!r}"
        )
    train = tuple(m for m in paper.BASELINE_TRAIN if m != validation)
    return paper.Split("Baseline", train, (validation,), paper.BASELINE_TEST)


def fixed_split(
    movies: Sequence[str], validation: str | None = None
) -> paper.Split:
    """Returns the one split of Tables V and VI for any corpus.

    Args:
        movies: The films of the corpus, in the corpus's order.
        validation: The film to validate on, one that is not tested on. None
            for `BASELINE_VALIDATION` under the Baseline's split, and
            otherwise for the film before the test films.

    Returns:
        The Baseline's split if the paper's seven films are there (further
        films then take no part). Otherwise the last two sevenths of the
        films, at least one, are tested on; the split is called "fixed".

    Raises:
        ValueError: If `validation` is not one of the films that are left, or
            there are fewer than three films.
    """
    movies = tuple(movies)
    if set(paper.MOVIES) <= set(movies):
        return baseline_split(validation or BASELINE_VALIDATION)
    _check_three(movies)
    tested = max(1, round(len(movies) * len(paper.BASELINE_TEST) / 7))
    rest, test = movies[:-tested], movies[-tested:]
    validation = rest[-1] if validation is None else validation
    if validation not in rest:
        raise ValueError(
            f"`validation` must be one of {rest}, the films that are not "
            f"tested on. Received: {validation!r}"
        )
    train = tuple(m for m in rest if m != validation)
    return paper.Split("fixed", train, (validation,), test)
