# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Where the guest spends its time, by function of the firmware's ELF file."""

from bisect import bisect_right
from collections import Counter
from pathlib import Path
from types import TracebackType

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from .errors import ImageError
from .pico import Pico

# A prime number of ns, so that sampling does not fall into step with the guest's own timers.
SAMPLE_NS = 1009
_BOOTROM_END = 0x4000


class Symbols:
    """Function names by address."""

    def __init__(self, elf: Path) -> None:
        """:raises ImageError: not an ELF file with symbols"""
        with elf.open("rb") as stream:
            table = ELFFile(stream).get_section_by_name(".symtab")
            if not isinstance(table, SymbolTableSection):
                raise ImageError(f"{elf.name} has no symbol table")
            functions = sorted(
                (symbol["st_value"] & ~1, symbol.name)  # bit 0 says Thumb
                for symbol in table.iter_symbols()
                if symbol["st_info"]["type"] == "STT_FUNC"
            )
        self._addresses = [address for address, _ in functions]
        self._names = [name for _, name in functions]

    def name(self, address: int) -> str:
        """The function `address` lies in; code below the first symbol, in the boot ROM, is `bootrom`."""
        index = bisect_right(self._addresses, address) - 1
        if address < _BOOTROM_END or index < 0:
            return "bootrom"
        return self._names[index]


class Profile:
    """A context manager that samples the program counter; `samples` counts by function name."""

    def __init__(self, pico: Pico, symbols: Symbols, *, sample_ns: int = SAMPLE_NS) -> None:
        self._pico, self._symbols, self._sample_ns = pico, symbols, sample_ns
        self._addresses: Counter[int] = Counter()
        self._alarm = pico.clock.create_alarm(self._sample)

    def __enter__(self) -> "Profile":
        self._alarm.schedule(self._sample_ns)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._alarm.cancel()

    def _sample(self) -> None:
        if not self._pico.idle:
            self._addresses[self._pico.mcu.core.pc] += 1
        self._alarm.schedule(self._sample_ns)

    @property
    def samples(self) -> Counter[str]:
        """How often each function was met; sleep is not counted."""
        counts: Counter[str] = Counter()
        for address, count in self._addresses.items():
            counts[self._symbols.name(address)] += count
        return counts
