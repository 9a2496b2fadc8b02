# SPDX-License-Identifier: Apache-2.0
"""What a person writes: plain frozen data and the languages for it.

The public words load when they are first used: workers import this package before
anything else.
"""

_HOMES = {
    "lao.workflow.inference": ("LocalModel",),
    "lao.workflow.local_models": (
        "Custom",
        "Embedded",
        "Installed",
        "LlamaCpp",
        "ModelBackend",
        "Ollama",
        "WhisperCpp",
    ),
    "lao.workflow.steps": ("Recipe", "Workflow", "WorkflowStep"),
    "lao.workflow.transforms": ("Transform",),
    "lao.policy": ("LoopbackEndpoint",),
}


def __getattr__(name: str) -> object:
    """Load a public word when it is first used (PEP 562)."""
    from importlib import import_module  # noqa: PLC0415  (as lazy as the words)

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'lao.workflow' has no attribute {name!r}")
