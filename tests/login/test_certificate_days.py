# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How long a 2FA server's certificate is good for, as the doctor sees it at a real TLS server on loopback."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.cli.support import SECONDS
from tests.login.certificates import make_certificates
from tests.login.site import Site
from tests.login.test_doctor import findings
from tests.ports import free_port

from understudy.doctor import certificate
from understudy.doctor.certificate import days_left

GOOD_DAYS = 2  # of the tests' good certificate
OVER_DAYS = -1  # of the one that has run out


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A socket that listens on loopback, and takes connections, if nobody else does."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        server.settimeout(SECONDS)
        yield server


@contextmanager
def tls_server(pem: Path) -> Iterator[int]:
    """The port of a server that shows the certificate in `pem` to whoever comes, while inside."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        while not over.is_set():
            with suppress(OSError), server.accept()[0] as plain:
                plain.settimeout(SECONDS)
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(1)

    with listening() as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            socket.create_connection(server.getsockname(), SECONDS).close()
            thread.join(SECONDS)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all kinds of certificates, each NAME.pem, and their authority, ca.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


def test_a_good_one_has_days_left(certificates: Path) -> None:
    with tls_server(certificates / "good.pem") as port:
        days = days_left("localhost", port, certificates / "ca.pem", True)
        assert isinstance(days, float) and GOOD_DAYS - 0.1 < days <= GOOD_DAYS
        # The system does not know the tests' authority.
        assert "issuer" in str(days_left("localhost", port, None, True))


def test_of_one_that_has_run_out_it_is_known_since_when(certificates: Path) -> None:
    with tls_server(certificates / "expired.pem") as port:
        for verify in (True, False):
            days = days_left("localhost", port, certificates / "ca.pem", verify)
            assert isinstance(days, float) and OVER_DAYS - 0.1 < days <= OVER_DAYS


@pytest.mark.parametrize(("name", "told"), [("self-signed", "self-signed"), ("wrong-name", "mismatch")])
def test_a_bad_one_is_no_certificate_unless_nobody_wants_it_verified(
    certificates: Path, name: str, told: str
) -> None:
    with tls_server(certificates / f"{name}.pem") as port:
        why = days_left("localhost", port, certificates / "ca.pem", True)
        assert isinstance(why, str) and told in why
        days = days_left("localhost", port, certificates / "ca.pem", False)
        assert isinstance(days, float) and GOOD_DAYS - 0.1 < days <= GOOD_DAYS


def test_who_does_not_speak_tls_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(certificate, "SECONDS", 0.2)
        assert "no answer" in str(days_left("127.0.0.1", port, None, True))  # the kernel took the connection
        monkeypatch.setattr(certificate, "SECONDS", SECONDS)

        def say() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as plain:
                        plain.sendall(b"220 mail.example.net ESMTP\r\n" * 9)

        threading.Thread(target=say, daemon=True).start()
        assert "TLS failed" in str(days_left("127.0.0.1", port, None, True))


def test_the_doctor_tells_of_it(at: Site, certificates: Path) -> None:
    keys = f'kind = "privacyidea"\nca_file = "{certificates}/ca.pem"\n'
    for name, severity, words in (
        ("good", "problem", "good for 2 days"),
        ("expired", "problem", "ran out 1 days ago"),
        ("self-signed", "warning", "self-signed certificate"),
    ):
        with tls_server(certificates / f"{name}.pem") as port:
            at.configure(f'[upstream]\n{keys}url = "https://localhost:{port}"\n')
            found = findings(at)["certificate"]
            assert found["severity"] == severity and words in found["what"], found
            assert f"localhost:{port}" in found["command"]
