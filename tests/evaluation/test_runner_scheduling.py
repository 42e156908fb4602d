"""The schedule without processes: a pool that does as it is told."""

import json
import threading

import pytest

from emotion_mt import paper
from emotion_mt.corpus.claims import try_claim
from emotion_mt.evaluation import pools, records, scheduling
from emotion_mt.evaluation.jobs import Job
from emotion_mt.evaluation.pools import Ended, LocalPool, Task
from emotion_mt.evaluation.scheduling import EXTRA_TRIES, Schedule
from emotion_mt.training import TrainingConfig

SPLIT = paper.Split("F1", ("A",), ("B",), ("C",))


def make_record(task):
    return {"format": records.FORMAT, "key": task.key}


class ToldPool:
    """One task at a time; each try ends as `endings` says."""

    def __init__(self, endings):
        self.endings = {name: list(how) for name, how in endings.items()}
        self.started = []
        self.task = None

    def free(self):
        return int(self.task is None)

    def busy(self):
        return int(self.task is not None)

    def rank(self, task):
        return 0

    def start(self, task):
        self.started.append(task.key)
        self.task = task

    def wait(self, timeout_s):
        if self.task is None:
            return []
        task, self.task = self.task, None
        how = self.endings[task.key].pop(0)
        if how == "record":
            return [Ended(task, record=make_record(task))]
        return [Ended(task, **{how: how})]


def make_tasks(folder, *names):
    config = TrainingConfig()
    return [
        Task(
            Job("ST", (name,), SPLIT, 0, config), name, folder / f"{name}.json"
        )
        for name in names
    ]


def run(schedule):
    """All that ends: (by other runs, here)."""
    others, here = [], []
    for theirs, ours in schedule.rounds():
        others += theirs
        here += ours
    return others, here


def test_retries(tmp_path):
    always = ["lost"] * (EXTRA_TRIES + 1)
    pool = ToldPool(
        {
            "good": ["record"],
            "once": ["lost", "record"],
            "always": always,
            "error": ["error"],
        }
    )
    tasks = make_tasks(tmp_path, *pool.endings)
    others, here = run(Schedule(tasks, pool))
    assert not others
    ends = {end.task.key: end for end in here}
    assert ends["good"].record == make_record(tasks[0])
    assert ends["once"].record is not None
    assert ends["always"].lost == "lost; tried 3 times"
    # An error of the fit would come again.
    assert ends["error"].error == "error"
    assert pool.started.count("error") == 1
    # Retries come after the rest.
    assert pool.started[:4] == ["good", "once", "always", "error"]
    assert {p.name for p in tmp_path.iterdir()} == {"good.json", "once.json"}
    assert records.read_record(tmp_path / "once.json")["key"] == "once"


def test_what_another_run_does_is_left_to_it(tmp_path):
    first, second, third = make_tasks(tmp_path, "first", "second", "third")
    done, given_up = try_claim(first.path), try_claim(third.path)
    pool = ToldPool({"second": ["record"], "third": ["record"]})
    schedule = Schedule([first, second, third], pool)
    rounds = schedule.rounds()
    here = []
    while not here:
        here += next(rounds)[1]
    assert [end.task for end in here] == [second]
    next(rounds)
    assert schedule.elsewhere == 2

    # The other run finishes one and dies at the other.
    records.write_record(first.path, make_record(first))
    done.release()
    given_up.release()
    others, here = [], []
    for theirs, ours in rounds:
        others += theirs
        here += ours
    assert [end.task for end in others] == [first]
    assert [end.task for end in here] == [third]
    assert pool.started == ["second", "third"]
    assert len(list(tmp_path.iterdir())) == 3


def test_four_runs_do_each_job_once(tmp_path):
    names = [f"job{number}" for number in range(30)]
    started = []

    def work():
        pool = ToldPool({name: ["record"] for name in names})
        schedule = Schedule(make_tasks(tmp_path, *names), pool)
        others, here = run(schedule)
        assert len(others) + len(here) == len(names)
        started.extend(pool.started)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == sorted(names)
    assert {p.name for p in tmp_path.iterdir()} == {f"{n}.json" for n in names}


def test_record_that_cannot_be_written_ends_the_run(tmp_path, monkeypatch):
    (task,) = make_tasks(tmp_path, "job")

    def full(*_):
        raise OSError(28, "No space left on device", "job.json")

    monkeypatch.setattr(scheduling.records, "write_record", full)
    schedule = Schedule([task], ToldPool({"job": ["record"]}))
    with pytest.raises(OSError, match=r"No space left on device: 'job\.json'"):
        run(schedule)
    schedule.release()
    assert not list(tmp_path.iterdir())


def test_a_process_keeps_to_the_model_it_has_compiled(tmp_path):
    config = TrainingConfig()
    st, other_st = make_tasks(tmp_path, "V1", "V2")
    mt = Task(Job("MT", ("V1", "V2"), SPLIT, 0, config), "m", tmp_path / "m")
    pool = LocalPool(2, None, 1.0)
    first, second = pool._workers
    assert pool.rank(mt) == pool.rank(st) == 1
    first.task, first.shape = mt, pools._shape(mt)
    # One is at MT: the other had better take ST.
    assert pool.rank(mt) == 2
    assert pool.rank(st) == 1
    second.shape = pools._shape(st)
    assert pool.rank(other_st) == 0
    first.task, second.task = None, st
    assert pool.rank(mt) == 0
    assert pool.rank(other_st) == 2


def test_altered_records_are_refused(tmp_path):
    path = tmp_path / "job.json"
    content = {"format": records.FORMAT, "key": "k", "probability": [0.25]}
    records.write_record(path, content)
    assert records.read_record(path) == content
    altered = json.loads(path.read_text())
    altered["probability"] = [0.75]
    path.write_text(json.dumps(altered))
    with pytest.raises(ValueError, match=r"job\.json: .* an altered one"):
        records.read_record(path)
