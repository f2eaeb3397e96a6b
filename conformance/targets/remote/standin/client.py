"""A command of a stand-in: hands its arguments over and prints what comes back. It runs alone, by its own path, and imports no more than it must: it is started at every turn."""

import _socket
import posix
import sys


def main() -> int:
    """The exit status of the command, from the stand-in whose socket lies beside the commands.

    Asked: name and arguments, a NUL between them, a newline. Answered: ``KIND STATUS LENGTH``, a newline, LENGTH bytes for the standard error, and the rest for the
    standard output; of the kind ``daemon`` LENGTH bytes that name the file for the process number.
    """
    folder, _, name = sys.argv[0].rpartition("/bin/")
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(f"{folder}/socket")
    server.sendall("\0".join([name, *sys.argv[1:]]).encode() + b"\n")
    data = b""
    while b"\n" not in data:
        data += _more(server)
    head, _, rest = data.partition(b"\n")
    kind, status, length = head.split()
    while len(rest) < int(length):
        rest += _more(server)
    told, body = rest[: int(length)], rest[int(length) :]
    if kind == b"daemon":
        return _stay(server, told.decode())
    posix.write(2, told)
    while body or (body := server.recv(65_536)):
        body = body[posix.write(1, body) :]
    return int(status)


def _more(server: _socket.socket) -> bytes:
    data = server.recv(65_536)
    if not data:
        posix.write(2, b"STAND-IN: it is gone\n")
        posix._exit(70)  # noqa: SLF001  # its public name is in os, which takes its time
    return data


def _stay(server: _socket.socket, pidfile: str) -> int:
    """Goes into the background with the connection, whose end ends what it stands for."""
    child = posix.fork()
    if child:
        file = posix.open(pidfile, posix.O_WRONLY | posix.O_CREAT, 0o600)
        posix.write(file, f"{child}\n".encode())
        return 0
    posix.setsid()
    nothing = posix.open("/dev/null", posix.O_RDWR)
    for number in range(3):
        posix.dup2(nothing, number)
    server.recv(1)
    posix._exit(0)  # noqa: SLF001  # as above


if __name__ == "__main__":
    sys.exit(main())
