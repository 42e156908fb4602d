"""Hostile samples: signed as they should be, and not to be built."""

import json
import os
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest

from emotion_mt.inference import BundleError, bundle, load_bundle, manifest
from emotion_mt.inference.archive import check_archive

built = []


@keras.saving.register_keras_serializable("test_archive")
class Evil(keras.layers.Layer):
    """Stands for a class of somebody else's that does harm when built."""

    def __init__(self, **kwargs):
        built.append("Evil")
        super().__init__(**kwargs)


class Payload:
    """Unpickles to a call."""

    def __reduce__(self):
        return (built.append, ("pickle",))


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch):
    """Fails if Keras is asked to load what should have been refused."""
    built.clear()

    def load(*_, **__):
        raise AssertionError("Keras was asked to load it")

    monkeypatch.setattr(bundle.keras.saving, "load_model", load)
    yield
    assert built == []


def put(value):
    """Puts a value into the model's configuration, deep down."""

    def change(config):
        config["config"]["extra"] = {"layers": [value]}

    return change


HOSTILE = {
    "lambda layer": (
        put(
            {
                "module": "keras.layers",
                "class_name": "Lambda",
                "config": {"function": {"class_name": "__lambda__"}},
                "registered_name": None,
            }
        ),
        r"keras\.layers\.Lambda at config\.json/config/extra/layers/0",
    ),
    "bare lambda": (
        put({"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}),
        "__lambda__ at config.json",
    ),
    "function of another module": (
        put(
            {
                "module": "os",
                "class_name": "function",
                "config": "system",
                "registered_name": "system",
            }
        ),
        r"the function 'system' \(os\.function\)",
    ),
    "download by Keras": (
        put(
            {
                "module": "keras.utils",
                "class_name": "function",
                "config": "get_file",
                "registered_name": "get_file",
            }
        ),
        r"the function 'get_file' \(keras\.utils\.function\)",
    ),
    "another SavedModel": (
        put(
            {
                "module": "keras.layers",
                "class_name": "TFSMLayer",
                "config": {"filepath": "elsewhere"},
                "registered_name": None,
            }
        ),
        r"keras\.layers\.TFSMLayer",
    ),
    "somebody else's class": (
        put(
            {
                "module": "evil",
                "class_name": "Evil",
                "config": {},
                "registered_name": "test_archive>Evil",
            }
        ),
        r"evil\.Evil \(registered as 'test_archive>Evil'\)",
    ),
    "somebody else's class under Keras's name": (
        lambda config: config["config"]["dtype"].update(
            registered_name="test_archive>Evil"
        ),
        r"keras\.DTypePolicy \(registered as 'test_archive>Evil'\) at "
        r"config\.json/config/dtype",
    ),
    "our own name on another class": (
        put(
            {
                "module": "evil",
                "class_name": "Evil",
                "config": {},
                "registered_name": "emotion_mt>EvokedEmotionModel",
            }
        ),
        r"evil\.Evil \(registered as",
    ),
    "in the compilation": (
        lambda config: config.update(
            compile_config={
                "loss": {
                    "module": "builtins",
                    "class_name": "function",
                    "config": "eval",
                    "registered_name": "eval",
                }
            }
        ),
        r"the function 'eval' .* at config\.json/compile_config/loss",
    ),
    "registered name alone": (
        put({"registered_name": "test_archive>Evil", "config": {}}),
        "no class .registered as 'test_archive>Evil'",
    ),
    "no object": (lambda config: [1], "EvokedEmotionModel in config.json"),
    "nothing at its root": (
        lambda config: {"config": config["config"]},
        r"in config\.json. Received: keras\.DTypePolicy",
    ),
}


@pytest.mark.parametrize("sample", HOSTILE)
def test_classes_are_refused_by_name(saved, forge, sample):
    config, message = HOSTILE[sample]
    folder = saved(("visual",))
    forge(folder, config=config)

    with pytest.raises(BundleError, match=rf"model\.keras: .*{message}"):
        load_bundle(folder)


def test_the_samples_would_reach_keras_unchanged(saved, forge):
    # So that the tests above fail for their samples and nothing else.
    folder = saved(("visual",))
    forge(folder, config=lambda config: config, weights=lambda file: None)

    with pytest.raises(AssertionError, match="Keras was asked"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (keras.layers.Lambda(lambda x: x), "Sequential"),
        (keras.layers.Dense(2), "Sequential"),
    ],
)
def test_other_models_of_keras_are_refused(tmp_path, layer, name):
    model = keras.Sequential([keras.Input((3,)), layer])
    path = tmp_path / "model.keras"
    model.save(path)

    with pytest.raises(BundleError, match=rf"Received: keras\S*\.{name}"):
        check_archive(path)


def external_link(file):
    file["more"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file):
    file["more"] = h5py.SoftLink("/layers")


def hard_loop(file):
    file["layers/more"] = file["layers"]


def external_data(file):
    file.create_dataset("more", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual_data(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    file.create_virtual_dataset("more", layout)


def shape_bomb(file):
    file.create_dataset("more", (1 << 40,), "f4", chunks=(1 << 10,))


def text_data(file):
    file["more"] = np.array([b"text"], "O")


def empty_data(file):
    file["more"] = h5py.Empty("f4")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (external_link, "Received: a ExternalLink at /more"),
        (soft_link, "Received: a SoftLink at /more"),
        (hard_loop, "expected each array and group once. Received: /layers/mo"),
        (external_data, "/more: .*whose values lie in another file"),
        (virtual_data, "/more: .*whose values lie in another file"),
        (shape_bomb, "/more: expected 4398046511104 bytes.*Received: 0 bytes"),
        (text_data, "/more: expected an array of numbers. Received: object"),
        (empty_data, "/more: expected an array of numbers. Received: float32"),
    ],
)
def test_weights_that_are_not_in_the_file(saved, forge, weights, message):
    folder = saved(("visual",))
    forge(folder, weights=weights)

    with pytest.raises(
        BundleError, match=rf"model\.keras: model\.weights\.h5.*{message}"
    ):
        load_bundle(folder)


def test_a_pickle_for_a_model_is_not_unpickled(saved, edit_manifest):
    folder = saved(("visual",))
    content = pickle.dumps(Payload())
    (folder / manifest.MODEL).write_bytes(content)
    edit_manifest(folder, lambda content: None)

    with pytest.raises(
        BundleError,
        match=r"model\.keras: expected a model file of Keras.*not a zip",
    ):
        load_bundle(folder)


@pytest.mark.parametrize(
    "name", ["assets/evil.pkl", "../../outside", "model.weights.npz"]
)
def test_further_members_are_refused(saved, forge, name):
    folder = saved(("visual",))
    forge(folder, extra=[(name, pickle.dumps(Payload()))])

    with pytest.raises(
        BundleError, match=f"expected an archive of .* each once.*{name}"
    ):
        load_bundle(folder)


def test_a_member_twice_is_refused(saved, forge):
    folder = saved(("visual",))
    with pytest.warns(UserWarning, match="Duplicate name"):
        forge(folder, extra=[("config.json", "{}")])

    with pytest.raises(BundleError, match=r"Received: config\.json, config\."):
        load_bundle(folder)


def test_a_missing_member_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w"):
        pass

    with pytest.raises(BundleError, match="Received: nothing"):
        check_archive(path)


def test_what_unpacks_to_too_much_is_refused(saved, forge):
    folder = saved(("visual",))
    forge(
        folder,
        config=lambda config: config["config"].update(pad=" " * 1_000_000),
        compression=zipfile.ZIP_DEFLATED,
    )

    with pytest.raises(
        BundleError, match=r"expected config\.json to unpack to at most 100"
    ):
        load_bundle(folder)


def test_a_damaged_archive_is_refused(saved, edit_manifest):
    folder = saved(("visual",))
    path = folder / manifest.MODEL
    os.truncate(path, path.stat().st_size // 2)
    edit_manifest(folder, lambda content: None)

    with pytest.raises(BundleError, match="a file that cannot be read: File"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", "{", "expected a model file of Keras"),
        ("config.json", "[" * 100_000, "expected a model file of Keras"),
        ("model.weights.h5", "x", r"h5: expected weights in HDF5"),
    ],
)
def test_damaged_members_are_refused(saved, tmp_path, name, content, message):
    source = saved(("visual",)) / manifest.MODEL
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            new.writestr(
                member, content if member == name else old.read(member)
            )

    with pytest.raises(BundleError, match=message):
        check_archive(path)


class TestKerasLoads:
    """What passes the inspection and still does not fit is named too."""

    @pytest.fixture(autouse=True)
    def nothing_is_built(self):
        """Lets Keras load."""

    def test_weights_of_another_size(self, saved, forge):
        folder = saved(("visual",))
        forge(
            folder,
            config=lambda config: config["config"].update(trunk_units=[7, 9]),
        )

        with pytest.raises(
            BundleError,
            match=rf"model\.keras: expected a model that Keras "
            rf"{keras.__version__} and emotion_mt .* that they cannot:",
        ):
            load_bundle(folder)

    def test_more_layers_than_weights(self, saved, forge):
        # Keras leaves the layers that it finds no weights for at random.
        folder = saved(("visual",))
        forge(
            folder,
            config=lambda config: config["config"].update(
                trunk_units=[7, 6, 6]
            ),
        )

        with pytest.raises(BundleError, match=r"model\.keras: expected "):
            load_bundle(folder)

    def test_other_weights(self, saved, forge):
        folder = saved(("visual",))

        def change(file):
            file["layers/dense/vars/0"][0, 0] += 1e-3

        forge(folder, weights=change)

        with pytest.raises(
            BundleError,
            match="expected the model that was saved, its weights' digest "
            r"\w{64}. Received, once built by Keras .*: none",
        ):
            load_bundle(folder)

    def test_unknown_arguments(self, saved, forge):
        folder = saved(("visual",))
        forge(folder, config=lambda config: config["config"].update(fuel=3))

        with pytest.raises(BundleError, match="that are not known: fuel"):
            load_bundle(folder)

    def test_impossible_arguments(self, saved, forge):
        folder = saved(("visual",))
        forge(folder, config=lambda config: config["config"].update(viewers=[]))

        with pytest.raises(BundleError, match=r"that they cannot.*viewers"):
            load_bundle(folder)

    def test_the_config_is_what_keras_reads(self, saved):
        with zipfile.ZipFile(saved(("visual",)) / manifest.MODEL) as archive:
            config = json.loads(archive.read("config.json"))

        assert config["registered_name"] == "emotion_mt>EvokedEmotionModel"
