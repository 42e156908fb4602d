"""Results that are kept."""

import json

import pytest


@pytest.fixture(scope="module")
def resumable(load):
    return load("resumable")


def test_resuming_skips_finished_work(resumable, tmp_path):
    path = tmp_path / "out" / "results.jsonl"
    resumable.append_result(path, {"key": "a", "product": "kept"})
    with path.open("a") as file:
        file.write('{"key": "b", "pro')  # the run was killed here
    assert list(resumable.read_results(path)) == ["a"]
    results = resumable.run(
        _product, {"a": 2, "b": 3, "c": 4}, path, 10, workers=1, title="Test"
    )
    assert [r["product"] for r in results] == ["kept", 30, 40]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["key"] for line in lines} == {"a", "b", "c"}
    assert len(lines) == 3
    # Everything is there: nothing is called, not even a process started.
    again = resumable.run(None, {"c": 4}, path, None, workers=1, title="Test")
    assert again[0]["product"] == 40


def _product(shared, task):
    return {"product": shared * task}


def test_a_line_that_is_no_result_is_named(resumable, tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"key": "a"}\nnonsense\n')
    with pytest.raises(ValueError, match=r"line 2: .*Received: 'nonsense'"):
        resumable.read_results(path)
