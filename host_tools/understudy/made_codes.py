# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Codes that the device makes, recovery and bypass codes, as they are shown."""


def shown(digits: str) -> str:
    """In two halves, as it is easier to copy; the dash is dropped when it is typed."""
    half = len(digits) // 2
    return f"{digits[:half]}-{digits[half:]}"
