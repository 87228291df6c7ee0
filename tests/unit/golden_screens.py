# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Every screen with example values, and the reviewed pictures of what each looks like: golden/NAME.png."""

import os

from understudy_device import qrcode, screens

URI = "otpauth://totp/alice?secret=GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR&issuer=Understudy"
LONG_URI = "otpauth://totp/" + "a" * 64 + "?secret=" + "A" * 103 + "&issuer=Understudy&period=60"
DEVICE = "0123456789abcdef"


def examples():
    """Name of the picture: screen."""
    return {
        "unclaimed": ("unclaimed", (DEVICE,)),
        "unclaimed-first": ("unclaimed", ("",)),
        "pairing": screens.pairing("407318"),
        "pairing-public": screens.public(screens.pairing("407318")),
        "sealed": ("sealed", ()),
        "ready": ("ready", ("synced", 12)),
        "ready-holdover": ("ready", ("holdover", 5000)),
        "clock-unset": ("clock-unset", ()),
        "verdict-accepted": screens.verdict("accepted", "alice"),
        "verdict-rejected": screens.verdict("rejected", "alice"),
        "verdict-unknown-user": screens.verdict("unknown-user", "mallory.longer"),
        "verdict-clock-unset": screens.verdict("clock-unset", "alice.of.the.long.name@example.org"),
        "verdict-malformed": screens.verdict("malformed", "J\u00fcrgen"),
        "throttled": screens.throttled("alice", 28),
        "throttled-long": screens.throttled("alice.of.the.long.name@example.org", 86400),
        "enrolment": screens.enrolment("alice", *qrcode.modules(URI)),
        "enrolment-long": screens.enrolment("alice.of.the.long.name", *qrcode.modules(LONG_URI)),
        "enrolment-public": (screens.ENROLMENT, ()),
        "button": screens.button("claim"),
        "factory-reset-asked": screens.factory_reset(screens.ASKED),
        "factory-reset-erasing": screens.factory_reset(screens.ERASING),
        "factory-reset-done": screens.factory_reset(screens.DONE),
        "damaged": ("damaged", ()),
    }


def golden_path(name):
    """The picture's file."""
    return "/".join(__file__.split("/")[:-1] + ["golden", name + ".png"])


def _inflated(data):
    try:
        import zlib

        return zlib.decompress(data)
    except ImportError:  # MicroPython
        import io

        import deflate

        return deflate.DeflateIO(io.BytesIO(data), deflate.ZLIB).read()


def golden(name, scale=4):
    """The picture's pixels as in the display's RAM. Reads what understudy.picture.png writes, and no more."""
    with open(golden_path(name), "rb") as file:
        data = file.read()
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    lines = _inflated(data[start + 4 : start + 4 + size])
    stride = 128 * scale // 8 + 1
    pixels = bytearray(1024)
    for y in range(64):
        for x in range(128):
            at = x * scale
            if lines[y * scale * stride + 1 + at // 8] >> (7 - at % 8) & 1:
                pixels[y // 8 * 128 + x] |= 1 << y % 8
    return bytes(pixels)


def wants_update():
    """Whether the pictures are to be made anew: UPDATE_GOLDEN=1, under CPython."""
    return bool(getattr(os, "environ", {}).get("UPDATE_GOLDEN"))


def update(name, pixels):
    """Write the picture."""
    from understudy.picture import png, rows

    with open(golden_path(name), "wb") as file:
        file.write(png(rows(pixels)))
