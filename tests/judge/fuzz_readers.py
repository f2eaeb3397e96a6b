"""Fuzzes the readers and the monitors with mutated captures: ``python -m tests.judge.fuzz_readers --inputs
1000000``.

Each input is a small capture of any supported format with bytes flipped, cut, doubled or replaced; the
whole judgement runs on it. An exception, or an
input that takes longer than a second of processor time, stops the run and prints the seed that makes it
again.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import lzma
import random
import resource
import sys
import time

from conformance.judge import fast
from conformance.judge.document import build
from conformance.judge.lane import Options
from conformance.judge.packets import Unreadable
from conformance.judge.readers import packets
from conformance.judge.session import Session
from conformance.wire.digest import Address
from tests.judge.making import RECORDINGS, Member, addresses, enhanced, interface, option, pcap, section

_HINTS: tuple[Address, ...] = addresses("192.0.2.1")
_LONGEST_S = 1.0
_WITH_PASSWORDS = 50


def seeds() -> list[bytes]:
    """Small captures of every supported format."""
    member = Member()
    frames = [*member.run(0, 6), member.announcement(0.001), *Member(source="fe80::1", tos=0).run(0.2, 3)]
    raw = [(time_ns, frame[14:]) for time_ns, frame in frames]
    ng = section() + interface(options=option(9, b"\x09"))
    ng += b"".join(enhanced(time_ns, frame) for time_ns, frame in frames)
    plain = pcap(frames)
    made = [
        plain,
        pcap(frames, order=">", nanoseconds=False),
        pcap(raw, linktype=101),
        pcap(frames, snaplen=60),
        ng,
    ]
    made += [section(">") + interface(order=">") + enhanced(1, frames[0][1], order=">") + ng]
    made += [gzip.compress(plain), bz2.compress(plain), lzma.compress(plain)]
    return made + [path.read_bytes()[:1500] for path in RECORDINGS]


def mutate(generator: random.Random, seed: bytes) -> bytes:
    """One mutation of a capture, or a few."""
    data = bytearray(seed)
    for _ in range(generator.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at = generator.randrange(len(data))
        match generator.randrange(7):
            case 0:
                data[at] ^= 1 << generator.randrange(8)
            case 1:
                data[at] = generator.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del data[at:]
            case 3:
                del data[at : at + generator.randrange(1, 64)]
            case 4:
                data[at:at] = data[at : at + generator.randrange(1, 200)]
            case 5:
                data[at : at + 4] = generator.choice(
                    (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\1\0")
                )
            case _:
                data[at:at] = generator.randbytes(generator.randrange(1, 40))
    return bytes(data)


def judged(data: bytes, *, passwords: bool = True) -> dict[str, object]:
    """The whole judgement of one input, without a file; the search for passwords takes most of the time."""
    unreadable = Unreadable()
    session = Session(Options(("pass4carp1", "secret"), _HINTS) if passwords else Options())
    fast.run(session, packets(io.BytesIO(data), 0, unreadable.about("input")))
    session.finish()
    return build(session, ["input"], unreadable.all())


def main() -> None:
    """Runs the campaign and prints what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1, help="number of the first input")
    options = parser.parse_args()
    corpus, started, slowest = seeds(), time.monotonic(), 0.0
    for number in range(options.seed, options.seed + options.inputs):
        generator = random.Random(number)
        data = mutate(generator, generator.choice(corpus))
        before = time.process_time()
        try:
            judged(data, passwords=number % _WITH_PASSWORDS == 0)
        except Exception:
            print(f"input {number} breaks judge; run with --seed {number} --inputs 1", file=sys.stderr)
            raise
        took = time.process_time() - before
        slowest = max(slowest, took)
        if took > _LONGEST_S:
            sys.exit(f"input {number} took {took:.1f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{options.inputs} inputs in {time.monotonic() - started:.0f} s, "
        f"the slowest {slowest * 1000:.0f} ms, peak memory {memory} MiB"
    )


if __name__ == "__main__":
    main()
