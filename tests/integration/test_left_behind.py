# SPDX-License-Identifier: Apache-2.0
"""What a killed command leaves in memory or among temporary files, the next one removes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.running_lao import Lao

from lao.cli.scratch import IN_MEMORY

HOLD = """
import sys
from msgspec.structs import replace
from lao.cli.scratch import Scratch
from lao.config import load_settings

with Scratch(replace(load_settings(), ephemeral=True), "1") as scratch:
    (scratch.folder / "recording").write_text("private")
    print(scratch.folder, flush=True)
    sys.stdin.read()
"""


def start(lao, *arguments):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=lao.folder,
        env=lao.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_of_a_proof(tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    lao = Lao(tmp_path, {"TMPDIR": str(temporary)})
    with start(lao, "-m", "lao", "verify", "--quick") as killed:
        deadline = time.monotonic() + 30
        while not list(temporary.glob("*/secret")) and time.monotonic() < deadline:
            time.sleep(0.01)
        killed.kill()
    assert list(temporary.glob("*/secret"))

    assert lao("verify", "--quick").returncode == 0

    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="no folder in memory")
def test_of_an_ephemeral_run_and_not_of_one_that_goes_on(tmp_path):
    lao = Lao(tmp_path)
    (tmp_path / "a.txt").write_text("Ana Ruiz came.")
    with start(lao, "-c", HOLD) as killed, start(lao, "-c", HOLD) as other:
        gone, kept = (Path(each.stdout.readline().strip()) for each in (killed, other))
        killed.kill()
        killed.wait()
        assert (gone / "recording").is_file()

        assert lao("chain", "a.txt | extract-entities").returncode == 0

        assert not gone.exists()
        assert (kept / "recording").read_text() == "private"
        other.stdin.close()
        other.wait()
    assert not kept.exists()
