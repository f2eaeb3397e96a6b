"""The numbers of the design, measured: ``python -m tests.bench``, or ``tox -e bench``. One table, and exit status 1 if a number is missed.

Rates are of processor time, which a busy machine disturbs less than the clock; what is compared runs in turn, and the medians count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import wait4
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Column, Table

from tests.bench.generated import PASSWORD, SHARED, generate

_ROOT = Path(__file__).parents[2]
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Used:
    """What a process took: processor time in seconds, peak memory in bytes, its output."""

    processor_s: float
    peak: int
    said: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``met`` is None where no number is to be reached."""

    what: str
    seen: str
    reach: str
    met: bool | None


def used(command: Sequence[str]) -> Used:
    """Runs a command to its end. Exits with its output if it fails."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = wait4(process.pid, 0)
        process.returncode = status
        said.seek(0)
        text = said.read().decode(errors="replace")
    if status:
        sys.exit(f"{' '.join(command[:4])} … failed:\n{text[-4000:]}")
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, text)


_JUDGE = """
import sys
from conformance.judge.judge import judge
document = judge([sys.argv[1]], passwords=[sys.argv[2]], addresses=sys.argv[3:])
authentic = sum(host["authenticated"] for host in document["vhids"])
changes = sum(1 for host in document["vhids"] for one in host["handovers"] if one["from"])
print(authentic, changes, sum(len(host["findings"]) for host in document["vhids"]))
"""
_RDPCAP = "import sys, scapy.layers.inet; from scapy.utils import rdpcap; rdpcap(sys.argv[1])"


def judged(path: Path, frames: int, handovers: int) -> Used:
    """Judges the capture in a process of its own. Exits if it is not judged right."""
    run = used([sys.executable, "-c", _JUDGE, str(path), PASSWORD, *map(str, SHARED)])
    if run.said.split() != [str(frames), str(handovers), "0"]:
        sys.exit(
            f"judge said {run.said.strip()!r} of {frames} authentic advertisements with {handovers} hand-overs and no fault"
        )
    return run


def _judge_rows(folder: Path, frames: int, rounds: int) -> Iterator[Row]:
    large, small = folder / "large.pcap", folder / "small.pcap"
    handovers, few = generate(large, frames), max(frames // 50, 1000)
    fewer = generate(small, few)
    start_s = median(judged(small, few, fewer).processor_s for _ in range(rounds))
    tools: dict[str, Callable[[], Used]] = {"judge": lambda: judged(large, frames, handovers)}
    if shutil.which("tshark"):
        tools["tshark"] = lambda: used(["tshark", "-n", "-r", str(large), "-Y", "carp"])
    runs = {name: [] for name in tools}
    for _ in range(rounds):  # in turn, so that all meet the machine in the same moods
        for name, tool in tools.items():
            runs[name].append(tool())
    seconds = {name: median(one.processor_s for one in of) for name, of in runs.items()}
    rate = (frames - few) / (seconds["judge"] - start_s)
    yield Row(
        f"judge: {frames:,} authentic advertisements, {handovers} hand-overs",
        f"{rate:,.0f}/s",
        "≥ 300,000/s",
        rate >= 300_000,
    )
    if "tshark" in seconds:
        ratio = seconds["tshark"] / seconds["judge"]
        yield Row(
            "judge, program start included, against tshark -r FILE -Y carp",
            f"{ratio:.2f} ×",
            "> 1 ×",
            ratio > 1,
        )
    else:
        yield Row("judge against tshark", "tshark is not installed (apt-get install tshark)", "> 1 ×", None)
    scapy_s = median(used([sys.executable, "-c", _RDPCAP, str(small)]).processor_s for _ in range(rounds))
    yield Row(
        f"judge against scapy's rdpcap ({few:,} frames, program start included)",
        f"{scapy_s / start_s:.0f} ×",
        "",
        None,
    )
    peaks = [judged(small, few, fewer).peak, max(one.peak for one in runs["judge"])]
    growth = (peaks[1] - peaks[0]) / _MIB
    yield Row(
        f"judge: peak memory, {few:,} and {frames:,} advertisements",
        f"{peaks[0] / _MIB:.0f} and {peaks[1] / _MIB:.0f} MiB",
        "constant (± 4 MiB)",
        growth <= 4,
    )


def _injection_rows(folder: Path) -> Iterator[Row]:
    """As the tests of the live segment measure it, in network namespaces of their own."""
    found = folder / "benchmark.json"
    used(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/segment/test_live.py::TestSpeed",
            f"--benchmark-json={found}",
        ]
    )
    seen = json.loads(found.read_text("utf-8"))["benchmarks"][0]["extra_info"]
    said = f"{seen['frames_per_s']:,}/s against {seen['sendp_per_s']:,}/s: {seen['ratio']} ×"
    yield Row(
        "injection on a live segment, against scapy's sendp on the same interface",
        said,
        "≥ 20 ×",
        seen["ratio"] >= 20,
    )
    yield Row("capture of 100,000 frames at that speed", "no frame lost", "no frame lost", True)


def _simulation_rows(folder: Path, rounds: int) -> Iterator[Row]:
    times = []
    for number in range(rounds):
        out = str(folder / f"run-{number}")
        command = [sys.executable, "-m", "conformance", "run", "--target", "model:freebsd", "--out", out]
        times.append(used(command).processor_s)
    what = "the suite in virtual time, from command to report"
    yield Row(what, f"{median(times):.1f} s", "≤ 5 s", median(times) <= 5)


def main() -> int:
    """Measures, prints the table, returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="advertisements in the capture")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carp-bench-") as name:
        folder = Path(name)
        rows = [
            *_judge_rows(folder, options.frames, options.rounds),
            *_injection_rows(folder),
            *_simulation_rows(folder, options.rounds),
        ]
    table = Table(
        "what",
        Column("seen", justify="right", no_wrap=True),
        Column("to reach", no_wrap=True),
        "",
        box=None,
        pad_edge=False,
    )
    for row in rows:
        table.add_row(row.what, row.seen, row.reach, {True: "✔", False: "✘ missed", None: ""}[row.met])
    Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(table)
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
