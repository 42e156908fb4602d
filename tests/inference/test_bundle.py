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

MODALITIES = (("text",), ("visual",), ("text", "visual"))
TRAINING = {
    "corpus": {"name": "small", "digest": "ab12", "simulated": True},
    "split": {"name": "F1", "train": ("A", "B"), "test": ["C"]},
    "seed": np.int64(4),
    "config": {"l1": (1e-6, 1e-5)},
}


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


@pytest.mark.parametrize("modalities", MODALITIES)
def test_round_trip_is_bit_equal(saved, build_model, modalities, network):
    model = build_model(modalities)
    inputs = inputs_for(model)
    expected = model.predict(inputs, verbose=0)
    assert 0.1 < (expected > 0.5).mean() < 0.9

    loaded = load_bundle(saved(modalities, model=model))

    received = loaded.model.predict(inputs, verbose=0)
    np.testing.assert_array_equal(received, expected)
    assert loaded.model.get_config() == model.get_config()
    assert loaded.viewers == ("V1", "anna b.", "Vavg")
    assert loaded.modalities == modalities
    assert not loaded.simulated
    visual = "visual" in modalities
    config = FeatureConfig(window_frames=10, stride_frames=5)
    assert loaded.feature_config == (config if visual else None)
    digest = model_digest(network) if visual else None
    assert loaded.weights_digest == digest


def test_a_compiled_model_is_saved_without_its_optimizer(saved, build_model):
    model = build_model(("text", "visual"))
    plain = saved(("text", "visual"), "plain", model=model)
    model.compile()
    model.optimizer.build(model.trainable_variables)

    folder = saved(("text", "visual"), model=model)

    weights = (folder / "weights.npy").read_bytes()
    assert weights == (plain / "weights.npy").read_bytes()
    assert len(weights) < 4 * model.count_params() + 200


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float16"])
def test_other_arithmetic_and_frozen_layers(saved, build_model, dtype):
    model = build_model(("text", "visual"), dtype=dtype)
    model.get_layer("trunk_dense_0").trainable = False
    inputs = inputs_for(model)

    loaded = load_bundle(saved(("text", "visual"), model=model)).model

    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    assert loaded.dtype_policy.name == dtype
    assert not loaded.get_layer("trunk_dense_0").trainable


def test_the_baseline_of_texts(saved, tokenizer):
    model = BaselineTextModel(("Vavg",), 8, words=9, kernels=3)

    loaded = load_bundle(saved(("text",), model=model)).model

    assert type(loaded) is BaselineTextModel
    inputs = inputs_for(model)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_tokenizer_round_trip(saved, tokenizer):
    texts = ["Good SHIP, don’t run!", "", "Straße unknown sea", "a " * 30]

    loaded = load_bundle(saved(("text",)))

    np.testing.assert_array_equal(
        tokenize(loaded.tokenizer, texts), tokenize(tokenizer, texts)
    )
    assert tokenize(loaded.tokenizer, texts)[0].tolist() == [
        *(2, 4, 3, 6),
        *([0] * 5),
    ]


@pytest.mark.parametrize("words", [(), ("good", "sea")])
def test_other_vocabularies(saved, words):
    """Training rounds the embedding up, and may set the words later."""
    tokenizer = make_tokenizer((), words=9, name="mine")
    if words:
        tokenizer.set_vocabulary(words)

    loaded = load_bundle(saved(("text",), tokenizer=tokenizer))

    size = tokenizer.vocabulary_size()
    assert loaded.tokenizer.vocabulary_size() == size
    assert loaded.model.vocabulary_size == 8
    tokens = tokenize(loaded.tokenizer, ["a good word"])[0].tolist()
    assert tokens[:4] == [1, 2 if words else 1, 1, 0]


def test_what_was_stated_comes_back(saved):
    scores = {"V1": {"accuracy": np.float32(0.5), "balanced": float("nan")}}
    plain = {"a": np.array([[True], [False]]), "b": (1, np.str_("ü"))}

    loaded = load_bundle(
        saved(
            ("visual",),
            training={**TRAINING, "plain": plain},
            scores=scores,
            untrained_viewers=["anna b."],
        )
    )

    assert loaded.simulated
    assert loaded.training["split"]["train"] == ["A", "B"]
    assert loaded.training["seed"] == 4
    assert loaded.training["plain"] == {"a": [[True], [False]], "b": [1, "ü"]}
    assert loaded.scores == {"V1": {"accuracy": 0.5, "balanced": None}}
    assert loaded.untrained_viewers == ("anna b.",)
    assert loaded.versions["keras"] == keras.__version__
    assert set(loaded.versions) == {"emotion_mt", "keras", "tensorflow"}


def test_a_bundle_takes_the_place_of_another(saved):
    folder = saved(("text",))
    content = json.loads((folder / "bundle.json").read_text())
    assert content["vocabulary"][1] == "don't"
    assert content["model"]["config"]["words"] == 9
    # As earlier versions left it.
    (folder / "model.keras").touch()
    (folder / "vocabulary.json").touch()

    saved(("visual",))

    assert load_bundle(folder).modalities == ("visual",)
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "bundle.json", "weights.npy"}


def test_a_failure_leaves_the_old_bundle(saved, tmp_path, build_model):
    folder = saved(("text",))
    model = build_model(("visual",))
    model.get_layer("trunk_dense_0").bias.assign([np.nan] * 7)

    with pytest.raises(
        ValueError, match=r"finite weights\. Received 7 of 7 numbers of trunk_"
    ):
        saved(("visual",), model=model)

    assert load_bundle(folder).modalities == ("text",)
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_the_old_bundle_is_read_if_replacing_it_was_interrupted(saved):
    folder = saved(("text",))
    # As a process that is killed between the two renames leaves it.
    folder.rename(folder.with_name(".bundle.old"))

    loaded = load_bundle(folder)

    assert (loaded.folder, loaded.modalities) == (folder, ("text",))


def test_other_files_are_not_overwritten(saved, tmp_path):
    folder = saved(("text",))
    (folder / "thesis.doc").write_text("precious")

    with pytest.raises(ValueError, match=r"bundle: expected .*thesis\.doc"):
        saved(("visual",))

    assert load_bundle(folder).modalities == ("text",)


class Subclass(EvokedEmotionModel):
    pass


#: Modality, what is given, and the error.
UNFIT = [
    ("text", {"tokenizer": None}, r"`tokenizer` must be given with the mod"),
    ("visual", {"tokenizer": make_tokenizer("a")}, "and only with it"),
    (
        "text",
        {"tokenizer": make_tokenizer("abcdefg", words=9)},
        "no more words than the model, 8 with the 2 reserved.*Received: 9",
    ),
    (
        "text",
        {"tokenizer": make_tokenizer("abcdef", words=18)},
        r"make_tokenizer\(…, words=9\).*output_sequence_length=18",
    ),
    (
        "text",
        {"tokenizer": keras.layers.TextVectorization(vocabulary=["a"])},
        "Received one with: standardize='lower_and_strip_punctuation'",
    ),
    (
        "text",
        {"weights_digest": "ab"},
        r"`weights_digest` needs .*'visual'. Received: ab .*\('text',\)",
    ),
    ("text", {"feature_config": FeatureConfig()}, "`feature_config` needs a m"),
    ("visual", {"scores": {"V9": {}}}, r"`scores` may name.*: \['V9'\]"),
    ("visual", {"untrained_viewers": ["V9"]}, "`untrained_viewers` may name"),
    ("visual", {"training": {"a": {1, 2}}}, r"`training` must be.*: \{1, 2\}"),
    ("visual", {"scores": {"V1": b"x"}}, r"`scores` must be plain.*\(bytes\)"),
]


@pytest.mark.parametrize(("modality", "changes", "message"), UNFIT)
def test_refuses_parts_that_do_not_fit(
    saved, tmp_path, modality, changes, message
):
    with pytest.raises((TypeError, ValueError), match=message):
        saved((modality,), **changes)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential([keras.layers.Dense(1)]),
        Subclass(("V1",), (3,), modalities=("visual",)),
        BaselineVisualModel(("V1",)),
    ],
)
def test_refuses_other_classes(saved, model):
    with pytest.raises(
        TypeError, match=f"BaselineTextModel. Received: {type(model).__name__}"
    ):
        saved(("visual",), model=model)


def test_defaults(tmp_path, build_model):
    folder = save_bundle(str(tmp_path / "a" / "x"), build_model(("visual",)))

    loaded = load_bundle(folder)

    assert folder == loaded.folder == tmp_path / "a" / "x"
    assert loaded.feature_config == FeatureConfig()
    assert loaded.weights_digest is None


def test_load_refuses_what_is_no_bundle(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(
            BundleError, match=r"bundle\.json: expected a file of a .* no such"
        ):
            load_bundle(folder)
