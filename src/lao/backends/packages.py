# SPDX-License-Identifier: Apache-2.0
"""The Python packages that run models in-process, and the extras that bring them."""

from collections.abc import Mapping
from importlib.util import find_spec

from lao.errors import ModelUnavailable

PACKAGES: Mapping[str, tuple[str, str]] = {
    "speech": ("pocketsphinx", "speech-lite"),
    "whisper.cpp": ("pywhispercpp", "whisper"),
    "llama.cpp": ("xllamacpp", "llama"),
}
"""What runs each kind of model in-process: the package, and the extra that brings it."""


def require_package(kind: str) -> None:
    """Complain if the package is not there that runs this kind of model.

    Nothing is imported.

    Raises:
        ModelUnavailable: `model.missing-package`.
    """
    package, extra = PACKAGES.get(kind, ("", ""))
    if package and find_spec(package) is None:
        raise ModelUnavailable(
            "model.missing-package",
            f"the package {package!r}, which runs this kind of model, is not installed",
            mend=f"pip install 'lao-orchestrator[{extra}]'",
        )
