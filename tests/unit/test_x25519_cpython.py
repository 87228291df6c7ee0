# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Our portable X25519 against the `cryptography` package, and RFC 7748's long iteration. CPython only."""

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy_device import crypto_library, x25519
from understudy_device.errors import AuthenticationFailed

KEYS = st.binary(min_size=32, max_size=32)
P = (1 << 255) - 19
# Where a reduction may go wrong: around 0, p, 2p, powers of two, and limbs of all ones.
EDGES = st.one_of(
    st.integers(-40, 40).map(lambda n: (P + n) % (1 << 256)),
    st.integers(0, 40).map(lambda n: (1 << 256) - 1 - n),
    st.integers(0, 255).map(lambda n: 1 << n),
    st.integers(0, (1 << 16) - 1).map(
        lambda mask: sum(0xFFFF << (16 * i) for i in range(16) if mask >> i & 1)
    ),
).map(lambda u: u.to_bytes(32, "little"))


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except AuthenticationFailed:
        return None


def test_thousand_iterations():
    k = u = b"\x09" + bytes(31)
    for _ in range(1000):
        k, u = x25519.x25519(k, u), k
    assert k.hex() == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


@settings(max_examples=150, deadline=None)
@given(KEYS, st.one_of(KEYS, EDGES))
def test_same_as_the_library(private, public):
    assert outcome(x25519.x25519, private, public) == outcome(crypto_library.x25519, private, public)


@settings(max_examples=50, deadline=None)
@given(KEYS)
def test_same_public_key_as_the_library(private):
    assert x25519.x25519_base(private) == crypto_library.x25519_base(private)


@settings(max_examples=50, deadline=None)
@given(KEYS, KEYS)
def test_both_sides_agree(one, two):
    assert x25519.x25519(one, x25519.x25519_base(two)) == x25519.x25519(two, x25519.x25519_base(one))
