# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the tests of verdicts and commands share: codes of the imported secret, other hosts, the audit log
read."""

import pyotp
from parts import TEARS, Bench, BenchBoard, CutFlash, Host
from understudy_device.events import Event, chain
from understudy_device.sectors import SECTOR
from understudy_device.session import Session

SECRET = "GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR"  # 20 times 0x31, as Bench.enrol imports it
OTHER_HEX = "32" * 20
OTHER = "GIZDEMRSGIZDEMRSGIZDEMRSGIZDEMRS"  # 20 times 0x32
TOTP = pyotp.TOTP(SECRET)
HOTP = pyotp.HOTP(SECRET)
ENTROPY = "00" * 32
WRONG = "000000"
WRONG_LONG = "0000000000"
WIDE = '"'  # what takes two bytes in JSON for one in a name


def status_of(reply):
    """The status in a reply, or of a fault."""
    return reply if isinstance(reply, str) else reply["status"]


def verify(bench, code, user="alice"):
    """The verdict's name."""
    return status_of(bench.ask("verify", user=user, code=code))


def enrol_hotp(bench, user="alice", **fields):
    """A confirmed HOTP credential named token."""
    return bench.enrol(user, **dict({"credential": "token", "kind": "hotp"}, **fields))


def recovery(bench, user="alice"):
    """New recovery codes."""
    return bench.ask("recovery_make", user=user, entropy=ENTROPY)["codes"]


def bypass(bench, seconds=600, user="alice"):
    """A new bypass code."""
    return bench.ask("bypass_make", user=user, seconds=seconds, entropy=ENTROPY)["code"]


def without_id(reply):
    """A reply without what differs between two of the same content."""
    return {name: value for name, value in reply.items() if name != "id"}


def second_session(bench):
    """Another port of the same device."""
    return Session(bench.device, bench.session._service)


def second_host(bench, role="verifier", seed=b"other"):
    """(Host, its session on a port of its own) of a further paired host."""
    host, session = Host(seed), second_session(bench)
    bench.ask("pair_open", role=role, seconds=60)
    reply = host.join(session, "pair", "other")
    if reply["status"] != "ok":
        raise ValueError(reply["status"])
    host.open(session)
    return host, session


def events(bench, first=0):
    """[(number, Event, name now, detail)] of the audit log from number `first` on; its chain is checked."""
    found, hash_now = [], None
    page = bench.ask("audit_read", first=first)
    while page["events"]:
        if hash_now is None and page["chain"] is not None:
            hash_now = bytes.fromhex(page["chain"])
        for number, data, name, detail, _ in page["events"]:
            data = bytes.fromhex(data)
            if hash_now is not None:
                hash_now = chain(hash_now, data)
            found.append((number, Event.unpack(data), name, detail))
        page = bench.ask("audit_read", first=found[-1][0] + 1)
    if hash_now is not None and hash_now.hex() != page["head"]:
        raise ValueError("the chain does not hold")
    if [number for number, _, _, _ in found] != list(range(page["next"] - len(found), page["next"])):
        raise ValueError("an event is missing")
    return found


def cuts(bench, act):
    """For each flash operation of `act(bench)`: (a bench restarted on what a power cut there leaves, whether
    there was one). The last one had none. The device answers a cut as any fault of its own."""
    image = bench.board.flash.image()
    is_cut, cut_at = True, 0
    while is_cut:
        cut = Bench(
            BenchBoard(CutFlash(image, len(image) // SECTOR), b"again", bench.board.time), claimed=False
        )
        cut.admin = bench.admin
        cut.admin.unseal(cut.session)
        flash = cut.board.flash
        flash.operations.clear()
        flash.cut_at, flash.tear = cut_at, TEARS[cut_at % len(TEARS)]
        act(cut)
        is_cut, cut_at = flash.dead, cut_at + 1
        cut.restart()
        yield cut, is_cut
    bench.admin.open(bench.session)
