"""Workers that start in milliseconds: forked from one pytest session that has collected the cases, instead of a new interpreter and a new collection each.

pytest-xdist starts a worker by running ``python -c BOOTSTRAP`` with a pipe on standard input and output. Here that python is a tiny client, which hands its two pipes to the
nursery, a process whose pytest session stands still after its collection; the nursery forks, and the child runs the bootstrap line on the pipes. xdist's own worker then makes a
configuration and wants to begin a session: it is given the collected one (this module is a plugin of it: ``-p conformance.commands.workers``). The client stays until the child
ends. Everything dies with the process that opened the nursery.
"""

from __future__ import annotations

import gc
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.lab.process import die_with_parent
from conformance.targets.admission import ADMITTED

_BOOTSTRAP = "import sys;exec(eval(sys.stdin.readline()))"  # what execnet sends to `python -c`
_CLIENT = """
import socket, sys
nursery = socket.socket(socket.AF_UNIX)
nursery.connect(sys.argv[1])
socket.send_fds(nursery, [b"x"], [0, 1])
sys.exit(nursery.recv(1) != b"0")
"""
_SERVE = f"import sys; from {__name__} import serve; serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])"
_collected: list[pytest.Session] = []
"""The session that this process has inherited from the nursery, if any."""


@contextmanager
def nursery(arguments: Sequence[str], workers: int) -> Iterator[list[str]]:
    """Starts a nursery for so many workers of a run with pytest's ``arguments``; gives the options with which xdist gets its workers there."""
    with tempfile.TemporaryDirectory(prefix="carp-nursery-") as folder:
        path, client = Path(folder, "socket"), Path(folder, "client.py")
        client.write_text(_CLIENT)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(128)
            process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(listener.fileno()), str(os.getpid()), *arguments],
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTEST_XDIST_WORKER_COUNT": str(workers)},
            )
        try:
            python = f"{shlex.quote(sys.executable)} -ISE {client} {path}"
            plugins = ["-p", "xdist", "-p", __name__]
            yield [*plugins, "--tx", f"{workers}*popen//python={python}", "--dist", "worksteal"]
        finally:
            process.terminate()
            process.wait()


def serve(listener: int, parent: int, arguments: Sequence[str]) -> None:
    """Collects what ``arguments`` select, then forks a worker for each client of the socket with this descriptor. Never returns; dies with process ``parent``."""
    die_with_parent(parent)
    gc.disable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("xdist.remote", "execnet.gateway_base"):  # what a worker imports
        import_module(name)
    here = _Nursery(socket.socket(fileno=listener))
    pytest.main(list(arguments), plugins=[here, SimpleNamespace(__name__=ADMITTED)])


class _Nursery:
    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        _collected.append(session)
        session.config.pluginmanager.unregister(name="terminalreporter")
        own = os.getpid()
        gc.freeze()
        gc.enable()
        while True:
            client, _ = self._listener.accept()
            _, pipes, _, _ = socket.recv_fds(client, 1, 2)
            if os.fork() == 0:
                self._listener.close()
                session.config.pluginmanager.unregister(self)
                _be_worker(client, pipes, own)
            client.close()
            for pipe in pipes:
                os.close(pipe)


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


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """In a worker: xdist's part of it goes on with the collected session."""
    if not _collected:
        return None
    (session,) = _collected
    (worker,) = (it for it in config.pluginmanager.get_plugins() if type(it).__name__ == "WorkerInteractor")
    for name in ("workerinput", "workeroutput"):
        setattr(session.config, name, getattr(config, name))
    worker.config = session.config
    session.config.pluginmanager.register(worker)
    worker.pytest_sessionstart(session)
    session.config.hook.pytest_collection_finish(session=session)
    session.config.hook.pytest_runtestloop(session=session)
    session.config.hook.pytest_sessionfinish(session=session, exitstatus=pytest.ExitCode.OK)
    return pytest.ExitCode.OK
