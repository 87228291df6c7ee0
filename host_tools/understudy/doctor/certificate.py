# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How long a 2FA server's certificate is good for, as the server shows it."""

import datetime
import socket
import ssl
import threading
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

SECONDS = 3.0
_DAY = 86400.0
_HTTPS = 443
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL


def address_of(url: str) -> tuple[str, int] | None:
    """Host and port of an https URL; None when it is none."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    return parts.hostname, parts.port or _HTTPS


def days_left(host: str, port: int, ca_file: Path | None, verify: bool) -> float | str:
    """Days, below zero once it has run out; or why that can't be told. Takes SECONDS at most."""
    told: list[float | str] = []

    def fetch() -> None:
        try:
            told.append(_verified(host, port, ca_file, verify))
        except ssl.SSLError as error:
            told.append(f"TLS failed ({error.reason}).")
        except (OSError, ValueError) as error:
            told.append(f"{getattr(error, 'strerror', None) or 'it can not be reached'}.")

    # In a thread: a name server that is away has a patience of its own.
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return told[0] if told else f"no answer within {SECONDS:g} s."


def _verified(host: str, port: int, ca_file: Path | None, verify: bool) -> float | str:
    """The days, too, of one that is not good only because they are over."""
    try:
        return _days(host, port, ca_file, verify)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _EXPIRED:
            return _days(host, port, ca_file, verify=False)
        return f"{error.verify_message}."


def _days(host: str, port: int, ca_file: Path | None, verify: bool) -> float:
    context = ssl.create_default_context(cafile=ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        data = connection.getpeercert(binary_form=True)
    end = x509.load_der_x509_certificate(data or b"").not_valid_after_utc
    return (end - datetime.datetime.now(datetime.UTC)).total_seconds() / _DAY
