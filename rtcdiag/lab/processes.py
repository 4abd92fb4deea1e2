"""Processes that cannot outlive the lab, and signals that reach the command.

Three processes stand behind each other: the one that was called; a keeper, which is in the new user namespace; and the
first process of a new PID namespace, which is the lab. Each dies with the one before it, and with the lab the kernel
ends every process in it and takes away every interface and namespace. So nothing is left even after SIGKILL.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select

from rtcdiag.lab import linux
from rtcdiag.lab.failure import LabError

FAILED = 125
"""The exit code of the lab's own failure."""
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_AWAITED = (*PASSED_ON, signal.SIGCHLD)
_FROM_THE_KERNEL = 0x80
"""SI_KERNEL: of Ctrl-C on a terminal, which the command in the foreground gets by itself."""
_REFUSED = (
    "the lab needs root, or user namespaces for everybody, which this computer does not allow ({}); see docs/lab.md"
)


@contextmanager
def held_signals() -> Iterator[set[signal.Signals]]:
    """Keep signals waiting until `next_event` asks for them; the block gets the mask that a command is to have."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    child = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield {signal.Signals(number) for number in before}
    finally:
        signal.signal(signal.SIGCHLD, child)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def next_signal(*, foreground: bool) -> int | None:
    """Wait for a signal; return it where it is to be passed on, None where a child may have ended."""
    found = signal.sigwaitinfo(_AWAITED)
    if found.si_signo == signal.SIGCHLD or (foreground and found.si_code == _FROM_THE_KERNEL):
        return None
    return found.si_signo


def ended() -> Iterator[tuple[int, int]]:
    """Yield the children that have ended since, and their exit codes: 128 and its number for a signal."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        yield pid, 128 - code if code < 0 else code


def has_ended(child: int) -> bool:
    """Return whether a child has ended, and leave that to `ended`."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def in_the_foreground() -> bool:
    """Return whether the terminal's Ctrl-C reaches this process and what it starts."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def contained(work: Callable[[], int], report: Callable[[str], None], *, foreground: bool) -> int:
    """Do the work as the first process of a PID namespace, as root of it; return its exit code.

    Signals are held already. `report` says the one line of a LabError, in whichever process it happened.
    """

    def keep() -> int:
        if not foreground:
            # A signal to the whole group of the caller must come through the caller only, and not several times.
            os.setpgid(0, 0)
        _enter_namespaces()
        # Becoming another user may have made the kernel forget.
        linux.die_with_parent()
        return _watched(work, report, foreground=foreground)

    return _watched(keep, report, foreground=foreground)


def _enter_namespaces() -> None:
    try:
        if os.geteuid() == 0:
            try:
                linux.unshare(linux.NEW_PIDS)
            except PermissionError:
                pass
            else:
                return
        linux.become_root()
        linux.unshare(linux.NEW_PIDS)
    except OSError as error:
        raise LabError(_REFUSED.format(error.strerror)) from None


def _watched(work: Callable[[], int], report: Callable[[str], None], *, foreground: bool) -> int:
    """Do the work in a child that dies with this process, and hand signals to it."""
    alive, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        run_and_exit(lambda: _unless_orphaned(alive, work), report)
    os.close(alive)
    try:
        while True:
            number = next_signal(foreground=foreground)
            for pid, code in ended():
                if pid == child:
                    return code
            if number is not None:
                os.kill(child, number)
    finally:
        os.close(held)


def _unless_orphaned(alive: int, work: Callable[[], int]) -> int:
    linux.die_with_parent()
    # The other end closes with the parent: it may have died before the kernel knew that we want to follow it.
    if select([alive], [], [], 0)[0]:
        return FAILED
    return work()


def run_and_exit(work: Callable[[], int], report: Callable[[str], None]) -> None:
    """Do the work and end this process, a forked one, without a step into what its parent was doing."""
    code = FAILED
    try:
        code = work()
    except LabError as error:
        report(str(error))
    except BaseException as error:  # noqa: BLE001 - the parent's frames above must not run a second time
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f" at {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else ""  # noqa: PTH119 - no Path, whose module may not be imported yet
        report(f"internal error: {type(error).__name__}{where} ({error})")
    finally:
        os._exit(code)
