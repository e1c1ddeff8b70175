"""``skiff serve``: releases answer over HTTP."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("serve", short_help="Answer over HTTP with the release that stands.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need an API key.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes behind the port.")
@click.option("--tls-cert", type=click.Path(path_type=Path, dir_okay=False), help="Certificate (PEM), for https.")
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False), help="Its private key (PEM).")
@click.option("--access-log", is_flag=True, help="Write a line for each request: route, status, time; no data.")
@workspace_option
@answer("serve")
def command(
    *,
    host: str,
    port: int,
    workers: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    access_log: bool,
    workspace: Path,
) -> Outcome:
    """Answer over HTTP until Ctrl-C or SIGTERM: /predict, /outcomes, /v2 (Open Inference Protocol), /docs, /metrics.

    Promotions, rollbacks, keys and settings take effect at once. Nothing is answered that the prediction log does not have.

    Example:  skiff serve --workspace bookings
    """
    from skiff.store.unlock import warm_up

    root = workspace.expanduser().absolute()
    warming = warm_up(root)
    # By name: the faces do not know each other, and the server's libraries are needed by this command only.
    server = importlib.import_module("skiff.serve.server")
    wish = server.Wish(
        root=root,
        host=host,
        port=port,
        workers=workers,
        tls_cert=tls_cert,
        tls_key=tls_key,
        access_log=access_log,
    )
    warming.join()
    server.serve(wish)
    return Outcome(result={"stopped": True}, show=lambda: None)
