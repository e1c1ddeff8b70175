"""The page at ``/docs``: four small files of our own, nothing from another host."""

from __future__ import annotations

from collections.abc import Mapping

from skiff.store.assets import read_asset

POLICY = (
    b"content-security-policy: default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'\r\nreferrer-policy: no-referrer\r\n"
)


def read_pages() -> Mapping[bytes, tuple[bytes, str]]:
    """Return path to content and type of each file."""
    return {
        b"/docs": (read_asset("skiff.serve", "static/docs.html"), "text/html; charset=utf-8"),
        b"/docs/docs.css": (read_asset("skiff.serve", "static/docs.css"), "text/css; charset=utf-8"),
        b"/docs/docs.js": (read_asset("skiff.serve", "static/docs.js"), "text/javascript; charset=utf-8"),
        b"/docs/icon.svg": (read_asset("skiff.serve", "static/icon.svg"), "image/svg+xml"),
    }
