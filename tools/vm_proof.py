"""Whether the path through virtual machines has been run with the files as they are: ``vagrant/proof.json`` holds their digest and what the run said.

check          exit status 0 and one line if it has, 1 if something changed since
judge DIR      exit status 0 if the run in DIR shows that the path works: cases passed, none failed, the rig broke in none
record DIR     judge, and then write proof.json; only when somebody says so
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROOF = Path("vagrant/proof.json")
INPUTS = (
    "vagrant/Vagrantfile", "vagrant/boxes.toml", "vagrant/provision/ucarp.sh", "conformance/lab/box/*", "conformance/lab/attachment.py", "conformance/lab/cabling.py", "conformance/lab/hosts.py",
    "conformance/lab/hypervisor.py", "conformance/lab/kvm.py", "conformance/lab/tagging.py", "conformance/lab/vagrant.py", "conformance/targets/pixit.py",
    "conformance/targets/remote/bench.py", "conformance/targets/ucarp/*.py", "conformance/targets/vm.py",
)  # fmt: skip


def digest(root: Path) -> str:
    """SHA-256 over the names and contents of the files that the path depends on."""
    state = hashlib.sha256()
    for pattern in INPUTS:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                state.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return state.hexdigest()


def fault(document: dict[str, Any]) -> str | None:
    """Why a run does not show that the path works, or None."""
    summary, target = document["summary"], document["target"]
    if target["name"] != "ucarp-vm" or target["rung"] != "vm":
        return f"it is a run of {target['name']} on the rung {target['rung']}"
    if summary["fail"] or summary["error"]:
        return f"{summary['fail']} cases failed, and the rig broke in {summary['error']}"
    return None if summary["pass"] else "no case passed"


def main(arguments: Sequence[str]) -> int:
    if arguments == ["check"]:
        return _check(ROOT)
    if len(arguments) == 2 and arguments[0] in ("judge", "record"):
        document = json.loads(Path(arguments[1], "results.json").read_text(encoding="utf-8"))
        return _judge(ROOT, document, record=arguments[0] == "record")
    print(__doc__, file=sys.stderr)
    return 2


def _check(root: Path) -> int:
    try:
        known = json.loads((root / PROOF).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        print("ucarp in virtual machines: no run is recorded")
        return 1
    if known["digest"] != digest(root):
        print("ucarp in virtual machines: what it depends on has changed since the recorded run")
        return 1
    print(
        f"ucarp in virtual machines: skipped, nothing it depends on has changed since the run of {known['run']['started']} ({known['run']['summary']['pass']} cases passed)"
    )
    return 0


def _judge(root: Path, document: dict[str, Any], *, record: bool) -> int:
    wrong = fault(document)
    if wrong is not None:
        print(f"ucarp in virtual machines: the run proves nothing: {wrong}", file=sys.stderr)
        return 1
    summary = ", ".join(f"{count} {name}" for name, count in document["summary"].items() if count)
    print(f"ucarp in virtual machines: {summary}")
    if record:
        kept = {name: document[name] for name in ("started", "ended", "lanes", "summary")}
        text = json.dumps({"digest": digest(root), "run": kept}, indent=1)
        (root / PROOF).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
