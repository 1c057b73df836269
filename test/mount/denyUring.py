"""Runs a command for which io_uring_setup(2) is denied, as Docker's seccomp filter does."""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_NUMBER = (0x20, 0, 0, 0)
IF_IO_URING_SETUP = (0x15, 0, 1, 425)
ANSWER_EPERM = (0x06, 0, 0, 0x00050000 | 1)
ALLOW = (0x06, 0, 0, 0x7FFF0000)

filters = b"".join(
    struct.pack("HBBI", *instruction) for instruction in (LOAD_NUMBER, IF_IO_URING_SETUP, ANSWER_EPERM, ALLOW)
)
buffer = ctypes.create_string_buffer(filters, len(filters))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filters", ctypes.c_void_p)]


program = Program(len(filters) // 8, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)):
    if libc.prctl(*arguments) != 0:
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
