# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The command line: nouns and verbs over the client."""

from understudy.cli.entry import main

__all__ = ["main"]
