"""Damaged, forged and foreign bundles: refused by file, and nothing is run."""

import io
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


@pytest.mark.parametrize("name", ["README.md", "weights.npy", "bundle.json"])
def test_damage_is_noticed_and_named(saved, name):
    """Flipped bits, files that are cut, and missing ones."""
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
    path.write_bytes(whole[: len(whole) // 2])
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
    # Other files in the folder are not read.
    (folder / "weights.pkl").write_bytes(pickle.dumps(Payload()))
    assert load_bundle(folder).modalities == ("text", "visual")


GONE = object()

EVIL = {
    "module": "evil",
    "class_name": "Evil",
    "config": {},
    "registered_name": "test_hostile>Evil",
}


def put(place, value):
    """Returns what changes the entry of bundle.json at a path of keys."""

    def change(content):
        *parents, key = place
        for parent in parents:
            content = content[parent]
        content[key] = value
        if value is GONE:
            del content[key]

    return change


#: Top-level entries: each is needed and has its type.
KEYS = ("versions", "model", "vocabulary", "feature_config", "weights_digest")
KEYS += ("untrained_viewers", "training", "scores", "files")

CLASSES = r"the class_name EvokedEmotionModel or BaselineTextModel.*Received: "

#: The entry that is forged, by keys with dots; values; and the error.
FORGED = [
    *((key, [3], f"'{key}' to be .*Received: 3") for key in KEYS),
    *((key, [GONE], f"'{key}' .*Received: 'nothing'") for key in KEYS),
    *(
        (("files", name), ["0"], rf"README\.md, weights\.npy and .*{name}")
        for name in ("../outside", "/etc/passwd", "model.keras")
    ),
    (
        "model.class_name",
        [
            *("Evil", "Lambda", "Sequential", "keras.Model", "builtins.eval"),
            *(EVIL, None, 3, ["EvokedEmotionModel"]),
        ],
        CLASSES,
    ),
    *(
        (f"model.config.{key}", values, "the (config|class_name|descr).*")
        for key, values in {
            "dtype": [EVIL, "float31"],
            "l1": [EVIL, float("nan")],
            "seed": [EVIL],
            "viewers": [EVIL, [], ["V1", "V1"]],
            "name": [EVIL],
            "fuel": [3, EVIL],
            "trainable": [False],
            "frozen": [["no_such_layer"]],
            "modalities": [["text"]],
            # Sizes that no file has are not allocated.
            "trunk_units": [
                *(EVIL, [EVIL], "ab", [7.0, 6]),
                *([10**6, 10**6], [10**30]),
            ],
            "visual_features": [-64, 10**12],
            "words": [True, 10**15],
            "embedding_dim": [10**11],
            "text_filters": [10**9],
            "vocabulary_size": [10**13],
        }.items()
    ),
    ("model.config.words", [GONE], r'.*here "words": 18\. Received: }$'),
]


@pytest.mark.parametrize(("place", "values", "message"), FORGED)
def test_the_description_is_as_we_write_it(
    saved, forge, place, values, message
):
    place = place.split(".") if isinstance(place, str) else place
    for i, value in enumerate(values):
        folder = saved(("text", "visual"), f"bundle{i}")
        forge(folder, put(place, value))
        refused(folder, rf"bundle\.json: expected {message}")


@pytest.mark.parametrize(
    ("modality", "key", "value", "message"),
    [
        ("text", "callbacks", ["os.system"], "nothing else.* callbacks"),
        ("visual", "feature_config", None, "`feature_config` must be given"),
        ("visual", "feature_config", {"frames": 3}, "unexpected .*'frames'"),
        ("visual", "feature_config", {"window_frames": 2}, "at least 8"),
        ("visual", "feature_config", {"fps": "fast"}, "not supported betw"),
        ("visual", "untrained_viewers", [{}], "`untrained_viewers` may name"),
        ("visual", "scores", {"V9": {}}, "`scores` may name"),
        ("visual", "vocabulary", ["a"], "`tokenizer` must be given with the"),
        ("text", "vocabulary", None, "`tokenizer` must be given with the"),
        ("text", "vocabulary", [1, 2], "expected 'vocabulary' to be a list"),
        ("text", "vocabulary", ["a", "a"], "must hold distinct words"),
        ("text", "vocabulary", [*"abcdefg"], "no more words than the mod"),
    ],
)
def test_entries_that_do_not_fit(saved, forge, modality, key, value, message):
    folder = saved((modality,))
    forge(folder, put([key], value))
    with pytest.raises(BundleError, match=rf"bundle\.json: .*{message}"):
        load_bundle(folder)


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
