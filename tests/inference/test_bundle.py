import json

import keras
import numpy as np
import pytest

from emotion_mt.features import FeatureConfig, model_digest
from emotion_mt.inference import BundleError, load_bundle, save_bundle
from emotion_mt.models import (
    BaselineTextModel,
    BaselineVisualModel,
    EvokedEmotionModel,
    make_tokenizer,
    tokenize,
)

TEXT, VISUAL, BOTH = ("text",), ("visual",), ("text", "visual")


def inputs_for(model, rows=40):
    rng = np.random.default_rng(0)
    inputs = {}
    if "text" in model.modalities:
        size = (rows, model.words)
        tokens = rng.integers(0, model.vocabulary_size, size)
        inputs["tokens"] = tokens.astype("int32")
    if "visual" in model.modalities:
        size = (rows, model.visual_features)
        inputs["visual"] = rng.normal(size=size).astype("float32")
    return inputs


@pytest.mark.parametrize(
    ("modalities", "dtype"),
    [
        *((TEXT, None), (VISUAL, None), (BOTH, None)),
        *((BOTH, "mixed_bfloat16"), (BOTH, "float16")),
    ],
)
def test_models_come_back_bit_for_bit(
    saved, build_model, modalities, dtype, network
):
    model = build_model(modalities, dtype=dtype)
    model.get_layer("trunk_dense_0").trainable = False
    model.compile()
    model.optimizer.build(model.trainable_variables)
    inputs = inputs_for(model)
    expected = np.asarray(model(inputs))
    assert 0.1 < (expected > 0.5).mean() < 0.9

    folder = saved(modalities, model=model)

    loaded = load_bundle(folder)
    np.testing.assert_array_equal(loaded.model(inputs), expected)
    assert loaded.model.get_config() == model.get_config()
    assert not loaded.model.get_layer("trunk_dense_0").trainable
    assert loaded.viewers == ("V1", "anna b.", "Vavg")
    assert loaded.modalities == modalities
    assert not loaded.simulated
    visual = "visual" in modalities
    config = FeatureConfig(window_frames=10, stride_frames=5)
    assert loaded.feature_config == (config if visual else None)
    digest = model_digest(network) if visual else None
    assert loaded.weights_digest == digest
    # Nothing of the optimizer is saved.
    assert np.load(folder / "weights.npy").size == model.count_params()


def test_the_baseline_of_texts(saved):
    model = BaselineTextModel(("Vavg",), 8, words=9, kernels=3)
    loaded = load_bundle(saved(TEXT, model=model)).model
    assert type(loaded) is BaselineTextModel
    inputs = inputs_for(model)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_tokenizers_come_back(saved, tokenizer):
    texts = ["Good SHIP, don’t run!", "", "Straße unknown sea", "a " * 30]
    loaded = load_bundle(saved(TEXT)).tokenizer
    found = tokenize(loaded, texts)
    np.testing.assert_array_equal(found, tokenize(tokenizer, texts))
    assert found[0].tolist() == [2, 4, 3, 6, 0, 0, 0, 0, 0]
    # Training rounds the embedding up, and may set the words later.
    few = make_tokenizer((), words=9, name="mine")
    for words in ((), ("good", "sea")):
        if words:
            few.set_vocabulary(words)
        bundle = load_bundle(saved(TEXT, tokenizer=few))
        assert bundle.tokenizer.vocabulary_size() == few.vocabulary_size()
        assert bundle.model.vocabulary_size == 8
        tokens = tokenize(bundle.tokenizer, ["a good word"])[0].tolist()
        assert tokens[:4] == [1, 2 if words else 1, 1, 0]


def test_what_was_stated_comes_back(saved):
    scores = {"V1": {"accuracy": np.float32(0.5), "balanced": float("nan")}}
    training = {
        "corpus": {"name": "small", "digest": "ab12", "simulated": True},
        "split": {"name": "F1", "train": ("A", "B"), "test": ["C"]},
        "seed": np.int64(4),
        "plain": {"a": np.array([[True], [False]]), "b": (1, np.str_("ü"))},
    }

    folder = saved(
        VISUAL, training=training, scores=scores, untrained_viewers=["anna b."]
    )

    loaded = load_bundle(folder)
    assert loaded.simulated
    assert loaded.training["split"]["train"] == ["A", "B"]
    assert loaded.training["seed"] == 4
    assert loaded.training["plain"] == {"a": [[True], [False]], "b": [1, "ü"]}
    assert loaded.scores == {"V1": {"accuracy": 0.5, "balanced": None}}
    assert loaded.untrained_viewers == ("anna b.",)
    assert loaded.versions["keras"] == keras.__version__
    assert set(loaded.versions) == {"emotion_mt", "keras", "tensorflow"}
    # Strict JSON.
    text = (folder / "bundle.json").read_text("utf-8")
    content = json.loads(text, parse_constant=pytest.fail)
    assert content["scores"]["V1"]["balanced"] is None


def test_defaults(tmp_path, build_model):
    folder = save_bundle(str(tmp_path / "a" / "x"), build_model(VISUAL))
    loaded = load_bundle(folder)
    assert folder == loaded.folder == tmp_path / "a" / "x"
    assert loaded.feature_config == FeatureConfig()
    assert loaded.weights_digest is None


def test_a_bundle_takes_the_place_of_another(saved):
    folder = saved(TEXT)
    content = json.loads((folder / "bundle.json").read_text())
    assert content["vocabulary"][1] == "don't"
    assert content["model"]["config"]["words"] == 9
    # As earlier versions left it.
    (folder / "model.keras").touch()
    (folder / "vocabulary.json").touch()
    # As a process that is killed between the two renames leaves it.
    folder.rename(folder.with_name(".bundle.old"))
    loaded = load_bundle(folder)
    assert (loaded.folder, loaded.modalities) == (folder, TEXT)

    saved(VISUAL)

    assert load_bundle(folder).modalities == VISUAL
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "bundle.json", "weights.npy"}


def test_what_cannot_be_saved_leaves_the_old_bundle(
    saved, tmp_path, build_model
):
    folder = saved(TEXT)
    model = build_model(VISUAL)
    model.get_layer("trunk_dense_0").bias.assign([np.nan] * 7)
    message = r"finite weights\. Received 7 of 7 numbers of trunk_"
    with pytest.raises(ValueError, match=message):
        saved(VISUAL, model=model)
    (folder / "thesis.doc").write_text("precious")
    with pytest.raises(ValueError, match=r"bundle: expected .*thesis\.doc"):
        saved(VISUAL)
    assert load_bundle(folder).modalities == TEXT
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


class Subclass(EvokedEmotionModel):
    pass


#: Modality, what is given, and the error.
UNFIT = [
    ("text", {"tokenizer": None}, r"`tokenizer` must be given with the mod"),
    ("visual", {"tokenizer": make_tokenizer("a")}, "and only with it"),
    *(
        ("text", {"tokenizer": tokenizer}, message)
        for tokenizer, message in (
            (
                make_tokenizer("abcdefg", words=9),
                "no more words than the model, 8 with the 2 .*Received: 9",
            ),
            (
                make_tokenizer("abcdef", words=18),
                r"make_tokenizer\(…, words=9\).*output_sequence_length=18",
            ),
            (
                keras.layers.TextVectorization(vocabulary=["a"]),
                "Received one with: standardize='lower_and_strip_punctuation'",
            ),
        )
    ),
    ("text", {"weights_digest": "ab"}, r"`weights_digest` needs .*'visual'"),
    ("text", {"feature_config": FeatureConfig()}, "`feature_config` needs a m"),
    ("visual", {"scores": {"V9": {}}}, r"`scores` may name.*: \['V9'\]"),
    ("visual", {"untrained_viewers": ["V9"]}, "`untrained_viewers` may name"),
    ("visual", {"training": {"a": {1, 2}}}, r"`training` must be.*: \{1, 2\}"),
    ("visual", {"scores": {"V1": b"x"}}, r"`scores` must be plain.*\(bytes\)"),
    *(
        ("visual", {"model": model}, rf"BaselineTextModel\. Received: {name}")
        for name, model in {
            "Sequential": keras.Sequential([keras.layers.Dense(1)]),
            "Subclass": Subclass(("V1",), (3,), modalities=("visual",)),
            "BaselineVisualModel": BaselineVisualModel(("V1",)),
        }.items()
    ),
]


@pytest.mark.parametrize(("modality", "changes", "message"), UNFIT)
def test_refuses_parts_that_do_not_fit(
    saved, tmp_path, modality, changes, message
):
    with pytest.raises((TypeError, ValueError), match=message):
        saved((modality,), **changes)
    assert not list(tmp_path.iterdir())


def test_load_refuses_what_is_no_bundle(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(
            BundleError, match=r"bundle\.json: expected a file of a .* no such"
        ):
            load_bundle(folder)
