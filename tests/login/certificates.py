# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Certificates for a server at localhost: a good one, and what can be wrong with one."""

import datetime
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey


def make_certificates(folder: Path) -> Mapping[str, Path]:
    """Files of a key and its certificate, by what is wrong with it; "good" is by the authority in
    `folder`/ca.pem."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("The tests' authority")
    (folder / "ca.pem").write_bytes(_pem(_certificate(issuer, issuer, authority, authority, days=2)))
    made = {}
    for name, host, days, is_own in (
        ("good", "localhost", 2, False),
        ("wrong-name", "otp.example.net", 2, False),
        ("expired", "localhost", -1, False),
        ("self-signed", "localhost", 2, True),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        by, signer = (_name(host), key) if is_own else (issuer, authority)
        certificate = _certificate(_name(host), by, key, signer, days=days, host=host)
        made[name] = folder / f"{name}.pem"
        made[name].write_bytes(_private(key) + _pem(certificate))
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: Key, signer: Key, *, days: int, host: str = ""
) -> x509.Certificate:
    """For `host`, or with none an authority's; ends in `days`."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now + days * _DAY)
        .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
