# SPDX-License-Identifier: Apache-2.0
"""What a booted process runs in these tests: lines of Python from its parent."""

import json
import os


def main(requests_fd, replies_fd, layers):
    """Run the lines; send back what they left in `found`."""
    with os.fdopen(requests_fd, "rb") as requests:
        lines = requests.read()
    names = {"layers": layers, "found": None}
    try:
        exec(lines, names)  # noqa: S102  (our own test wrote them)
    except OSError as error:
        names["found"] = {"errno": error.errno, "error": str(error)}
    with os.fdopen(replies_fd, "wb") as replies:
        replies.write(json.dumps(names["found"]).encode())
    os._exit(0)
