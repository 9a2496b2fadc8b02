# SPDX-License-Identifier: Apache-2.0
"""The first file of a worker process: finds LAO, and has the process locked.

    python -I -S -B boot.py CONFIG_FD REQUESTS_FD REPLIES_FD

It is compiled at every start, and therefore short: `lao.isolation.locking` does it all.
"""

import os
import sys


def main() -> None:
    """Find the package that this file belongs to, and go on in it."""
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  (fast)
    sys.path.append(os.path.dirname(os.path.dirname(folder)))  # noqa: PTH120
    from lao.isolation.locking import main as lock_and_run  # noqa: PLC0415

    lock_and_run(*map(int, sys.argv[1:4]))


if __name__ == "__main__":
    main()
