"""Starting and ending the server, and what it refuses."""

import importlib.util
import os
import socket
import stat
from pathlib import Path

import pytest

from emotion_mt.demo import Limits, launch, server, serving
from emotion_mt.inference import BundleError

pytestmark = [
    pytest.mark.usefixtures("leftovers"),
    # See `leftovers`.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def test_gradio_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "emotion_mt\[demo\]"'):
        launch(tmp_path)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback(host, expected, monkeypatch):
    warnings = []
    monkeypatch.setattr(
        server.logging, "warning", lambda text, *a: warnings.append(text % a)
    )
    server.warn_if_open(host)
    assert [w.startswith(f"{host} can be reached") for w in warnings] == (
        [] if expected else [True]
    )


def test_bundle_is_refused(tmp_path):
    pytest.importorskip("gradio")
    with pytest.raises(BundleError, match=r"bundle\.json: expected a file of"):
        launch(tmp_path)


def test_port_in_use(make_predictor):
    pytest.importorskip("gradio")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(
                OSError,
                match=rf"address that is free. Received 127.0.0.1 and {port}",
            ),
            serving(make_predictor("text"), port=port),
        ):
            pytest.fail("must not come here")


def test_what_the_server_tells_and_refuses(make_predictor):
    pytest.importorskip("gradio")
    import httpx

    before = os.environ.get("GRADIO_TEMP_DIR")
    predictor = make_predictor("text", "visual")
    limits = Limits(max_upload_mb=0.01)
    with (
        serving(predictor, port=None, limits=limits) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        assert url.startswith("http://127.0.0.1:")
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

        def upload(size):
            return client.post(
                "/gradio_api/upload", files={"files": ("a.srt", b"x" * size)}
            )

        assert upload(10_001).status_code == 413
        assert upload(9_000).status_code == 200
        assert [p.name for p in folder.rglob("*.srt")] == ["a.srt"]

        page = client.get("/").text + client.get("/config").text
        assert "Evoked emotion" in page
        for path in (folder, Path.home(), Path.cwd(), Path(__file__).parent):
            assert str(path) not in page
        assert client.get("/gradio_api/file=/etc/passwd").status_code == 403
        assert client.get("/gradio_api/runs").status_code == 404
        # No functions that others' programs could call.
        assert client.get("/gradio_api/info").json() == {
            "named_endpoints": {},
            "unnamed_endpoints": {},
        }
    assert not folder.exists()
    assert os.environ.get("GRADIO_TEMP_DIR") == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
