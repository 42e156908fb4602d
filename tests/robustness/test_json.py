"""Bundles and result files: whatever JSON they hold, read or refused."""

import hashlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

many = settings(settings.get_profile("robustness"))

#: Deeper than Python goes.
NESTED = b"[" * 20_000

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["9" * 5000, "keras", "..", "/etc/passwd"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


#: Arguments of a small model.
ARGUMENTS = {
    **{"viewers": ["V1"], "trunk_units": [2], "head_units": []},
    **{"modalities": ["visual"], "vocabulary_size": None, "words": 9},
    **{"visual_features": 3, "embedding_dim": 2, "text_filters": 2},
    **{"text_widths": [2], "l1": 0.5, "seed": 1, "dtype": "float32"},
    **{"name": "m", "frozen": []},
}


def forged_bundle(entries, arguments):
    """bundle.json changed by a forger, who can compute the digests too."""
    # Both files are empty.
    files = ("weights.npy", "README.md")
    content = {
        **{"format": "emotion_mt bundle", "version": 2, "versions": {}},
        "model": {
            "class_name": "EvokedEmotionModel",
            "config": {**ARGUMENTS, **arguments},
            "variables": [],
        },
        **{"vocabulary": None, "feature_config": None, "weights_digest": None},
        **{"untrained_viewers": [], "training": {}, "scores": {}},
        "files": dict.fromkeys(files, hashlib.sha256().hexdigest()),
        **entries,
    }
    text = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({**content, "sha256": digest}).encode()


@many
@given(
    st.binary(max_size=50)
    | json_values.map(json.dumps).map(str.encode)
    | st.sampled_from([NESTED, b"9" * 5000])
    | st.builds(
        forged_bundle,
        st.dictionaries(
            st.sampled_from(
                ["format", "version", "versions", "model", "files", "scores"]
            ),
            json_values,
            max_size=2,
        ),
        st.dictionaries(
            st.sampled_from([*ARGUMENTS, "trainable"]),
            json_values | st.lists(st.integers(-2, 2**70)),
            max_size=2,
        ),
    )
)
def test_no_bundle_is_refused_as_one(content):
    from emotion_mt.inference import BundleError, load_bundle

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bundle.json").write_bytes(content)
        for name in ("weights.npy", "README.md"):
            Path(folder, name).touch()
        with pytest.raises(BundleError) as caught:
            load_bundle(folder)
    assert folder in str(caught.value)
    assert "expected" in str(caught.value)


@many
@given(
    st.binary(max_size=50)
    | json_values.map(json.dumps).map(str.encode)
    | st.sampled_from([NESTED, b"9" * 5000, b'{"format": 2}'])
)
def test_what_is_no_record_is_refused(content):
    from emotion_mt.evaluation.records import read_record

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.json")
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match="expected a result file"
        ) as caught:
            read_record(path)
    assert str(path) in str(caught.value)


@many
@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_records_come_back_bit_for_bit(content):
    from emotion_mt.evaluation import records

    # Surrogates and NaN are not written; a run has none.
    text = json.dumps({**content, "format": records.FORMAT})
    if "NaN" in text or "Infinity" in text or "\\ud" in text:
        return
    content = json.loads(text)
    content.pop("sha256", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.json")
        records.write_record(path, content)
        assert records.read_record(path) == content
        # Any byte that is changed is noticed, unless it is a blank.
        data = bytearray(path.read_bytes())
        place = len(text) % len(data)
        if not data[place : place + 1].isspace():
            data[place] ^= 1
            path.write_bytes(data)
            with pytest.raises(ValueError, match="expected a result file"):
                records.read_record(path)
