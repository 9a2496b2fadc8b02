# SPDX-License-Identifier: Apache-2.0
"""Start a batch, kill -9 it, go on with it: and count how often the model was asked.

    python benchmarks/batch_killed.py [--files N] [--kills N] [--jobs N]

Uses the real `lao` command, in a home of its own, with a model in locked worker
processes that says what each call is about, before it works.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

LAO = (sys.executable, "-m", "lao")
WORKFLOW = """\
lao: 1
name: two-steps
inputs: { text: { type: text } }
models: { m: { kind: custom, plugin: counting.py } }
steps:
  - { id: first, model: m, prompt_template: "first {{ inputs.text }}" }
  - { id: second, model: m, prompt_template: "second {{ first }}" }
outputs: { answer: "{{ second }}" }
"""
MODEL = """\
import time
from lao.workflow.inference import ModelDescription, ModelReply

class Counting:
    def load(self, options): pass
    def describe(self):
        return ModelDescription(name="counting")
    def infer(self, request, report):
        report.text(request.prompt)
        time.sleep(0.005)
        return ModelReply(value=request.prompt.replace("first ", ""), made_by="counting")
"""


class Demonstration:
    """A folder with files, a workflow, and a home for what LAO keeps."""

    def __init__(self, folder: Path, files: int, jobs: int) -> None:
        self.folder, self.files = folder, files
        self.starts = 0
        (folder / "in").mkdir()
        for number in range(files):
            (folder / "in" / f"{number:04}.txt").write_text(f"text {number}")
        (folder / "counting.py").write_text(MODEL)
        (folder / "w.yaml").write_text(WORKFLOW)
        batch = ("run", "w.yaml", "--each", "in/*.txt", "--out", "out")
        self.command = (*batch, "--jobs", str(jobs), "--per-model", str(jobs))

    @property
    def calls(self) -> Counter[str]:
        """How often each question was asked."""
        logs = [each.read_bytes() for each in self.folder.glob("events-*")]
        lines = [line for log in logs for line in log.splitlines(keepends=True)]
        events = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return Counter(
            event["text"] for event in events if event["kind"] == "text-produced"
        )

    def start(self, *more: str) -> "subprocess.Popen[str]":
        """Start `lao run`, with nothing of the environment but a home and a path."""
        self.starts += 1
        events = ("--events", f"events-{self.starts}")
        return subprocess.Popen(
            [*LAO, *self.command, *events, *more],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8"},
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def kill_at(self, calls: int, *more: str) -> None:
        """Start the batch, or go on with it; kill it at that many calls."""
        process = self.start(*more)
        while self.calls.total() < calls and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        made = len(list((self.folder / "out").glob("*")))
        print(f"kill -9: {self.calls.total()} calls so far, {made} files made")

    def finish(self) -> bool:
        """Go on to the end; print and judge what came of it."""
        process = self.start("--resume")
        _, err = process.communicate()
        made = sorted((self.folder / "out").iterdir())
        right = sum(
            each.read_text().strip() == f"second text {number}"
            for number, each in enumerate(made)
        )
        print(f"resumed: exit code {process.returncode}")
        print("  " + "\n  ".join(err.strip().splitlines()))
        print(f"{len(made)} files of {self.files}, {right} with the right content")
        return process.returncode == 0 and right == len(made) == self.files


def main() -> int:
    """Show it."""
    parser = argparse.ArgumentParser(description="a batch that is killed, and goes on")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=4)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="batch-killed-") as name:
        shown = Demonstration(Path(name), chosen.files, chosen.jobs)
        undisturbed = 2 * chosen.files
        for number in range(chosen.kills):
            at = undisturbed * (number + 1) // (chosen.kills + 1)
            shown.kill_at(at, *(["--resume"] if number else []))
        is_right = shown.finish()
        calls = shown.calls
    most = undisturbed + chosen.jobs * chosen.kills
    twice = sum(count > 1 for count in calls.values())
    print(
        f"calls of the model: {calls.total()}; undisturbed {undisturbed}, in flight at "
        f"{chosen.kills} kills at most {most - undisturbed}; asked again: {twice}"
    )
    return 0 if is_right and undisturbed <= calls.total() <= most else 1


if __name__ == "__main__":
    sys.exit(main())
