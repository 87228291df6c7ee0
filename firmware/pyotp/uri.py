# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""otpauth:// URIs, written and taken apart (the "Key URI Format" of Google Authenticator's wiki)."""

from .percent import quote, unquote

_CONTROL_OR_SPACE = "".join([chr(code) for code in range(0x21)])
_SCHEME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."
# Characters that a browser turns into one of "/?#@:" (Unicode NFKC): in a host name they lead elsewhere than
# they look.
_DECEPTIVE = (
    "\u2047\u2048\u2049\u2100\u2101\u2105\u2106\u2a74\ufe13\ufe16"
    "\ufe55\ufe56\ufe5f\ufe6b\uff03\uff0f\uff1a\uff1f\uff20"
)


def build_uri(
    secret, name, initial_count=None, issuer=None, algorithm=None, digits=None, period=None, **kwargs
):
    """Return the URI; with an `initial_count` for HOTP, otherwise for TOTP.

    Parameters with their default value (sha1, 6 digits, 30 seconds) are left out. MicroPython does not keep
    the order of the extra arguments.
    """
    label = quote(name, b"/")
    parameters = [["secret", secret]]
    if issuer is not None:
        label = quote(issuer, b"/") + ":" + label
        parameters.append(["issuer", issuer])
    if initial_count is not None:
        parameters.append(["counter", initial_count])
    if algorithm is not None and algorithm != "sha1":
        parameters.append(["algorithm", algorithm.upper()])
    if digits is not None and digits != 6:
        parameters.append(["digits", digits])
    if period is not None and period != 30:
        parameters.append(["period", period])
    for key, value in kwargs.items():
        _put_extra(parameters, key, value)
    kind = "totp" if initial_count is None else "hotp"
    query = "&".join([quote(key) + "=" + _quote_value(value) for key, value in parameters])
    return "otpauth://" + kind + "/" + label + "?" + query


def _quote_value(value):
    return quote(value if isinstance(value, bytes) else str(value))


def _put_extra(parameters, key, value):
    """Add one extra parameter, or replace the one of that name where it stands."""
    if not isinstance(value, str):
        raise TypeError("extra parameters of the URI must be str")
    if key == "image":
        scheme, host, path, _ = split_uri(value)
        if scheme != "https" or not host or not path:
            raise ValueError("image must be an https URL with a host and a path")
    for parameter in parameters:
        if parameter[0] == key:
            parameter[1] = value
            return
    parameters.append([key, value])


def split_uri(text):
    """Return scheme (lower case), host part, path and query of a URI, as browsers read it (WHATWG URL):
    leading controls and blanks, tabs and line ends are dropped. Raises ValueError for a host part nobody
    should follow."""
    text = text.lstrip(_CONTROL_OR_SPACE)
    for character in "\t\r\n":
        text = text.replace(character, "")
    scheme, text = _split_scheme(text)
    host = ""
    if text[:2] == "//":
        end = min([at for at in (text.find(mark, 2) for mark in "/?#") if at >= 0] + [len(text)])
        host, text = text[2:end], text[end:]
    _check_host(host)
    text = text.split("#", 1)[0]
    path, _, query = text.partition("?")
    return scheme, host, path, query


def _split_scheme(text):
    """Return the scheme in lower case and the rest; no scheme if what is before the colon cannot be one."""
    scheme, colon, rest = text.partition(":")
    if not colon or not scheme or scheme[0] not in _SCHEME[:52]:
        return "", text
    for character in scheme:
        if character not in _SCHEME:
            return "", text
    return scheme.lower(), rest


def _check_host(host):
    if ("[" in host) != ("]" in host):
        raise ValueError("unbalanced brackets in the host of a URI")
    for character in host:
        if character in _DECEPTIVE:
            raise ValueError("deceptive character in the host of a URI")


def parse_query(query):
    """Return the (name, value) pairs of a query, decoded, in order; a name without "=" has the value ""."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.replace("+", " ").partition("=")
            pairs.append((unquote(name), unquote(value)))
    return pairs
