# SPDX-License-Identifier: Apache-2.0
"""What a person writes: plain frozen data and the languages for it.

The public words (`Workflow`, `WorkflowStep`, `Ollama`, …) are in `lao`; they can be
imported from here too.
"""


def __getattr__(name: str) -> object:
    """Load a public word when it is first used (PEP 562)."""
    import lao  # noqa: PLC0415  (as lazy as the names)

    if name in lao.__all__:
        return getattr(lao, name)
    raise AttributeError(f"module 'lao.workflow' has no attribute {name!r}")
