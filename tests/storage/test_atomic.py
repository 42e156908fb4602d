import json

import pytest

from emotion_mt.storage.atomic import write_json, write_text


def test_json_refuses_nan_and_keeps_the_old_content(tmp_path):
    path = tmp_path / "new" / "a.txt"
    write_text(path, "grüß\n")
    assert path.read_text(encoding="utf-8") == "grüß\n"
    write_json(path, {"a": None})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": None}
