# SPDX-License-Identifier: Apache-2.0
"""A real Ollama for the leak rig, on loopback inside of it; it stays until stdin ends.

    python -m tests.security.serve_ollama HOME MODEL.gguf

The first line on stdout is its port; the model's name there is "tiny".
"""

import sys
from pathlib import Path

from tests.real_ollama import running_ollama

if __name__ == "__main__":
    with running_ollama(Path(sys.argv[1]), Path(sys.argv[2])) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        sys.stdin.read()
