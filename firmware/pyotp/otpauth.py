# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Reading otpauth:// URIs."""

from .digests import constructor
from .hotp import HOTP
from .percent import unquote
from .totp import TOTP
from .uri import parse_query, split_uri

_KNOWN = ("secret", "issuer", "algorithm", "encoder", "digits", "period", "counter")
_ALGORITHMS = {"SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}


def parse_uri(uri):
    """Return the HOTP or TOTP object that an otpauth:// URI describes.

    Raises ValueError for a URI that is none, is ambiguous (a parameter twice, two issuers) or asks for what
    this package has not (Steam codes among them), TypeError for a counter in a totp or a period in a hotp
    URI.
    """
    if not uri or isinstance(uri, (bytes, bytearray)):
        raise ValueError("not an otpauth URI")
    scheme, kind, path, query = split_uri(uri)
    if scheme != "otpauth":
        raise ValueError("not an otpauth URI")
    parameters = _parameters(query)
    options = _label(path[1:], parameters.get("issuer"))
    _read_numbers(parameters, options)
    if "algorithm" in parameters:
        if parameters["algorithm"] not in _ALGORITHMS:
            raise ValueError("algorithm must be SHA1, SHA256 or SHA512")
        options["digest"] = constructor(_ALGORITHMS[parameters["algorithm"]])
    if "secret" not in parameters:
        raise ValueError("no secret in the URI")
    if kind not in ("totp", "hotp") or parameters.get("encoder") == "steam":
        raise ValueError("unsupported kind of code")
    make = TOTP if kind == "totp" else HOTP
    return make(parameters["secret"], **options)


def _parameters(query):
    """Return the known parameters that have a value. Raises ValueError if one is there twice, even empty."""
    seen = []
    values = {}
    for name, value in parse_query(query):
        if name not in _KNOWN:
            continue
        if name in seen:
            raise ValueError("a parameter is in the URI twice")
        seen.append(name)
        if value:
            values[name] = value
    return values


def _label(label, issuer):
    """Return name and issuer from "issuer:name" or "name", both percent-encoded: an encoded colon separates
    nothing. `issuer`: the parameter of that name, or None; it must not contradict the label."""
    before, colon, after = label.partition(":")
    if not colon:
        options = {"name": unquote(before)}
    else:
        options = {"issuer": unquote(before), "name": unquote(after)}
        if issuer is not None and issuer != options["issuer"]:
            raise ValueError("the issuer of the label is not the issuer parameter")
    if issuer is not None:
        options["issuer"] = issuer
    return options


def _read_numbers(parameters, options):
    for name, option in (("digits", "digits"), ("period", "interval"), ("counter", "initial_count")):
        if name in parameters:
            options[option] = int(parameters[name])
    if options.get("digits", 6) not in (6, 7, 8):
        raise ValueError("digits must be 6, 7 or 8")
