"""Damaged, forged and foreign bundles: refused by file, and nothing is run."""

import io
import json
import pickle
import shutil
import struct
import zipfile

import keras
import numpy as np
import pytest

from emotion_mt.inference import BundleError, load_bundle

built = []


@keras.saving.register_keras_serializable("test_hostile")
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
def nothing_is_run():
    built.clear()
    yield
    assert built == []


def refused(folder, message):
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(folder)
    assert str(folder) in str(caught.value)
    assert "expected" in str(caught.value)
    assert "eceived" in str(caught.value)


def npy(array, header=None):
    """Bytes of an .npy file, maybe with another header."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    content = file.getvalue()
    if header is None:
        return content
    start = 10 + struct.unpack("<H", content[8:10])[0]
    text = header.encode().ljust(start - 11) + b"\n"
    return content[:10] + text + content[start:]


# --- Damage -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "weights.npy", "bundle.json"])
def test_every_flipped_bit_is_noticed(saved, name):
    folder = saved(("text",))
    path = folder / name
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    for place in rng.integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(0, 8))
        if name == "bundle.json" and whole[place : place + 1].isspace():
            continue
        path.write_bytes(damaged)
        refused(folder, rf"bundle/{name}: expected ")


@pytest.mark.parametrize("name", ["README.md", "weights.npy", "bundle.json"])
def test_cut_and_missing_files_are_named(saved, name):
    folder = saved(("visual",))
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(folder, rf"bundle/{name}: expected .*[Rr]eceived")
    path.unlink()
    refused(folder, rf"bundle/{name}: expected a file .*no such file")


def test_digests_say_what_was_expected(saved):
    folder = saved(("text",))
    with (folder / "README.md").open("a") as card:
        card.write("more")
    refused(
        folder,
        r"README\.md: expected the content that save_bundle wrote, SHA-256 "
        "[0-9a-f]{64}. Received: altered content, [0-9a-f]{64}",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"bundle\.json: expected JSON. Received: Expecting value"),
        (b"[1]", "expected a JSON object. Received: list"),
        (b"{}", "expected format 'emotion_mt bundle', version 2.*None"),
        (b"[" * 100_000, r"bundle\.json: expected JSON"),
        (b"\xff\xfe", r"bundle\.json: expected JSON"),
    ],
)
def test_what_is_no_bundle_json(saved, content, message):
    folder = saved(("text",))
    (folder / "bundle.json").write_bytes(content)
    refused(folder, message)


def test_other_files_in_the_folder_are_not_read(saved):
    folder = saved(("text",))
    (folder / "weights.pkl").write_bytes(pickle.dumps(Payload()))
    assert load_bundle(folder).modalities == ("text",)


# --- Other versions -----------------------------------------------------------


@pytest.mark.parametrize("version", [1, 3, "2", True, None])
def test_other_versions_say_who_wrote_them(saved, forge, version):
    folder = saved(("text",))

    def change(content):
        content["version"] = version
        content["versions"]["emotion_mt"] = "9.9"

    forge(folder, change)
    refused(
        folder,
        rf"bundle\.json: expected format 'emotion_mt bundle', version 2, which "
        rf"emotion_mt 0\.\S+ reads. Received: 'emotion_mt bundle', version "
        rf"{version!r}, written by emotion_mt 9\.9\. .*save the model again",
    )


def test_a_folder_of_an_earlier_version(tmp_path):
    (tmp_path / "model.keras").write_bytes(pickle.dumps(Payload()))
    refused(
        tmp_path,
        r"bundle\.json: expected a file of a bundle.*no such file, but "
        r"model\.keras, as emotion_mt before 0\.3\.0 wrote it; save the model "
        r"again with emotion_mt \d",
    )


# --- Forged entries -----------------------------------------------------------


def test_the_samples_are_refused_for_what_they_change(saved, forge):
    folder = saved(("text", "visual"))
    forge(folder)
    assert load_bundle(folder).modalities == ("text", "visual")


@pytest.mark.parametrize(
    "key",
    [
        *("versions", "model", "vocabulary", "feature_config"),
        *("weights_digest", "untrained_viewers", "training", "scores", "files"),
    ],
)
def test_every_entry_is_needed_and_has_its_type(saved, forge, key):
    folder = saved(("text",))
    forge(folder, lambda content: content.update({key: 3}))
    refused(folder, rf"bundle\.json: expected '{key}' to be .*Received: 3")
    forge(folder, lambda content: content.pop(key))
    refused(folder, rf"bundle\.json: expected '{key}' .*Received: 'nothing'")


def test_unknown_entries_are_refused(saved, forge):
    folder = saved(("text",))
    forge(folder, lambda content: content.update(callbacks=["os.system"]))
    refused(folder, r"bundle\.json: expected .* nothing else.* callbacks")


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "model.keras"])
def test_other_files_cannot_be_named(saved, forge, name):
    folder = saved(("text",))
    forge(folder, lambda content: content["files"].update({name: "0"}))
    refused(folder, rf"expected README\.md, weights\.npy and nothing.*{name}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature_config": None}, "`feature_config` must be given"),
        ({"feature_config": {"frames": 3}}, "unexpected keyword.*'frames'"),
        ({"feature_config": {"window_frames": 2}}, "must be at least 8"),
        ({"feature_config": {"fps": "fast"}}, "not supported between"),
        ({"untrained_viewers": ["V9"]}, "`untrained_viewers` may name"),
        ({"untrained_viewers": [{}]}, "`untrained_viewers` may name"),
        ({"scores": {"V9": {}}}, "`scores` may name"),
        ({"vocabulary": ["a"]}, "`tokenizer` must be given with the modality"),
    ],
)
def test_entries_that_do_not_fit(saved, forge, changes, message):
    folder = saved(("visual",))
    forge(folder, lambda content: content.update(changes))
    with pytest.raises(BundleError, match=rf"bundle\.json: .*{message}"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (None, "`tokenizer` must be given with the modality 'text'"),
        ([1, 2], "expected 'vocabulary' to be a list of words"),
        (["a", "a"], "`vocabulary` must hold distinct words"),
        (list("abcdefg"), "`tokenizer` must have no more words than the model"),
    ],
)
def test_vocabularies_that_do_not_fit(saved, forge, vocabulary, message):
    folder = saved(("text",))
    forge(folder, lambda content: content.update(vocabulary=vocabulary))
    with pytest.raises(BundleError, match=rf"bundle\.json: .*{message}"):
        load_bundle(folder)


# --- Forged models ------------------------------------------------------------

EVIL = {
    "module": "evil",
    "class_name": "Evil",
    "config": {},
    "registered_name": "test_hostile>Evil",
}


@pytest.mark.parametrize(
    "name",
    [
        *("Evil", "Lambda", "Sequential", "keras.Model", "builtins.eval"),
        *(EVIL, None, 3, ["EvokedEmotionModel"]),
    ],
)
def test_other_classes_are_refused_by_name(saved, forge, name):
    folder = saved(("visual",))
    forge(folder, lambda content: content["model"].update(class_name=name))
    refused(
        folder,
        r"bundle\.json: expected the class_name EvokedEmotionModel or "
        r"BaselineTextModel.*Received: ",
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[(key, EVIL) for key in ("dtype", "l1", "seed", "viewers", "name")],
        *[("trunk_units", value) for value in (EVIL, [EVIL], "ab", [7.0, 6])],
        *[("fuel", value) for value in (3, EVIL)],
        ("trainable", False),
        ("frozen", ["no_such_layer"]),
        ("viewers", []),
        ("viewers", ["V1", "V1"]),
        ("dtype", "float31"),
        ("l1", float("nan")),
        ("words", True),
        ("visual_features", -64),
        ("modalities", ["text"]),
    ],
)
def test_arguments_are_those_that_we_write(saved, forge, key, value):
    folder = saved(("visual",))
    forge(
        folder, lambda content: content["model"]["config"].update({key: value})
    )
    refused(folder, r"bundle\.json: expected the (config|class_name|descr).*")


def test_missing_arguments_are_refused(saved, forge):
    folder = saved(("visual",))
    forge(folder, lambda content: content["model"]["config"].pop("words"))
    refused(folder, r'here "words": 18\. Received: }$')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trunk_units", [10**6, 10**6]),
        ("trunk_units", [10**30]),
        ("visual_features", 10**12),
        ("words", 10**15),
        ("embedding_dim", 10**11),
        ("text_filters", 10**9),
        ("vocabulary_size", 10**13),
    ],
)
def test_sizes_that_no_file_has_are_not_allocated(saved, forge, key, value):
    folder = saved(("text", "visual"))
    forge(
        folder, lambda content: content["model"]["config"].update({key: value})
    )
    refused(folder, r"bundle\.json: expected the ")


def test_huge_sizes_with_variables_to_match(saved, forge):
    """As above, where the forger has described the variables too."""
    folder = saved(("visual",))

    def change(content):
        model = content["model"]
        model["config"]["visual_features"] = 10**9
        model["variables"] = [
            name.replace("64", str(10**9)) for name in model["variables"]
        ]

    forge(folder, change)
    refused(folder, r"weights\.npy: expected float32 \[\d{10}\], the weights")


# --- Forged weights -----------------------------------------------------------


def weights_of(folder):
    return np.load(folder / "weights.npy")


@pytest.mark.parametrize(
    ("forged", "message"),
    [
        (lambda w: npy(w[:-1]), r"expected float32 \[\d+\].*float32 \[\d+\]"),
        (lambda w: npy(np.append(w, w[:1])), r"expected float32 \[\d+\]"),
        (lambda w: npy(w[None]), r"Received: float32 \[1, \d+\]"),
        (lambda w: npy(w.astype("f8")), r"Received: float64 \["),
        (lambda w: npy(w.astype(">f4")), r"Received: >f4 \["),
        (lambda w: npy(w.astype("i4")), r"Received: int32 \["),
        (lambda w: npy(w.astype("O")), "an array of numbers.*objects"),
        (lambda w: npy(np.array([Payload()])), "an array of numbers.*objects"),
        (lambda w: pickle.dumps(Payload()), "magic string is not correct"),
        (lambda w: npy(w)[:-4], "an array of numbers"),
        (lambda w: npy(w)[:40], "an array of numbers"),
        (lambda w: npy(w).replace(b"}", b" "), "an array of numbers"),
        (lambda w: npy(w).replace(b"}", b"'"), "an array of numbers"),
        (lambda w: b"", "an array of numbers"),
    ],
)
def test_weights_of_another_form(saved, forge, forged, message):
    folder = saved(("visual",))
    forge(folder, weights=forged(weights_of(folder)))
    refused(
        folder, rf"weights\.npy: expected {message}|weights\.npy: .*{message}"
    )


@pytest.mark.parametrize(
    "shape", ["(1099511627776,)", "(-1,)", "(10**9,)", "('a',)", "(2,) * 70"]
)
def test_shapes_that_the_file_does_not_have(saved, forge, shape):
    folder = saved(("visual",))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
    forge(folder, weights=npy(weights_of(folder), header))
    refused(folder, r"weights\.npy: expected an array of numbers")


def test_an_archive_of_arrays_is_not_unpacked(saved, forge):
    folder = saved(("visual",))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.npy", bytes(10**7))
    forge(folder, weights=file.getvalue())
    refused(folder, r"weights\.npy: expected an array of numbers")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(saved, forge, value):
    folder = saved(("visual",))
    weights = weights_of(folder)
    weights[-1] = value
    forge(folder, weights=npy(weights))
    refused(
        folder,
        r"weights\.npy: expected finite weights. Received 1 of \d+ numbers of "
        r"\S+/\w+ that are not",
    )


def test_weights_of_another_bundle(saved, forge, build_model):
    folder = saved(("visual",), "one")
    other = saved(
        ("visual",), "two", model=build_model(("visual",), trunk_units=(6, 7))
    )
    shutil.copy(other / "weights.npy", folder / "weights.npy")
    forge(folder)
    refused(folder, r"one/weights\.npy: expected float32 \[\d+\], the weights")


def test_strict_json_is_written(saved):
    folder = saved(("visual",), scores={"V1": {"accuracy": np.nan}})
    text = (folder / "bundle.json").read_text("utf-8")
    content = json.loads(text, parse_constant=pytest.fail)
    assert content["scores"] == {"V1": {"accuracy": None}}
