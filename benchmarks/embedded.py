# SPDX-License-Identifier: Apache-2.0
"""How the time of the embedded text models grows with hostile text.

    python benchmarks/embedded.py

For each pattern: CPU time for 16, 64 and 256 KB, and the ratio of the last two. A
ratio near 4 is linear growth, 16 would be quadratic.
"""

import time
from types import SimpleNamespace

from lao.backends.embedded.entities import Entities
from lao.backends.embedded.redact import Redact
from lao.backends.embedded.summary import Summary
from lao.workflow.inference import ModelRequest

PATTERNS = (
    "1 ",
    "a.a.a.a",
    "Aa ",
    "a",
    "one ",
    "a@",
    "Mr. ",
    "maria ",
    "X-",
    "1.1.",
    "::",
)
SIZES = (16_000, 64_000, 256_000)
SILENT = SimpleNamespace(cancelled=False, text=lambda _: None, progress=lambda *_: None)


def cpu_seconds(model: Entities | Redact | Summary, text: str) -> float:
    """Return the CPU time of one request."""
    started = time.process_time()
    model.infer(ModelRequest(input=text), SILENT)  # type: ignore[arg-type]
    return time.process_time() - started


def main() -> None:
    """Measure and print one table."""
    print(
        f"{'model':<10} {'pattern':<10} {'16 KB':>8} {'64 KB':>8} {'256 KB':>8}  growth"
    )
    for model in (Entities(), Redact(), Summary()):
        model.load({})
        for pattern in PATTERNS:
            times = [cpu_seconds(model, (pattern * size)[:size]) for size in SIZES]
            shown = " ".join(f"{seconds * 1000:>6.0f}ms" for seconds in times)
            growth = times[2] / max(times[1], 1e-6)
            print(f"{type(model).__name__:<10} {pattern!r:<10} {shown}  × {growth:.1f}")


if __name__ == "__main__":
    main()
