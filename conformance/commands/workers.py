"""Workers that start in milliseconds: forked from one process that has imported everything, instead of a new interpreter each.

pytest-xdist starts a worker by running ``python -c BOOTSTRAP`` with a pipe on standard input and output. Here that python is a tiny client, which hands its two pipes to the
nursery, a process that has imported pytest and the suite; the nursery forks, and the child runs the bootstrap line on the pipes. The client stays until the child ends.
Everything dies with the process that opened the nursery.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from conformance.catalogue import load
from conformance.lab.process import die_with_parent
from conformance.targets.registry import find

_BOOTSTRAP = "import sys;exec(eval(sys.stdin.readline()))"  # what execnet sends to `python -c`
_CLIENT = """
import socket, sys
nursery = socket.socket(socket.AF_UNIX)
nursery.connect(sys.argv[1])
socket.send_fds(nursery, [b"x"], [0, 1])
sys.exit(nursery.recv(1) != b"0")
"""


@contextmanager
def nursery(target: str) -> Iterator[str]:
    """Starts a nursery for workers that test ``target`` and gives the specification of its workers, for xdist's ``--tx`` (``popen//python=…``)."""
    with tempfile.TemporaryDirectory(prefix="carp-nursery-") as folder:
        path, client = Path(folder, "socket"), Path(folder, "client.py")
        client.write_text(_CLIENT)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(128)
            command = [sys.executable, "-m", __name__, str(listener.fileno()), str(os.getpid()), target]
            process = subprocess.Popen(command, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL)
        try:
            yield f"popen//python={shlex.quote(sys.executable)} -ISE {client} {path}"
        finally:
            process.terminate()
            process.wait()


def serve(listener: socket.socket, parent: int, target: str) -> None:
    """Imports what workers need, then forks one for each client. Never returns; dies with process ``parent``."""
    die_with_parent(parent)
    own = os.getpid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_everything(target)
    gc.collect()
    gc.freeze()
    while True:
        client, _ = listener.accept()
        _, pipes, _, _ = socket.recv_fds(client, 1, 2)
        if os.fork() == 0:
            listener.close()
            _be_worker(client, pipes, own)
        client.close()
        for pipe in pipes:
            os.close(pipe)


def _import_everything(target: str) -> None:
    find(target)
    load()
    for name in ("pytest", "_pytest.runner", "xdist.remote", "execnet.gateway_base", "conformance.plugin"):
        import_module(name)
    suite = import_module("conformance.suite")
    for module in pkgutil.iter_modules(suite.__path__, "conformance.suite."):
        import_module(module.name)


def _be_worker(client: socket.socket, pipes: list[int], parent: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with_parent(parent)
    for target, pipe in enumerate(pipes):
        os.dup2(pipe, target)
        os.close(pipe)
    sys.stdin, sys.stdout = os.fdopen(0, "r", closefd=False), os.fdopen(1, "w", closefd=False)
    status = b"1"
    try:
        exec(_BOOTSTRAP, {"__name__": "__main__"})  # noqa: S102  # what `python -c` would do
        status = b"0"
    finally:
        client.send(status)
        os._exit(status != b"0")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3])
