"""Starts and ends the server of the page."""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import logging as stdlib_logging
import os
import tempfile
import threading
import webbrowser
from collections.abc import Iterator

from absl import logging

from emotion_mt.demo.limits import Limits
from emotion_mt.inference import Predictor

#: Where Gradio puts uploads; it asks again at each one.
_UPLOAD_FOLDER = "GRADIO_TEMP_DIR"


def launch(
    bundle_folder: str | os.PathLike[str],
    host: str = "127.0.0.1",
    port: int = 7860,
    limits: Limits | None = None,
    open_browser: bool = False,
) -> None:
    """Serves the page until Ctrl-C.

    Args:
        bundle_folder: What `save_bundle` wrote.
        host: Address to listen on. The default can be reached from this
            machine alone; the page knows no passwords.
        port: Port to listen on.
        limits: What the page takes. Defaults to None, `Limits()`.
        open_browser: Whether to open a browser too.

    Raises:
        ImportError: If Gradio is not installed.
        BundleError: If the bundle cannot be trusted or used.
        WeightsError: If the I3D weights cannot be had.
        OSError: If the port is in use.

    Example:
        ```python
        from emotion_mt import demo

        demo.launch("bundle", limits=demo.Limits(max_minutes=10))
        ```
    """
    check_installed()
    predictor = Predictor.load(bundle_folder)
    if "visual" in predictor.modalities:
        # Now, so that what is wrong with it is said here and not on the page.
        _ = predictor.i3d
    with serving(predictor, host, port, limits) as url:
        print(f"The page is at {url} until you press Ctrl-C.", flush=True)
        if open_browser:
            webbrowser.open(url)
        # Until Ctrl-C.
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


@contextlib.contextmanager
def serving(
    predictor: Predictor,
    host: str = "127.0.0.1",
    port: int | None = 7860,
    limits: Limits | None = None,
) -> Iterator[str]:
    """Serves the page while the block runs.

    Uploads lie in a folder that only this user can read; it is removed with
    all that is in it when the block ends.

    Args:
        predictor: What predicts.
        host: See `launch`.
        port: See there; None for the first that is free from 7860 on.
        limits: See there.

    Yields:
        Address of the page.

    Raises:
        ImportError: If Gradio is not installed.
        OSError: If the port is in use.
    """
    check_installed()
    warn_if_open(host)
    with (
        tempfile.TemporaryDirectory(
            prefix="emotion_mt-demo-", ignore_cleanup_errors=True
        ) as folder,
        _environment(_UPLOAD_FOLDER, folder),
    ):
        # Not before: Gradio reads the environment when it is imported.
        from emotion_mt.demo.app import Runs, build_app, launch_options

        runs = Runs(predictor, limits or Limits())
        app = build_app(runs)
        try:
            try:
                _, url, _ = app.launch(
                    server_name=host,
                    server_port=port,
                    prevent_thread_lock=True,
                    quiet=True,
                    **launch_options(runs.limits),
                )
            except OSError as error:
                raise OSError(
                    "`host` and `port`: expected an address that is free. "
                    f"Received {host} and {port}"
                ) from error
            yield url
        finally:
            runs.end()
            server = getattr(app, "server", None)
            if server is not None:
                # Without waiting for pages that are still open, and without
                # a traceback for each of them.
                server.should_exit = server.force_exit = True
                # From Python 3.12 on, uvicorn waits for connections even so.
                for connection in [*server.server_state.connections]:
                    abort = connection.transport.abort
                    connection.loop.call_soon_threadsafe(abort)
                stdlib_logging.getLogger("uvicorn.error").setLevel(
                    stdlib_logging.CRITICAL
                )
            app.close(verbose=False)


def check_installed() -> None:
    """Raises ImportError, with what to do, unless Gradio is installed."""
    if importlib.util.find_spec("gradio") is None:
        raise ImportError(
            "The page needs Gradio, which is not installed. Install it: "
            'pip install "emotion_mt[demo]"'
        )


def warn_if_open(host: str) -> None:
    """Warns of an address, name or number, that other machines can reach."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        logging.warning(
            "%s can be reached from other machines, and the page asks for no "
            "password: everybody who finds it can send files.",
            host,
        )


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
