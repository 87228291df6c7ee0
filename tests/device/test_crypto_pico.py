# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The assembler back end on the emulated Pico against the `cryptography` package; compiled, as in images."""

import ast
import random
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from guest_code import COST
from tests.unit.test_aead import POLY1305
from tests.unit.test_x25519 import SMALL_ORDER

from understudy.simulator.flash_layout import FLASH_SIZE
from understudy.simulator.littlefs_image import install_files
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl
from understudy_device import crypto_library, noise
from understudy_device.errors import AuthenticationFailed

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware" / "understudy_device"
MPY_CROSS = ROOT / "build" / "micropython" / "mpy-cross" / "mpy-cross"
MODULES = (
    "__init__ errors compat hashes noise chacha20 chacha20_thumb poly1305 poly1305_thumb chacha20poly1305 "
    "chacha20poly1305_thumb x25519 x25519_thumb field25519_thumb"
).split()
P = (1 << 255) - 19

SETUP = (
    COST
    + """
import machine, time
from understudy_device import chacha20_thumb, chacha20poly1305_thumb, compat, field25519_thumb, noise
from understudy_device import poly1305_thumb, x25519_thumb
from understudy_device.chacha20_thumb import chacha20_xor
from understudy_device.poly1305_thumb import poly1305
from understudy_device.errors import AuthenticationFailed
work = bytearray(12 * 32)
def field(operation, a, b):
    work[4 * 32:5 * 32] = a
    work[5 * 32:6 * 32] = b
    field25519_thumb.run(bytes((operation, 6, 4, 5, 0, 0, 0, 0)), work, 0)
    return bytes(work[6 * 32:7 * 32])
def x25519(private, public):
    try:
        return compat.x25519(private, public)
    except AuthenticationFailed:
        return None
"""
)

# What the Pico may take, in simulated us: a fifth more than measured when this was written.
LIMITS_US = {
    "compat.x25519(KEY, KEY)": 78000,
    "chacha20_thumb.block(chacha20_thumb.work)": 70,
    "chacha20_xor(KEY, 0, NONCE, TEXT)": 300,
    "poly1305(KEY, TEXT)": 270,
    "compat.aead_seal(KEY, NONCE, b'', TEXT)": 1000,
}


def source_files() -> dict[str, bytes]:
    return {f"lib/understudy_device/{name}.py": (CORE / f"{name}.py").read_bytes() for name in MODULES}


def compiled_files(folder: Path) -> dict[str, bytes]:
    files = {}
    for name in MODULES:
        target = folder / f"{name}.mpy"
        subprocess.run([MPY_CROSS, "-march=armv6m", "-o", target, CORE / f"{name}.py"], check=True)
        files[f"lib/understudy_device/{name}.mpy"] = target.read_bytes()
    return files


def start(image: Path, files: dict[str, bytes]) -> RawRepl:
    pico = Pico(image, seed=1, flash=install_files(b"\xff" * FLASH_SIZE, files))
    pico.boot()
    repl = RawRepl(pico)
    repl.exec(SETUP)
    return repl


@pytest.fixture(scope="module")
def repl(stock_image: Path, tmp_path_factory: pytest.TempPathFactory) -> RawRepl:
    return start(stock_image, compiled_files(tmp_path_factory.mktemp("mpy")))


def evaluate(repl: RawRepl, expression: str) -> object:
    return ast.literal_eval(repl.exec(f"print({expression})").strip())


def outcome(function: Callable[..., bytes], *arguments: bytes) -> bytes | None:
    try:
        return function(*arguments)
    except AuthenticationFailed:
        return None


def check_assembler(repl: RawRepl) -> None:
    assert evaluate(repl, "compat.x25519 is x25519_thumb.x25519") is True
    assert evaluate(repl, "compat.aead_open is chacha20poly1305_thumb.aead_open") is True


def test_the_assembler_is_in_use(repl: RawRepl) -> None:
    check_assembler(repl)


def test_a_stock_board_compiles_it_from_source(stock_image: Path) -> None:
    repl = start(stock_image, source_files())
    check_assembler(repl)
    key = bytes(range(32))
    assert evaluate(repl, f"compat.x25519({key}, {key})") == crypto_library.x25519(key, key)
    sealed = crypto_library.aead_seal(key, key[:12], b"", key)
    assert evaluate(repl, f"compat.aead_open({key}, {key[:12]}, b'', {sealed})") == key


def elements() -> list[int]:
    """Numbers below 2^255 + 2^24: random ones and those where carries run furthest."""
    chance = random.Random(25519)
    edges = [0, 1, 18, 19, 20, 38, P - 1, P, P + 1, (1 << 255) - 1, 1 << 255, (1 << 255) + (1 << 24) - 1]
    edges += [
        sum(0xFFFF << (16 * i) for i in range(16) if mask >> i & 1) >> 1 for mask in (0x5555, 0xAAAA, 0x8001)
    ]
    edges += [(1 << 255) - (1 << shift) for shift in (16, 32, 128, 240)]
    return edges + [chance.randrange(1 << 255) for _ in range(6)]


OPERATIONS: dict[int, tuple[Callable[[int, int], int], int]] = {
    1: (lambda a, b: a * b, (1 << 255) + (1 << 24)),
    2: (lambda a, b: a + b, 1 << 256),
    3: (lambda a, b: a - b, 1 << 256),
    5: (lambda a, b: a * 121665, (1 << 255) + (1 << 24)),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_field(repl: RawRepl, operation: int) -> None:
    """Every element with every other; the Pico sends a hash of a row's results, reduced, and the highest."""
    model, bound = OPERATIONS[operation]
    numbers = elements()
    repl.exec(f"numbers = {[number.to_bytes(32, 'little') for number in numbers]}")
    repl.exec(
        "def row(operation, a):\n"
        "    results = [int.from_bytes(field(operation, a, b), 'little') for b in numbers]\n"
        "    reduced = b''.join((result % (2**255 - 19)).to_bytes(32, 'little') for result in results)\n"
        "    return compat.sha256(reduced), max(results) >> 224\n"
    )
    for index, a in enumerate(numbers):
        digest, top = evaluate(repl, f"row({operation}, numbers[{index}])")
        assert (
            digest == sha256(b"".join((model(a, b) % P).to_bytes(32, "little") for b in numbers)).digest()
        ), hex(a)
        assert top <= bound >> 224


def test_field_product_of_sums(repl: RawRepl) -> None:
    """Sums and differences may be anything below 2^256, and products take them."""
    top = (1 << 256) - 1
    pairs = [
        (top, top),
        (top, 1),
        (1 << 255, top),
        (top - 37, top - 38),
        (top ^ 0xFFFF, top),
        (top - (1 << 240), top),
    ]
    arguments = [(x.to_bytes(32, "little"), y.to_bytes(32, "little")) for x, y in pairs]
    for operation in (1, 5):
        results = evaluate(repl, f"[field({operation}, a, b) for a, b in {arguments}]")
        for (x, y), result in zip(pairs, results, strict=True):
            assert (int.from_bytes(result, "little") - OPERATIONS[operation][0](x, y)) % P == 0


def test_x25519(repl: RawRepl) -> None:
    chance = random.Random(7748)
    publics = [bytes.fromhex(u) for u in SMALL_ORDER]
    publics += [
        n.to_bytes(32, "little") for n in (2, 9, P + 2, P + 18, (1 << 255) - 1, (1 << 256) - 1, P - 2)
    ]
    publics += [(0x7FFF << 240 | 0xFFFF << 96 | 0xFFFF).to_bytes(32, "little")]
    publics += [chance.randbytes(32) for _ in range(10)]
    privates = [bytes(32), b"\xff" * 32, *(chance.randbytes(32) for _ in publics[2:])]
    for private, public in zip(privates, publics, strict=True):
        expected = outcome(crypto_library.x25519, private, public)
        assert evaluate(repl, f"x25519({private}, {public})") == expected, (private.hex(), public.hex())


def test_x25519_wipes_its_work_area(repl: RawRepl) -> None:
    repl.exec("x25519(bytes(range(32)), b'\\x09' + bytes(31))")
    assert evaluate(repl, "bytes(x25519_thumb._work) == bytes(12 * 32)") is True


def test_time_does_not_depend_on_data(repl: RawRepl) -> None:
    repl.exec(
        "def timed(fill, swap):\n"
        "    area = bytearray(128) + bytes((fill,)) * (8 * 32)\n"
        "    state = machine.disable_irq()\n"
        "    start = time.ticks_us()\n"
        "    for _ in range(20):\n"
        "        field25519_thumb.run(x25519_thumb._RUNG, area, swap)\n"
        "    spent = time.ticks_diff(time.ticks_us(), start)\n"
        "    machine.enable_irq(state)\n"
        "    return spent\n"
    )
    # The first one of a request is slower: what the request has left to do runs in it.
    times = evaluate(
        repl, "(timed(0, 0), [timed(fill, swap) for fill in (0, 1, 0x7f, 0x55) for swap in (0, 1)])[1]"
    )
    assert max(times) - min(times) <= 2, times  # of about 4000 us; the clock counts whole ones


def test_poly1305_vectors(repl: RawRepl) -> None:
    for key, message, tag in POLY1305:
        assert evaluate(repl, f"poly1305({bytes.fromhex(key)}, {message})") == bytes.fromhex(tag)


def test_aead(repl: RawRepl) -> None:
    chance = random.Random(8439)
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 1040):
        key, nonce = chance.randbytes(32), chance.randbytes(12)
        ad = chance.randbytes(chance.choice([0, 1, 16, 32, 40]))
        text = chance.choice([chance.randbytes(size), b"\xff" * size, bytes(size)])
        sealed = crypto_library.aead_seal(key, nonce, ad, text)
        assert evaluate(repl, f"compat.aead_seal({key}, {nonce}, {ad}, {text})") == sealed
        assert evaluate(repl, f"compat.aead_open({key}, {nonce}, {ad}, {sealed})") == text


def test_aead_refuses(repl: RawRepl) -> None:
    sealed = crypto_library.aead_seal(bytes(32), bytes(12), b"ad", b"text")
    repl.exec(
        "def refused(data):\n"
        "    try:\n"
        "        compat.aead_open(bytes(32), bytes(12), b'ad', data)\n"
        "    except AuthenticationFailed:\n"
        "        return True\n"
        "    return False\n"
    )
    repl.exec(f"sealed = {sealed}")
    assert evaluate(repl, "refused(sealed)") is False
    assert evaluate(
        repl,
        f"[refused(sealed[:i] + bytes((sealed[i] ^ 1,)) + sealed[i + 1:]) for i in range({len(sealed)})]",
    ) == [True] * len(sealed)


def test_arguments_at_odd_addresses(repl: RawRepl) -> None:
    """This core faults on an unaligned load."""
    text = bytes(range(100))
    repl.exec("def odd(data):\n    return memoryview(b'.' + data)[1:]\n")
    assert evaluate(
        repl,
        f"poly1305(odd(bytes(32)), odd({text})) == poly1305(bytes(32), {text})",
    )
    assert evaluate(
        repl,
        f"chacha20_xor(odd(bytes(32)), 1, odd(bytes(12)), odd({text})) == "
        f"chacha20_xor(bytes(32), 1, bytes(12), {text})",
    )


@pytest.mark.parametrize("pattern", ["XX", "KK"])
def test_handshake_with_the_host(repl: RawRepl, pattern: str) -> None:
    chance = random.Random(34)
    host, device, ephemeral = noise.KeyPair(chance.randbytes(32)), chance.randbytes(32), chance.randbytes(32)
    known = pattern == "KK"
    initiator = noise.HandshakeState(
        pattern, True, host, crypto_library.x25519_base(device) if known else b"", b"hello", chance.randbytes
    )
    repl.exec(
        f"state = noise.HandshakeState({pattern!r}, False, noise.KeyPair({device}), "
        f"{host.public if known else b''}, b'hello', lambda n: {ephemeral}[:n])"
    )
    assert evaluate(repl, f"state.read_message({initiator.write_message(b'one')})") == b"one"
    assert initiator.read_message(evaluate(repl, "state.write_message(b'two')")) == b"two"
    if not known:
        assert evaluate(repl, f"state.read_message({initiator.write_message(b'three')})") == b"three"
    assert evaluate(repl, "state.handshake_hash") == initiator.handshake_hash
    assert evaluate(repl, "state.remote_static") == host.public
    repl.exec("send, receive = state.split()")
    send, receive = initiator.split()
    for text in (b"", b"request", bytes(1000)):
        sealed = send.encrypt_with_ad(b"", text)
        assert evaluate(repl, f"receive.decrypt_with_ad(b'', {sealed})") == text
        assert receive.decrypt_with_ad(b"", evaluate(repl, f"send.encrypt_with_ad(b'', {text})")) == text


def test_cost(repl: RawRepl) -> None:
    repl.exec("KEY, NONCE, TEXT = bytes(range(32)), bytes(12), bytes(96)")
    costs = {call: evaluate(repl, f"cost(lambda: {call})") for call in LIMITS_US}
    assert all(costs[call] <= limit for call, limit in LIMITS_US.items()), costs
    print(costs)
