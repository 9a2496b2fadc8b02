# SPDX-License-Identifier: Apache-2.0
"""LAO, the Local AI Orchestrator: chains of local models on one machine.

    from lao import Ollama, Workflow, WorkflowStep, run

Names load when they are first used, so that `import lao` costs next to nothing.
"""

TYPE_CHECKING = False  # of our own: `typing` takes longer to load than all of this

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lao.api import RunFailed, load, run, run_async, stream_events
    from lao.engine.runner import RunResult
    from lao.errors import LaoError
    from lao.policy import LoopbackEndpoint
    from lao.workflow.inference import (
        LocalModel,
        ModelDescription,
        ModelProblem,
        ModelReply,
        ModelRequest,
        Report,
    )
    from lao.workflow.local_models import (
        Custom,
        Embedded,
        Installed,
        LlamaCpp,
        ModelBackend,
        Ollama,
        WhisperCpp,
    )
    from lao.workflow.steps import (
        Default,
        Input,
        OnError,
        Output,
        Retry,
        StepId,
        Workflow,
        WorkflowStep,
    )

_HOMES = {
    "lao.api": ("RunFailed", "load", "run", "run_async", "stream_events"),
    "lao.engine.runner": ("RunResult",),
    "lao.errors": ("LaoError",),
    "lao.policy": ("LoopbackEndpoint",),
    "lao.workflow.inference": (
        "LocalModel",
        "ModelDescription",
        "ModelProblem",
        "ModelReply",
        "ModelRequest",
        "Report",
    ),
    "lao.workflow.local_models": (
        "Custom",
        "Embedded",
        "Installed",
        "LlamaCpp",
        "ModelBackend",
        "Ollama",
        "WhisperCpp",
    ),
    "lao.workflow.steps": (
        "Default",
        "Input",
        "OnError",
        "Output",
        "Retry",
        "StepId",
        "Workflow",
        "WorkflowStep",
    ),
}

__all__ = [
    "Custom",
    "Default",
    "Embedded",
    "Input",
    "Installed",
    "LaoError",
    "LlamaCpp",
    "LocalModel",
    "LoopbackEndpoint",
    "ModelBackend",
    "ModelDescription",
    "ModelProblem",
    "ModelReply",
    "ModelRequest",
    "Ollama",
    "OnError",
    "Output",
    "Report",
    "Retry",
    "RunFailed",
    "RunResult",
    "StepId",
    "WhisperCpp",
    "Workflow",
    "WorkflowStep",
    "__version__",
    "load",
    "run",
    "run_async",
    "stream_events",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    from importlib import import_module  # noqa: PLC0415  (as lazy as the names)

    for module, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'lao' has no attribute {name!r}")
