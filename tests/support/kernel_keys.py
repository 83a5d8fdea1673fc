"""Kernel keys from outside the program, for its tests.

    kernel_keys.py forbid ERRNO COMMAND...  runs it where seccomp answers the key calls with ERRNO
    kernel_keys.py full UID COMMAND...      runs it as UID with no quota left
    kernel_keys.py read ID                  prints a key's payload, from a session of its own
    kernel_keys.py revoke ID | timeout ID | close ID
"""

import ctypes
import errno
import os
import platform
import sys

ADD_KEY, REQUEST_KEY, KEYCTL, AUDIT_ARCH = {
    "x86_64": (248, 249, 250, 0xC000003E),
    "aarch64": (217, 218, 219, 0xC00000B7),
}[platform.machine()]
SESSION_KEYRING = -3

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def syscall(*arguments):
    answer = libc.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class Filter(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    ]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(Filter))]


def forbid(code):
    """A filter like that of container run-times: the key calls answer `code`."""
    load, equal, answer = 0x20, 0x15, 0x06
    calls = (ADD_KEY, REQUEST_KEY, KEYCTL)
    program = [(load, 0, 0, 4), (equal, 0, 4, AUDIT_ARCH), (load, 0, 0, 0)]
    for index, number in enumerate(calls):
        to_the_refusal = len(calls) - index
        program.append((equal, to_the_refusal, 0, number))
    program += [(answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x00050000 | code)]
    # Other architectures are let through.
    program[1] = (equal, 0, len(calls) + 1, AUDIT_ARCH)
    filters = (Filter * len(program))(*[Filter(*line) for line in program])
    if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "prctl")
    if libc.prctl(22, 2, ctypes.byref(Program(len(program), filters)), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def fill(uid):
    """Uses a user's quota up with keys that end with this process's session."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    syscall(KEYCTL, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING
    syscall(KEYCTL, 0, -4, 1)  # the user keyring: every login makes one
    for size in (64, 1):
        for number in range(100000):
            try:
                syscall(ADD_KEY, b"user", b"filler:%d:%d" % (size, number), b"x" * size, size, SESSION_KEYRING)
            except OSError as error:
                if error.errno != errno.EDQUOT:
                    raise
                break


def main():
    command, argument, *rest = sys.argv[1:]
    if command == "forbid":
        forbid(getattr(errno, argument))
        os.execvp(rest[0], rest)
    if command == "full":
        # Opened first: the other user may not see the folder it lies in.
        program = os.open(rest[0], os.O_RDONLY)
        fill(int(argument))
        os.execve(program, rest, os.environ)
    key = int(argument)
    if command == "read":
        syscall(KEYCTL, 1, None)
        buffer = ctypes.create_string_buffer(40000)
        length = syscall(KEYCTL, 11, key, buffer, 40000)
        sys.stdout.buffer.write(buffer.raw[:length])
    elif command == "revoke":
        syscall(KEYCTL, 3, key)
    elif command == "timeout":
        syscall(KEYCTL, 15, key, 1)
    elif command == "close":  # nobody may do anything but view and link it
        syscall(KEYCTL, 5, key, 0x21210000)


main()
