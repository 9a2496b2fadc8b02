# SPDX-License-Identifier: Apache-2.0
"""Runs a command as on a machine that lacks something.

    python withheld.py NAME... -- COMMAND...

A name is `landlock` (a kernel built without it), `seccomp`, `namespaces` (a container
that allows none), or that of any system call.
"""

import errno
import os
import sys

from lao.isolation import kernel
from lao.isolation.seccomp import deny_filter

LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
NAMESPACES = ("unshare", "setns", "mount", "umount2", "pivot_root", "clone")


def withhold(name):
    """Take one thing away from this process and all that it starts."""
    match name:
        case "landlock":
            _deny(LANDLOCK, errno.ENOSYS)
        case "seccomp":
            _deny(["seccomp"], errno.ENOSYS)
        case "namespaces":
            _deny(NAMESPACES, errno.EPERM)
            _deny(["clone3"], errno.ENOSYS)
        case _:
            _deny([name], errno.EPERM)


def _deny(names, error):
    arch = kernel.architecture()
    assert arch is not None
    kernel.install(deny_filter(names, error=error, arch=arch))


def main():
    """Withhold, and become the command."""
    middle = sys.argv.index("--")
    kernel.gain_no_privileges()
    for name in sorted(sys.argv[1:middle], key="seccomp".__eq__):  # it goes last
        withhold(name)
    command = sys.argv[middle + 1 :]
    os.execvp(command[0], command)  # noqa: S606  (this is what it is for)


if __name__ == "__main__":
    main()
