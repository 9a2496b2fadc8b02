# SPDX-License-Identifier: Apache-2.0
"""What the tests of the whole command share."""

import pytest
from tests.e2e.running_lao import Lao


@pytest.fixture
def lao(tmp_path):
    """Return the `lao` command with a folder and a home of its own."""
    return Lao(folder=tmp_path)
