"""Addresses of endpoints come from people: what may be asked, and what is refused before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from autoflow.errors import SettingsError

# Machines of cloud providers hand out credentials at link-local addresses: never a model endpoint.
_FORBIDDEN_NAMES = frozenset({"metadata.google.internal", "metadata"})
KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,60}_(KEY|TOKEN)")


def check_base_url(url: str) -> str:
    """The address, trimmed, without a trailing slash.

    Raises SettingsError: it is not http or https, names no host, carries a password, a query or a fragment, or is
    a link-local address.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(
            f"`{text[:100]}` is not an address: {error}.", "An example: http://localhost:11434/v1"
        ) from error
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"`{text[:100]}` is not an address of the web.", "An example: http://localhost:11434/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        hint = "Give the address alone; the key goes into its own field."
        raise SettingsError(f"The address of `{host}` holds more than host and path.", hint)
    if host.lower().rstrip(".") in _FORBIDDEN_NAMES or _is_link_local(host):
        raise SettingsError(f"`{host}` is an address that no model is served from.", "Use the endpoint's own address.")
    return text.rstrip("/")


def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local


def is_local(url: str) -> bool:
    """Whether the address is this machine or a private network, where an unencrypted connection is usual."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".local", ".internal", ".lan")) or "." not in host:
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def check_key_name(name: str) -> str:
    """The name of the variable that holds a key. Only names of keys, so that nothing else of the environment is sent.

    Raises SettingsError: it does not look like `OPENAI_API_KEY`.
    """
    text = name.strip()
    if not KEY_NAME.fullmatch(text):
        hint = "Capital letters, ending in _KEY or _TOKEN, such as OPENAI_API_KEY."
        raise SettingsError(f"`{text[:80]}` is not a name for the variable of a key.", hint)
    return text
