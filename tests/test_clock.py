import pytest

from emotion_mt._clock import clock, round_times


def test_clock():
    times = {0: "0:00", 12.5: "0:12.5", 59.96: "1:00", 725: "12:05"}
    assert {s: clock(s) for s in times} == times
    assert clock(6000) == "100:00"


@pytest.mark.parametrize(
    ("start_s", "end_s", "most", "expected"),
    [
        (0, 18, 6, [0, 5, 10, 15]),
        # A film of nineteen minutes has marks at whole minutes.
        (2.5, 1130, 10, [120 * n for n in range(1, 10)]),
        (1800, 3600, 10, [1800, 2100, 2400, 2700, 3000, 3300, 3600]),
        (0.2, 0.9, 5, []),
        (0, 0, 5, [0]),
        # Longer than any film: the longest step.
        (0, 30_000, 2, [0, 7200, 14_400, 21_600, 28_800]),
    ],
)
def test_round_times(start_s, end_s, most, expected):
    assert round_times(start_s, end_s, most) == expected
