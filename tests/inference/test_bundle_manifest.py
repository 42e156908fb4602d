import json
import logging

import keras
import pytest

from emotion_mt.inference import BundleError, load_bundle, manifest


@pytest.mark.parametrize(
    "name", ["README.md", "model.keras", "vocabulary.json"]
)
def test_altered_files_are_refused_by_name(saved, name):
    folder = saved(("text",))
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(
        BundleError,
        match=rf"bundle/{name}: expected the content that save_bundle wrote, "
        "SHA-256 [0-9a-f]{64}. Received: altered content, [0-9a-f]{64}",
    ):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["README.md", "model.keras"])
def test_missing_files_are_named(saved, name):
    folder = saved(("visual",))
    (folder / name).unlink()

    with pytest.raises(BundleError, match=f"bundle/{name}: .*no such file"):
        load_bundle(folder)


def test_an_altered_manifest_is_refused(saved):
    folder = saved(("text",))
    path = folder / manifest.NAME
    path.write_text(path.read_text().replace("anna b.", "anna c."))

    with pytest.raises(BundleError, match=r"bundle\.json: .*altered content"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"bundle\.json: expected JSON. Received: Expecting value"),
        ("[1]", "expected a JSON object. Received: list"),
        ("{}", "expected format 'emotion_mt bundle', version 1. Received: for"),
        ("[" * 100_000, r"bundle\.json: expected JSON"),
        (b"\xff\xfe", r"bundle\.json: expected JSON"),
    ],
)
def test_a_damaged_manifest_is_refused(saved, content, message):
    folder = saved(("text",))
    content = content if isinstance(content, bytes) else content.encode()
    (folder / manifest.NAME).write_bytes(content)

    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize("key", sorted(manifest._TYPES.keys() - {"sha256"}))
def test_every_key_is_needed_and_has_its_type(saved, edit_manifest, key):
    folder = saved(("text",))
    if key == "files":
        # Signing would put them right again.
        path = folder / manifest.NAME
        content = {**json.loads(path.read_text()), key: 3}
        path.write_text(json.dumps(content))
    else:
        edit_manifest(folder, lambda content: content.update({key: 3}))

    with pytest.raises(
        BundleError, match=rf"bundle\.json: expected '{key}' to be .*: 3"
    ):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (2, "Received: version 2, written by emotion_mt 9.9. Install that one"),
        (0, "Received: version 0, .*Save the model again"),
        ("1", "Received: format 'emotion_mt bundle', version '1'"),
        (True, "version True"),
    ],
)
def test_other_formats_are_refused(saved, edit_manifest, version, message):
    folder = saved(("text",))

    def change(content):
        content["version"] = version
        content["versions"]["emotion_mt"] = "9.9"

    edit_manifest(folder, change)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize("version", ["2.15.0", "4.0", "", "None"])
def test_another_major_keras_is_refused(saved, edit_manifest, version):
    folder = saved(("text",))

    edit_manifest(folder, lambda c: c["versions"].update(keras=version))

    with pytest.raises(
        BundleError,
        match=rf"written with Keras 3, since {keras.__version__} is installed."
        f" Received: one that was written with Keras {version}",
    ):
        load_bundle(folder)


def test_a_newer_keras_is_tried_with_a_warning(saved, edit_manifest, caplog):
    folder = saved(("text",))
    edit_manifest(folder, lambda c: c["versions"].update(keras="3.999.1"))

    with caplog.at_level(logging.WARNING):
        load_bundle(folder)

    assert "pip install 'keras>=3.999.1'" in caplog.text
    assert str(folder) in caplog.text


def test_an_older_keras_is_no_matter(saved, edit_manifest, caplog):
    folder = saved(("text",))
    edit_manifest(folder, lambda c: c["versions"].update(keras="3.0.0"))

    with caplog.at_level(logging.WARNING):
        load_bundle(folder)

    assert not caplog.text


def test_other_files_in_the_folder_are_not_read(saved):
    folder = saved(("text",))
    (folder / "weights.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")

    assert load_bundle(folder).modalities == ("text",)
