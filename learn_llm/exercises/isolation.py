"""Shutting a worker in, as far as the system allows: every step says whether it is in force, none is silently assumed.

Linux: namespaces of its own (processes, network, mounts, IPC) where the kernel allows them: no network, the file system
read-only but for a small temporary home, package and course hidden, and the end of the first process ends all.
Everywhere: an unprivileged user where we are root, limits on CPU time, file size, processes and open files.
What it does not protect from: a hole in the kernel, and, where steps are not in force, what the user could do anyway.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

NOBODY = 65534
PROCESSES = 64
FILE_SIZE = 8 << 20
_NEW = {"mounts": 0x00020000, "ipc": 0x08000000, "user": 0x10000000, "processes": 0x20000000, "network": 0x40000000}
_MS_NOSUID_NODEV, _MS_RDONLY, _MS_REC_PRIVATE = 2 | 4, 1, 0x4000 | 1 << 18
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def enter_namespaces() -> set[str]:
    """Namespaces of its own for this process, which must have one thread; it goes on as their first process.

    The calling process stays behind as the parent, waits and exits with its child.  Returns what is in force.
    """
    if not sys.platform.startswith("linux"):
        return set()
    wanted = [name for name in _NEW if name != "user" or os.geteuid() != 0]
    user, group = os.geteuid(), os.getegid()
    if _libc().unshare(sum(_NEW[name] for name in wanted)) != 0:
        return set()
    if "user" in wanted:
        try:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        except OSError:
            pass
    child = os.fork()
    if child:
        os.close(0)
        while True:
            pid, status = os.waitpid(child, 0)
            if pid == child:
                os._exit(os.waitstatus_to_exitcode(status) & 0x7F)
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return {"processes", "network"}


def hide(home: Path, hidden: Sequence[Path]) -> set[str]:
    """In a mount namespace: everything read-only, `home` a small empty disk, the hidden folders empty."""
    libc = _libc()

    def mount(kind: bytes, place: Path, flags: int, options: bytes) -> bool:
        return bool(libc.mount(kind, os.fsencode(place), kind, flags, options) == 0)

    if libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None) != 0:
        return set()
    done = set()
    attributes = (ctypes.c_uint64 * 4)(_MS_RDONLY, 0, 0, 0)
    if libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, 32) == 0:
        done.add("read-only files")
    if mount(b"tmpfs", home, _MS_NOSUID_NODEV, b"size=64m,mode=0777"):
        done.add("temporary home in memory")
    folders = [folder for folder in hidden if folder.is_dir() and not any(other in folder.parents for other in hidden)]
    read_only = _MS_NOSUID_NODEV | _MS_RDONLY
    mounted = [mount(b"tmpfs", folder, read_only, b"size=4k,mode=0555") for folder in folders]
    if all(mounted):
        done.add("solutions hidden")
    return done


def protect_host() -> None:
    """Others of the same user cannot look into this process; orphans of its children come to it."""
    if sys.platform.startswith("linux"):
        _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        _libc().prctl(_PR_SET_SUBREAPER, 1, 0, 0, 0)


def limit(seconds: float, own_processes: int) -> None:
    """Limits for this process and its children; `own_processes` run already under the same user."""
    import resource  # not on Windows

    cpu = int(seconds) + 2
    limits = {
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: FILE_SIZE,
        resource.RLIMIT_NPROC: own_processes + PROCESSES,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for which, wanted in limits.items():
        _, hard = resource.getrlimit(which)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(which, (most, most))


def drop_rights() -> bool:
    """From root to an unprivileged user, from any rights to none.  Whether we are unprivileged now."""
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        except OSError:
            return False
    if sys.platform.startswith("linux"):
        libc = _libc()
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        libc.capset(header, (ctypes.c_uint32 * 6)())
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return os.geteuid() != 0


def can_drop_rights() -> bool:
    """Tried in a child of its own."""
    child = os.fork()
    if child == 0:
        os._exit(0 if drop_rights() else 1)
    return os.waitpid(child, 0)[1] == 0


def processes_of_user() -> int:
    """How many processes run under the user that a worker will have; 0 where that is not known or not shared."""
    if os.geteuid() == 0 or not Path("/proc/self").exists():
        return 0
    user = os.geteuid()
    return sum(1 for path in Path("/proc").iterdir() if path.name.isdigit() and _owner(path) == user)


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def end_all(child: int) -> int:
    """End a child and all that it left behind; the child's wait status."""
    status = 0
    while True:
        if os.getpid() == 1:  # the first process of a namespace: all others are the worker's
            _kill(-1)
        else:
            _kill(child, os.killpg)
            for pid in descendants(os.getpid())[1:]:
                _kill(pid)
        try:
            ended, its_status = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        status = its_status if ended == child else status


def _kill(pid: int, how: Callable[[int, int], None] = os.kill) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        how(pid, signal.SIGKILL)


def descendants(root: int) -> list[int]:
    """The processes below one, and itself (Linux; elsewhere only itself)."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*") if sys.platform.startswith("linux") else ():
        try:
            parent = int((path / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(path.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def waits_for_cpu(pids: Sequence[int], seconds: float) -> bool:
    """Whether one of these could go on, and together they had less CPU time than this (Linux; elsewhere no)."""
    ticks, ready = 0, False
    for pid in pids:
        try:
            values = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
            ticks, ready = ticks + int(values[11]) + int(values[12]), ready or values[0] == "R"
        except (OSError, ValueError, IndexError):
            continue
    return ready and ticks < seconds * os.sysconf("SC_CLK_TCK")


def resident(pids: Sequence[int]) -> int:
    """Bytes of memory that processes hold together, shared pages of each counted (Linux; elsewhere 0)."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            continue
    return total
