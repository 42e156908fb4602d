"""Damaged, forged and foreign bundles: refused by file, and nothing is run."""

import io
import json
import pickle
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
    for part in (str(folder), "expected", "eceived"):
        assert part in str(caught.value)


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


FILES = pytest.mark.parametrize(
    "name", ["README.md", "weights.npy", "bundle.json"]
)


@FILES
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


@FILES
def test_cut_and_missing_files_are_named(saved, name):
    folder = saved(("visual",))
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(folder, rf"bundle/{name}: expected .*[Rr]eceived")
    path.unlink()
    refused(folder, rf"bundle/{name}: expected a file .*no such file")


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


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "model.keras"])
def test_other_files_cannot_be_named(saved, forge, name):
    folder = saved(("text",))
    forge(folder, lambda content: content["files"].update({name: "0"}))
    refused(folder, rf"expected README\.md, weights\.npy and nothing.*{name}")


@pytest.mark.parametrize(
    ("modality", "changes", "message"),
    [
        ("text", {"callbacks": ["os.system"]}, "nothing else.* callbacks"),
        ("visual", {"feature_config": None}, "`feature_config` must be given"),
        ("visual", {"feature_config": {"frames": 3}}, "unexpected .*'frames'"),
        ("visual", {"feature_config": {"window_frames": 2}}, "at least 8"),
        ("visual", {"feature_config": {"fps": "fast"}}, "not supported betw"),
        ("visual", {"untrained_viewers": [{}]}, "`untrained_viewers` may name"),
        ("visual", {"scores": {"V9": {}}}, "`scores` may name"),
        ("visual", {"vocabulary": ["a"]}, "`tokenizer` must be given with the"),
        ("text", {"vocabulary": None}, "`tokenizer` must be given with the"),
        ("text", {"vocabulary": [1, 2]}, "expected 'vocabulary' to be a list"),
        ("text", {"vocabulary": ["a", "a"]}, "must hold distinct words"),
        ("text", {"vocabulary": list("abcdefg")}, "no more words than the mod"),
    ],
)
def test_entries_that_do_not_fit(saved, forge, modality, changes, message):
    folder = saved((modality,))
    forge(folder, lambda content: content.update(changes))
    with pytest.raises(BundleError, match=rf"bundle\.json: .*{message}"):
        load_bundle(folder)


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
        # Sizes that no file has are not allocated.
        ("trunk_units", [10**6, 10**6]),
        ("trunk_units", [10**30]),
        ("visual_features", 10**12),
        ("words", 10**15),
        ("embedding_dim", 10**11),
        ("text_filters", 10**9),
        ("vocabulary_size", 10**13),
    ],
)
def test_arguments_are_those_that_we_write(saved, forge, key, value):
    folder = saved(("text", "visual"))
    forge(
        folder, lambda content: content["model"]["config"].update({key: value})
    )
    refused(folder, r"bundle\.json: expected the (config|class_name|descr).*")


def test_missing_arguments_are_refused(saved, forge):
    folder = saved(("visual",))
    forge(folder, lambda content: content["model"]["config"].pop("words"))
    refused(folder, r'here "words": 18\. Received: }$')


def test_huge_sizes_with_variables_to_match(saved, forge):
    """Where the forger has described the variables too."""
    folder = saved(("visual",))

    def change(content):
        model = content["model"]
        model["config"]["visual_features"] = 10**9
        model["variables"] = [
            name.replace("64", str(10**9)) for name in model["variables"]
        ]

    forge(folder, change)
    refused(folder, r"weights\.npy: expected float32 \[\d{10}\], the weights")


def archive(_):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("../../outside.npy", bytes(10**7))
    return file.getvalue()


def of_shape(shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
    return lambda weights: npy(weights, header)


def infinite(weights):
    weights[-1] = np.inf
    return npy(weights)


NO_NUMBERS = "expected an array of numbers"


@pytest.mark.parametrize(
    ("forged", "message"),
    [
        # Too few, as those of another bundle may be.
        (lambda w: npy(w[:-1]), r"expected float32 \[\d+\], the weights"),
        (lambda w: npy(np.append(w, w[:1])), r"expected float32 \[\d+\]"),
        (lambda w: npy(w[None]), r"expected .*Received: float32 \[1, \d+\]"),
        (lambda w: npy(w.astype("f8")), r"expected .*Received: float64 \["),
        (lambda w: npy(w.astype(">f4")), r"expected .*Received: >f4 \["),
        (lambda w: npy(w.astype("i4")), r"expected .*Received: int32 \["),
        (lambda w: npy(w.astype("O")), f"{NO_NUMBERS}.*objects"),
        (lambda w: npy(np.array([Payload()])), f"{NO_NUMBERS}.*objects"),
        (lambda w: pickle.dumps(Payload()), "expected .*magic string"),
        (infinite, r"expected finite weights. Received 1 of \d+ numbers of \S"),
        (lambda w: npy(w)[:-4], NO_NUMBERS),
        (lambda w: npy(w)[:40], NO_NUMBERS),
        (lambda w: npy(w).replace(b"}", b" "), NO_NUMBERS),
        (lambda w: npy(w).replace(b"}", b"'"), NO_NUMBERS),
        (lambda w: b"", NO_NUMBERS),
        (archive, NO_NUMBERS),
        (of_shape("(1099511627776,)"), NO_NUMBERS),
        (of_shape("(-1,)"), NO_NUMBERS),
        (of_shape("(10**9,)"), NO_NUMBERS),
        (of_shape("('a',)"), NO_NUMBERS),
        (of_shape("(2,) * 70"), NO_NUMBERS),
    ],
)
def test_weights_of_another_form(saved, forge, forged, message):
    folder = saved(("visual",))
    forge(folder, weights=forged(np.load(folder / "weights.npy")))
    refused(folder, rf"weights\.npy: {message}")


def test_strict_json_is_written(saved):
    folder = saved(("visual",), scores={"V1": {"accuracy": np.nan}})
    text = (folder / "bundle.json").read_text("utf-8")
    content = json.loads(text, parse_constant=pytest.fail)
    assert content["scores"] == {"V1": {"accuracy": None}}
