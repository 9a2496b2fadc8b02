# SPDX-License-Identifier: Apache-2.0
"""Conditions that can never change their mind: constants, and what types rule out."""

import re

from lao.planning.types import Scope, Typed, follow
from lao.workflow.template import Template, TemplateError
from lao.workflow.values import TEXT

_COMPARISON = re.compile(
    r"(?P<name>[^\W\d][\w.]*)\s*(?P<operator>==|!=|<=|>=|<|>)\s*"
    r"(?P<value>-?\d+(?:\.\d+)?|\"[^\"]*\"|'[^']*')"
)
_COUNT = re.compile(r"[^\W\d][\w.]*\s*\|\s*(?:length|count)\s*<\s*0")


def why_impossible(condition: Template, scope: Scope) -> str | None:
    """Say why a condition is always true or always false, or None if it may be either."""
    if condition.expression is None and condition.reference is None:
        if not condition.names:
            return f"{condition.source!r} is plain text; conditions are {{{{ … }}}}"
        return "text around {{ … }} is always true"
    if condition.reference is not None:
        return None
    if not condition.names:
        return _constant(condition)
    match = _COMPARISON.fullmatch(condition.expression or "")
    if match:
        typed = follow(tuple(match["name"].split(".")), scope)
        return _compared(typed, match)
    if _COUNT.fullmatch(condition.expression or ""):
        return "a length is never below 0"
    return None


def _constant(condition: Template) -> str:
    try:
        value = condition.evaluate({})
    except TemplateError as error:
        return f"it cannot be worked out: {error.what}"
    return f"it is always {'true' if value else 'false'}"


def _compared(typed: Typed, match: re.Match[str]) -> str | None:
    name, operator, value = match["name"], match["operator"], match["value"]
    is_text = value[0] in "\"'"
    if typed.type == TEXT and not is_text:
        return (
            f"{name!r} is text and {value} is a number; they are never equal or ordered"
        )
    choices = typed.schema.get("enum") if typed.schema is not None else None
    equality = operator in ("==", "!=") and is_text
    if equality and isinstance(choices, list) and value[1:-1] not in choices:
        shown = ", ".join(map(str, choices[:8]))
        return f"{name!r} is never {value}; the schema allows {shown}"
    return None
