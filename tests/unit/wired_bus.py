# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An I2C bus between a driver and the models of chips that the emulated Pico has on its own."""


class WiredBus:
    """With the methods of busio.I2C. `stuck`: its clock line is held low."""

    def __init__(self, *targets):
        """`targets`: simulator.i2c_bus.I2CTarget."""
        self.targets = {target.address: target for target in targets}
        self.locked = self.stuck = False

    def try_lock(self):
        free, self.locked = not self.locked, True
        return free

    def unlock(self):
        self.locked = False

    def _find(self, address, read):
        assert self.locked
        target = self.targets.get(address)
        if target is None or not target.present:
            raise OSError(5)
        if self.stuck:
            raise OSError(110)
        target.begin(read)
        return target

    def _write(self, address, data):
        target = self._find(address, False)
        for value in bytes(data):
            if not target.write(value):
                raise OSError(5)
        return target

    def writeto(self, address, buffer, *, start=0, end=None):
        self._write(address, memoryview(buffer)[start:end]).end()

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        target = self._find(address, True)
        view = memoryview(buffer)[start:end]
        view[:] = bytes(target.read() for _ in view)
        target.end()

    def writeto_then_readfrom(self, address, out_buffer, in_buffer):
        """Without a stop between them."""
        self._write(address, out_buffer)
        self.readfrom_into(address, in_buffer)
