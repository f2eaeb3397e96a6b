"""A VLAN on an interface where the kernel has none of its own (no 8021q): a veth pair, and two programs of ten instructions that put the tag on and take it off.

They are attached to the traffic control of both ends (tc-bpf(8), direct action). The helpers are those of bpf-helpers(7): ``bpf_skb_vlan_push``, ``bpf_skb_vlan_pop``, ``bpf_redirect``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

_SYSCALL = {"x86_64": 321, "aarch64": 280}
_PROG_LOAD, _SCHED_CLS = 5, 3
_VLAN_PUSH, _VLAN_POP, _REDIRECT = 18, 19, 23
_VLAN_PRESENT, _VLAN_TCI = 20, 24  # offsets in struct __sk_buff
_TPID = int.from_bytes(b"\x81\x00", "little")  # the helper takes it in network byte order
_LOAD, _MOVE, _SET, _AND, _SKIP_IF, _SKIP_UNLESS, _CALL, _EXIT = (
    0x61,
    0xBF,
    0xB7,
    0x57,
    0x15,
    0x55,
    0x85,
    0x95,
)
_UNSPECIFIED = -1
"""Neither dropped nor passed: the next filter decides."""
_INGRESS = "ffff:fff2"
_ETH_P_ALL = 0x0003
_LOG_BYTES = 65_536
_libc = ctypes.CDLL(None, use_errno=True)


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, target | source << 4, offset, value)


def _to(index: int) -> bytes:
    """Sends the frame out of the interface ``index``, and ends."""
    return b"".join(
        (
            _instruction(_SET, 1, value=index),
            _instruction(_SET, 2, value=0),
            _instruction(_CALL, value=_REDIRECT),
            _instruction(_EXIT),
        )
    )


def untagging(vlan: int, index: int) -> bytes:
    """The program that sends frames of a VLAN, without their tag, out of the interface ``index``; others go on."""
    take = b"".join((_instruction(_MOVE, 1, 6), _instruction(_CALL, value=_VLAN_POP), _to(index)))
    skip = len(take) // 8
    return b"".join(
        (
            _instruction(_MOVE, 6, 1),
            _instruction(_LOAD, 0, 6, _VLAN_PRESENT),
            _instruction(_SKIP_IF, 0, offset=skip + 3),
            _instruction(_LOAD, 0, 6, _VLAN_TCI),
            _instruction(_AND, 0, value=0xFFF),
            _instruction(_SKIP_UNLESS, 0, offset=skip, value=vlan),
            take,
            _instruction(_SET, 0, value=_UNSPECIFIED),
            _instruction(_EXIT),
        )
    )


def tagging(vlan: int, index: int) -> bytes:
    """The program that sends every frame, with the tag of a VLAN, out of the interface ``index``."""
    return b"".join(
        (
            _instruction(_SET, 2, value=_TPID),
            _instruction(_SET, 3, value=vlan),
            _instruction(_CALL, value=_VLAN_PUSH),
            _to(index),
        )
    )


def load(program: bytes) -> int:
    """Loads a program for traffic control and returns its file descriptor. Raises OSError with the kernel's objections."""
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"bpf() has no known number on {platform.machine()}")
    code, license = (
        ctypes.create_string_buffer(program, len(program)),
        ctypes.create_string_buffer(b"Dual BSD/GPL"),
    )
    log = ctypes.create_string_buffer(_LOG_BYTES)
    attributes = struct.pack(
        "<IIQQIIQII", _SCHED_CLS, len(program) // 8, ctypes.addressof(code), ctypes.addressof(license), 1, _LOG_BYTES, ctypes.addressof(log), 0, 0
    )  # fmt: skip
    attribute = ctypes.create_string_buffer(attributes, 128)
    fd = int(_libc.syscall(number, _PROG_LOAD, attribute, len(attribute)))
    if fd < 0:
        number = ctypes.get_errno()
        said = log.value.decode(errors="replace").strip().splitlines()[-1:]
        raise OSError(
            number,
            f"the kernel takes no program for VLAN tags ({os.strerror(number)}{': ' if said else ''}{''.join(said)})",
        )
    return fd


def add_vlan(ip: IPRoute, trunk: int, name: str, vlan: int) -> None:
    """Makes the interface ``name``: VLAN ``vlan`` of the interface ``trunk``. It and its other end go when one of them is removed. Raises OSError."""
    port = f"tag{trunk}.{vlan}"
    for old in ip.link_lookup(ifname=port):
        ip.link("del", index=old)
    mac = ip.get_links(trunk)[0].get_attr("IFLA_ADDRESS")
    ip.link("add", ifname=port, kind="veth", peer={"ifname": name, "address": mac})
    index = ip.link_lookup(ifname=port)[0]
    ip.link("set", index=index, state="up")
    _attach(ip, index, 1, tagging(vlan, trunk))
    _attach(ip, trunk, vlan, untagging(vlan, index))


def _attach(ip: IPRoute, index: int, priority: int, program: bytes) -> None:
    """Runs a program on every frame that comes in; another one of the same priority is replaced."""
    try:
        ip.tc("add", "clsact", index)
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise
    fd = load(program)
    try:
        try:
            ip.tc("del-filter", "bpf", index, prio=priority, protocol=_ETH_P_ALL, parent=_INGRESS)
        except NetlinkError as error:
            if error.code not in (errno.ENOENT, errno.EINVAL):
                raise
        ip.tc(
            "add-filter",
            "bpf",
            index,
            fd=fd,
            name=f"carp-{priority}",
            parent=_INGRESS,
            prio=priority,
            protocol=_ETH_P_ALL,
            direct_action=True,
        )
    finally:
        os.close(fd)
