"""`autoflow serve` and `autoflow worker`: the web app, and a worker in the foreground."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from autoflow.cli import output
from autoflow.cli.options import Json, Ray
from autoflow.errors import SettingsError

APP = Path(__file__).resolve().parents[2] / "app.py"  # beside the package, in the checkout
Port = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Where the app listens.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 opens the app to the whole network.")]


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(worker)


def serve(port: Port = 8501, host: Host = "localhost", json_: Json = False) -> None:
    """Serve the web app, until Ctrl-C. It starts its worker itself."""
    from autoflow.settings import absolute_folders, environment_with

    command = serve_command(host, port)
    _refuse_taken_port(host, port)
    if json_:
        output.emit({"url": f"http://{host}:{port}"})
    environment = environment_with(**absolute_folders())  # taken before the change of folder
    os.chdir(APP.parent)  # Streamlit reads .streamlit/config.toml from the working folder
    os.execve(command[0], command, environment)  # noqa: S606  (signals reach Streamlit itself)


def serve_command(host: str, port: int) -> list[str]:
    """What serves the app. Raises SettingsError: this installation has no app."""
    if not APP.is_file():
        raise SettingsError(
            f"The app is not part of this installation: there is no {APP}.",
            "Clone the repository and use `make run`; all other commands work here as well.",
        )
    options = [f"--server.address={host}", f"--server.port={port}", "--server.headless=true"]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *options]


def worker(ray: Ray = None, json_: Json = False) -> int:
    """Work on queued jobs in the foreground, until Ctrl-C. More than one may run."""
    from autoflow.cli.logs import log_file
    from autoflow.jobs.worker import main

    with log_file():  # raises where nothing can be logged: the worker could not say so itself
        pass
    return main(["--ray", ray] if ray else [])


def _refuse_taken_port(host: str, port: int) -> None:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"The app cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}.",
            "Look at the spelling of --host; `localhost` is this machine."
            if isinstance(error, socket.gaierror | UnicodeError)
            else f"Choose another port: autoflow serve --port {port % 65535 + 1}",
        ) from error
