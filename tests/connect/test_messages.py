"""Messages arrive at real servers on this machine, and nothing leaves for addresses that were not allowed."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from skiff.connect.guard import METADATA, AddressRefusedError, NetworkGuard, is_outside
from skiff.connect.messages import check_addresses, send_message
from skiff.core.errors import SkiffError


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a sender needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    body += part
                self.server.received.append(body.decode())  # type: ignore[attr-defined]  # set by the fixture
                self.wfile.write(b"250 taken\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        where = self.server.redirect  # type: ignore[attr-defined]  # set by the fixture
        if where:
            self.send_response(307)
            self.send_header("Location", where)
        else:
            self.server.received.append(json.loads(body))  # type: ignore[attr-defined]  # set by the fixture
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _serve(kind: type[Any]) -> Iterator[Any]:
    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    server = Server(("127.0.0.1", 0), kind)
    server.received = []  # type: ignore[attr-defined]  # what arrived
    server.redirect = ""  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mailbox() -> Iterator[Any]:
    yield from _serve(Mailbox)


@pytest.fixture
def hook() -> Iterator[Any]:
    yield from _serve(Hook)


def test_a_mail_arrives_with_its_title_and_text(mailbox: Any) -> None:
    port = mailbox.server_address[1]
    address = f"mailto://127.0.0.1:{port}/?from=skiff@example.org&to=ada@example.org&mode=insecure"
    [done] = send_message("Skiff: 1 alert", "'price' is empty.", to=[address], allow_private=True)
    assert done.is_sent, done.why
    [mail] = mailbox.received
    assert "Subject: Skiff: 1 alert" in mail
    assert "price" in mail
    assert "To: ada@example.org" in mail


def test_a_webhook_gets_the_message_as_json(hook: Any) -> None:
    address = f"json://127.0.0.1:{hook.server_address[1]}/alerts"
    [done] = send_message("title", "text", to=[address], allow_private=True, tone="warning")
    assert done.is_sent
    assert hook.received[0]["type"] == "warning"
    assert hook.received[0]["title"] == "title"
    assert hook.received[0]["message"] == "text"


def test_a_server_on_this_machine_is_refused_unless_allowed(hook: Any) -> None:
    port = hook.server_address[1]
    [done] = send_message("t", "x", to=[f"json://localhost:{port}/"])
    assert not done.is_sent
    assert "allow_private" in done.why
    assert hook.received == []


def test_a_redirect_to_a_metadata_service_is_refused_even_where_private_is_allowed(hook: Any) -> None:
    hook.redirect = "http://169.254.169.254/latest/meta-data/"
    [done] = send_message("t", "x", to=[f"json://127.0.0.1:{hook.server_address[1]}/"], allow_private=True)
    assert not done.is_sent
    assert "metadata" in done.why


def test_one_address_that_fails_does_not_stop_the_others_and_none_is_quoted(hook: Any) -> None:
    port = hook.server_address[1]
    done = send_message(
        "t", "x", to=["json://user:secret@127.0.0.1:9/", f"json://127.0.0.1:{port}/"], allow_private=True
    )
    assert [item.is_sent for item in done] == [False, True]
    assert "secret" not in f"{done}"


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "fe80::1%eth0", "0.0.0.0", "fd00::1", "::ffff:10.0.0.1", "2002:0a00:0001::", "nonsense", *sorted(METADATA)]
)  # fmt: skip
def test_addresses_that_are_not_outside(address: str) -> None:
    assert not is_outside(address)


def test_the_guard_watches_only_its_own_block(hook: Any) -> None:
    import socket

    with NetworkGuard() as guard, pytest.raises(AddressRefusedError), socket.socket() as opened:
        opened.connect(hook.server_address)
    assert guard.refused == ["127.0.0.1"]
    with socket.socket() as opened:
        opened.connect(hook.server_address)


def test_unknown_addresses_are_told_at_once_without_their_secrets() -> None:
    with pytest.raises(SkiffError) as told:
        check_addresses(["nosuch://token-123", "json://example.org", "alsonot://x"])
    assert told.value.code == "alert_address_unknown"
    assert "address 1" in told.value.what
    assert "address 3" in told.value.what
    assert "token-123" not in str(told.value)
