"""``skiff serve``: checks before the door opens, one listening socket, one or several workers behind it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import ipaddress
import os
import signal
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.serve.errors import refuse
from skiff.serve.metrics import Metrics
from skiff.serve.worker import Plan, Worker, tell
from skiff.store.files import explained
from skiff.store.keys import KeyRing
from skiff.store.layout import is_on_read_only_disk, refuse_missing
from skiff.store.locks import PresenceLock
from skiff.store.settings import read_settings
from skiff.store.unlock import open_box

BACKLOG = 2048
RESTART_AFTER_S = 1.0
"""A worker that died is replaced, but not faster than this: one that dies at its start must not burn the machine."""

_SET_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of prctl(2)."""

SYSTEMD_SOCKET = 3
"""The first descriptor that systemd hands over (sd_listen_fds(3))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for on the command line."""

    root: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    access_log: bool = False


def serve(wish: Wish) -> None:
    """Serve a workspace until SIGTERM or SIGINT.

    Raises
    ------
    SkiffError
        ``workspace_not_found``, ``no_release``, ``door_open``, ``address_taken``, ``tls_unusable`` …
    """
    refuse_missing(wish.root, is_wanted=False)
    own = wish.root / ".skiff"
    settings = read_settings(wish.root)
    host = _find_host(wish)
    is_local = is_loopback(host)
    _refuse_open_door(KeyRing(own), is_local=is_local, host=host)
    box = open_box(wish.root, settings)
    plan = Plan(
        root=wish.root,
        settings=settings,
        is_local=is_local,
        tls=_read_tls(wish),
        is_logged=not is_on_read_only_disk(own),
        is_access_logged=wish.access_log,
        is_socket_lent=_is_socket_lent(),
        box=box,
    )
    if not plan.is_logged:
        tell("read_only", what="This disk can only be read: predictions are answered but not logged.")
    presence = PresenceLock(own / "presence.lock") if plan.is_logged else None
    if presence is not None:
        presence.share()
    sock = _listen(wish.host, wish.port)
    metrics = Metrics(workers=wish.workers)
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if plan.tls else "http"
    port = sock.getsockname()[1]
    sys.stderr.write(f"Serving {wish.root.name} at {scheme}://{host}:{port} (see /docs). Stop with Ctrl-C.\n")
    sys.stderr.flush()
    if wish.workers == 1:
        _run_worker(plan, sock, metrics)
    else:
        _supervise(plan, sock, metrics, wish.workers)


def is_loopback(host: str) -> bool:
    """Return whether an address is reachable from this machine only.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_open_door(ring: KeyRing, *, is_local: bool, host: str) -> None:
    if is_local or any(key.is_valid(time.time()) for key in ring.list()):
        return
    raise refuse(
        "door_open",
        f"Other machines could reach {host}, and there is no API key, so anyone there could ask this model.",
        "Make a key first: `skiff keys create --scope predict`. Or leave --host out to serve this machine only.",
    )


def _read_tls(wish: Wish) -> ssl.SSLContext | None:
    if wish.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(wish.tls_cert, wish.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise refuse(
            "tls_unusable",
            "The certificate or its private key cannot be read, or they do not belong together.",
            "Name both as PEM files: --tls-cert server.crt --tls-key server.key",
            file=str(wish.tls_cert),
        ) from error
    return context


def _listen(host: str, port: int) -> socket.socket:
    """Return the listening socket: ours, or the one systemd already holds (then a restart refuses nobody)."""
    if _is_socket_lent():
        return socket.socket(fileno=SYSTEMD_SOCKET)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A new server may listen before the old one has drained: restarts without a gap.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _try_alone(host, port, family)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        sock.close()
        raise SkiffError(
            "address_taken",
            what=f"The address {host}:{port} cannot be listened on; another program may have it.",
            where={"host": host, "port": port},
            fix="Choose another with --port, or stop what is there.",
        ) from error
    return sock


def _find_host(wish: Wish) -> str:
    """Return the address that is listened on; that of a lent socket is not ours to choose, and may be open to others."""
    if not _is_socket_lent():
        return wish.host
    with socket.socket(fileno=os.dup(SYSTEMD_SOCKET)) as lent:
        name = lent.getsockname()
    return str(name[0]) if isinstance(name, tuple) else wish.host  # a path in the file system: its permissions decide


def _is_socket_lent() -> bool:
    return os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1"


def _try_alone(host: str, port: int, family: socket.AddressFamily) -> None:
    """Fail where somebody listens there: a port is shared by the workers of one server, not by two by accident."""
    if port:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))


def _run_worker(plan: Plan, sock: socket.socket, metrics: Metrics) -> None:
    worker = Worker(plan, sock=sock, metrics=metrics)
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector need not look at it again
    worker.run()


def _supervise(plan: Plan, sock: socket.socket, metrics: Metrics, workers: int) -> None:
    """Keep `workers` processes alive behind one socket; they share its queue, so none of them is a bottleneck."""
    running: dict[int, int] = {}
    stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopping
        del number, frame
        stopping = True
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    for place in range(workers):
        running[_fork(plan, sock, metrics, place)] = place
    started = time.monotonic()
    failures = 0
    while running:
        try:
            process, status = os.wait()
        except InterruptedError:
            continue
        place = running.pop(process, -1)
        if stopping or place < 0:
            continue
        code = os.waitstatus_to_exitcode(status)
        failures += 1
        tell("worker_died", process=process, code=code)
        if time.monotonic() - started < RESTART_AFTER_S * workers and failures >= workers:
            raise refuse(
                "server_failed", "No worker could be started.", "Look at the lines above; try again with --workers 1."
            )
        time.sleep(RESTART_AFTER_S)
        if not stopping:
            running[_fork(plan, sock, metrics, place)] = place


def end_with_parent() -> None:
    """Ask Linux to stop this worker when the process that watches over it is gone, however it went."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _fork(plan: Plan, sock: socket.socket, metrics: Metrics, place: int) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        end_with_parent()
        metrics.select(place)
        with explained(plan.root):
            _run_worker(plan, sock, metrics)
        code = 0
    except SkiffError as error:
        tell("worker_failed", code=error.code, what=error.what)
    finally:
        os._exit(code)
