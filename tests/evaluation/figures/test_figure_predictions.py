import numpy as np

from emotion_mt.evaluation.figures import choose_predictions


def changed(record, tests, answer, *, split="Baseline", seed=0):
    """The record as if of another split or seed, with one answer."""
    viewers = {
        viewer: {**content, "probability": [answer] * len(content["label"])}
        for viewer, content in record["viewers"].items()
    }
    job = record["job"] | {
        "split": {"name": split, "test": tests},
        "seed": seed,
    }
    return {**record, "job": job, "viewers": viewers}


def of(records, architecture):
    return [r for r in records if r["job"]["architecture"] == architecture]


def test_mt_on_both_modalities_comes_first(made_up_run):
    _, both = made_up_run()
    _, text = made_up_run(modalities=("text",))
    chosen = choose_predictions([*text, *both])
    assert chosen.name == "MT on text and visual, seed 0"
    assert (chosen.architecture, chosen.modalities) == (
        "MT",
        ("text", "visual"),
    )
    first = of(both, "MT")[0]
    np.testing.assert_array_equal(
        chosen.probability.loc[first["segment_id"], "V1"],
        first["viewers"]["V1"]["probability"],
    )
    assert len(chosen.probability) == 36
    assert choose_predictions([]) is None


def test_viewers_of_st_are_put_together(made_up_run):
    _, records = made_up_run()
    chosen = choose_predictions(of(records, "ST"))
    assert chosen.architecture == "ST"
    assert list(chosen.probability) == ["V1", "V2", "Vavg"]
    assert not chosen.probability.isna().any(axis=None)


def test_folds_come_before_the_baseline_split(made_up_run):
    mt = of(made_up_run()[1], "MT")
    baseline = changed(mt[0], ["A", "B"], 0.123)
    chosen = choose_predictions([baseline, *mt])
    assert (chosen.probability != 0.123).all(axis=None)
    # Where the fold's job failed, the other split's answers are shown.
    chosen = choose_predictions([baseline, *mt[1:]])
    assert (chosen.probability["V1"] == 0.123).sum() == 12


def test_lowest_seed_is_shown(made_up_run):
    mt = of(made_up_run()[1], "MT")
    later = [changed(r, ["A"], 0.9, split="F1", seed=7) for r in mt]
    chosen = choose_predictions([*later, *mt])
    assert chosen.seed == 0
    assert (chosen.probability != 0.9).all(axis=None)
    assert "seed 7" in choose_predictions(later).name


def test_untrained_viewer_has_no_answer(made_up_run):
    _, records = made_up_run()
    for record in records:
        for content in record["viewers"].values():
            content["probability"][0] = None
    chosen = choose_predictions(records)
    assert chosen.probability["V1"].isna().sum() == 3
