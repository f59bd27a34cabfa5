"""What the child process may not do any more: open sockets or start programs, write files, or use much of the machine.

The filter is a seccomp program of the Linux kernel, made here of a dozen instructions: no library is needed. Where the
kernel refuses it, the limits of `resource` hold alone. On Lambda it was not tried (not verified on AWS).
Source: Linux, include/uapi/linux/{filter,seccomp,audit}.h, and the system call tables of x86-64 and arm64.
"""

import ctypes
import errno
import platform
import resource
import struct

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 15
_SET_NO_NEW_PRIVS = 38
_SET_SECCOMP = 22
_FILTER_MODE = 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER, _ARCHITECTURE = 0, 4  # where struct seccomp_data has them
_X32 = 0x40000000  # the other ABI of x86-64 numbers its calls from here
_FORBIDDEN = {
    # socket, connect, accept, sendto, bind, socketpair, execve, ptrace, io_uring_setup, execveat
    "x86_64": (0xC000003E, (41, 42, 43, 44, 49, 53, 59, 101, 425, 322)),
    # socket, socketpair, bind, connect, accept, sendto, execve, execveat, ptrace, io_uring_setup
    "aarch64": (0xC00000B7, (198, 199, 200, 203, 202, 206, 221, 281, 117, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine() -> bool:
    """Give up rights for good; return whether the kernel took the filter."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    known = _FORBIDDEN.get(platform.machine())
    return known is not None and _filter_calls(*known)


def _filter_calls(architecture: int, forbidden: tuple[int, ...]) -> bool:
    kernel = ctypes.CDLL(None, use_errno=True)
    instructions = _instructions(architecture, forbidden)
    program = _Program(len(instructions) // 8, instructions)
    refused: int = kernel.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refused = refused or kernel.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0)
    return refused == 0


def _instructions(architecture: int, forbidden: tuple[int, ...]) -> bytes:
    """Return a filter that fails each forbidden call, and every call of another architecture, with EPERM."""
    left = len(forbidden)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 0, left + 3, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, left + 1, 0, _X32),
        *((_JUMP_EQUAL, left - place, 0, number) for place, number in enumerate(forbidden)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
