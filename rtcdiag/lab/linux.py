"""The few calls of Linux that Python 3.11 lacks; each raises OSError. Importing this works anywhere."""

import ctypes
import os
from functools import lru_cache
from typing import Any

NEW_MOUNTS = 0x0002_0000
NEW_USER = 0x1000_0000
NEW_PIDS = 0x2000_0000
NEW_NET = 0x4000_0000
"""CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID and CLONE_NEWNET of ``sched.h``."""

BIND = 0x1000
PRIVATE = 0x4_0000
_RECURSIVE = 0x4000
_PLAIN = 0x2 | 0x4 | 0x8
"""MS_NOSUID, MS_NODEV and MS_NOEXEC."""
_DETACH = 2
_PR_SET_PDEATHSIG = 1


@lru_cache(maxsize=1)
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *args: Any) -> None:
    if getattr(_libc(), name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Give this process namespaces of its own; NEW_PIDS is for the children that it makes from now on."""
    _call("unshare", flags)


def enter(network: int) -> None:
    """Move to the network namespace of this file descriptor."""
    _call("setns", network, NEW_NET)


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that forked it ends, however that ends."""
    _call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(9), 0, 0, 0)


def mount(source: str, target: str, kind: str) -> None:
    """Mount a file system of this kind."""
    _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(_PLAIN), None)


def bind(source: str, target: str) -> None:
    """Let a file or directory stand in place of another."""
    _call("mount", source.encode(), target.encode(), None, ctypes.c_ulong(BIND), None)


def own_mounts() -> None:
    """Give this process a list of mounts of its own, of which nobody else sees a change."""
    unshare(NEW_MOUNTS)
    _call("mount", b"none", b"/", None, ctypes.c_ulong(PRIVATE | _RECURSIVE), None)


def unmount(target: str) -> None:
    """Take the topmost mount away from its place; what is in use of it stays usable."""
    _call("umount2", target.encode(), _DETACH)


def become_root() -> None:
    """Make this process root in a new user namespace, where it is the only user."""
    user, group = os.geteuid(), os.getegid()
    unshare(NEW_USER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - kernel files, written in one call
            file.write(text)
