# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A server's text, made fit for a prompt on a terminal."""

import unicodedata

_MOST = 240  # characters; a line of the broker's reply holds 1024 bytes
_FALLBACK = "Answer"
_UNSEEN = ("C", "Zl", "Zp")  # control, format and unassigned characters, line separators


def prompt_text(text: str) -> str:
    """One line of visible characters that ends as a prompt does."""
    visible = "".join(" " if unicodedata.category(char).startswith(_UNSEEN) else char for char in text)
    line = " ".join(visible.split())[:_MOST].strip() or _FALLBACK
    return line + (" " if line.endswith((":", "?", ">")) else ": ")
