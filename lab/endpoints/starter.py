"""Tell the time and become another program: `python starter.py PROGRAM ARGV0 ARGUMENT…`.

Prints `WALL_US MONOTONIC_NS` as the last thing before execve. Standard library alone, so that it starts quickly.
"""

import os
import sys
import time

if __name__ == "__main__":
    program, arguments = sys.argv[1], sys.argv[2:]
    os.write(1, b"%d %d\n" % (time.time_ns() // 1000, time.monotonic_ns()))
    os.execv(program, arguments)  # noqa: S606 - becoming that program is the purpose
