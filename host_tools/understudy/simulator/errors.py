# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the simulator raises."""


class SimulatorError(Exception):
    """Base of everything raised by `understudy.simulator` on purpose."""


class ImageError(SimulatorError):
    """A firmware file is not an RP2040 image, or does not fit the flash."""


class EmulatorMismatch(SimulatorError):
    """The installed rp2040py is not shaped as the patches expect (a version we have not tried)."""


class SimulationTimeout(SimulatorError, TimeoutError):
    """What was waited for did not happen in time, or cannot happen any more."""


class PowerLost(SimulatorError):
    """The simulated power failed in a flash operation; build a new `Pico` on `flash_image()` to go on."""


class GuestError(SimulatorError):
    """Code run through the raw REPL ended in an exception; the text is the guest's traceback."""


class StateError(SimulatorError):
    """A flash state file cannot be used: wrong size, or another simulator has it open."""
