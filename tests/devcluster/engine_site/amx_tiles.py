"""Ask the kernel for permission to use AMX tiles, without which vLLM dies with SIGILL on CPUs that have them.

It runs at the start of every Python process of the engine; on other CPUs the kernel refuses, which is fine.
"""

import ctypes
import platform

ARCH_PRCTL = 158
ARCH_REQ_XCOMP_PERM = 0x1023
XFEATURE_XTILEDATA = 18

if platform.machine() == "x86_64":
    ctypes.CDLL(None).syscall(ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)
