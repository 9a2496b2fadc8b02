# SPDX-License-Identifier: Apache-2.0
"""Which type of value a template gives, and whether it fits where it goes."""

from collections.abc import Mapping

from msgspec import Struct

from lao.errors import did_you_mean
from lao.planning.plan import Engine, PlannedTransform, Preprocess
from lao.planning.problems import Path, Problems
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
    label,
)
from lao.workflow.steps import Output
from lao.workflow.template import Template, Tree
from lao.workflow.transforms import output_type
from lao.workflow.values import (
    AUDIO,
    JSON,
    TEXT,
    JsonValue,
    ValueType,
    fits,
    how_to_mend,
    list_of,
)

Schema = Mapping[str, JsonValue]


class Typed(Struct, frozen=True, gc=False):
    """What is known of a value: its type (None: only the run will tell), its schema."""

    type: ValueType | None
    schema: Schema | None = None


UNKNOWN = Typed(None)
_TEXT = Typed(TEXT)
_JSON = Typed(JSON)
Scope = Mapping[str, Typed]


def of_output(output: Output) -> Typed:
    """Return what is known of a step's output."""
    return Typed(output.type, output.schema)


def of_tree(tree: Tree, scope: Scope) -> Typed:
    """Return what is known of the value of a tree."""
    match tree:
        case Template():
            if tree.reference is not None:
                return follow(tree.reference, scope)
            return UNKNOWN if tree.expression is not None else _TEXT
        case str():
            return _TEXT
        case list():
            kinds = {of_tree(item, scope).type for item in tree}
            only = kinds.pop() if len(kinds) == 1 else None
            return Typed(list_of(only)) if only is not None else _JSON
        case _:
            return _JSON


def follow(reference: tuple[str, ...], scope: Scope) -> Typed:
    """Return what is known of `root.field.field`, or of `inputs.name.field`."""
    if len(reference) == 1:
        return scope.get(reference[0], UNKNOWN)
    depth = 2 if reference[0] == "inputs" else 1
    typed = scope.get(".".join(reference[:depth]), UNKNOWN)
    for part in reference[depth:]:
        typed = _field(typed, part)
    return typed


def _field(typed: Typed, part: str) -> Typed:
    if typed.type is not None and typed.type.item is not None and part.isdigit():
        return Typed(typed.type.item)
    if typed.schema is None:
        return _JSON if typed.type == JSON else UNKNOWN
    properties = typed.schema.get("properties")
    inner = properties.get(part) if isinstance(properties, dict) else None
    return of_schema(inner) if isinstance(inner, dict) else _JSON


def of_schema(schema: Schema) -> Typed:
    """Return the type that a JSON Schema describes."""
    match schema.get("type"):
        case "string":
            return Typed(TEXT, schema)
        case "array":
            items = schema.get("items")
            inner = of_schema(items).type if isinstance(items, dict) else JSON
            return Typed(list_of(inner or JSON), schema)
        case _:
            return Typed(JSON, schema)


def missing_field(reference: str, scope: Scope) -> tuple[str, list[str]] | None:
    """Return the first field that a schema rules out, and the fields it knows."""
    root, *parts = reference.split(".")
    if root == "inputs":
        return None
    typed = scope.get(root, UNKNOWN)
    for part in parts:
        schema = typed.schema
        properties = schema.get("properties") if schema is not None else None
        if schema is None or not isinstance(properties, dict):
            return None
        if part not in properties:
            closed = schema.get("additionalProperties") is False
            return (part, sorted(properties)) if closed else None
        typed = _field(typed, part)
    return None


class Checker(Struct, frozen=True):
    """Checks types in one scope and notes what does not fit."""

    scope: Scope
    problems: Problems

    def expect(self, tree: Tree, wanted: ValueType, path: Path, place: str) -> None:
        """Note a problem if the tree's value does not fit `wanted`."""
        typed = of_tree(tree, self.scope)
        if typed.type is None or fits(typed.type, wanted):
            return
        self.mismatch(described(tree), typed.type, wanted, path, place)

    def mismatch(
        self, source: str, given: ValueType, wanted: ValueType, path: Path, place: str
    ) -> None:
        """Note that `source` is `given` where `place` takes `wanted`."""
        self.problems.add(
            "workflow.type-mismatch",
            f"{source} is {given}, but {place} takes {wanted}",
            path,
            mend=how_to_mend(given, wanted),
        )

    def fields(self, template: Template, path: Path) -> None:
        """Note each field that the schema of its step rules out."""
        for name in sorted(name for name in template.names if "." in name):
            missing = missing_field(name, self.scope)
            if missing is not None:
                part, known = missing
                self.problems.add(
                    "workflow.unknown-field",
                    f"{name!r} asks for {part!r}, which the schema does not have",
                    path,
                    mend=did_you_mean(part, known),
                )

    def interpolated(self, template: Template, path: Path, place: str) -> None:
        """Note each value that cannot be written into a text."""
        self.fields(template, path)
        for name in sorted(template.names):
            typed = follow(tuple(name.split(".")), self.scope).type
            inner = typed.item if typed is not None and typed.item else typed
            if inner is not None and (inner.is_file or inner.kind == "embedding"):
                self.mismatch(repr(name), typed or inner, TEXT, path, place)

    def transformed(
        self, typed: Typed, transforms: tuple[PlannedTransform, ...], path: Path
    ) -> Typed:
        """Return the type after the transforms; note one that does not apply."""
        for number, transform in enumerate(transforms):
            if isinstance(transform, Preprocess):
                self._preprocessed(typed, transform.engine, (*path, number))
                typed = of_output(transform.engine.output)
                continue
            if typed.type is None:
                return typed
            after = output_type(transform, typed.type)
            if after is None:
                self.problems.add(
                    "workflow.transform-mismatch",
                    f"the transform `{transform.kind}` does not work on {typed.type}",
                    (*path, number),
                    mend="docs/workflow-format.md says what each transform takes; "
                    "put one before it that makes that",
                )
                return UNKNOWN
            typed = Typed(after)
        return typed

    def _preprocessed(self, typed: Typed, engine: Engine, path: Path) -> None:
        refused = None if typed.type is None else refusal(engine, typed.type)
        if typed.type is not None and refused is not None:
            self.mismatch("the input", typed.type, refused[0], path, refused[1])


def described(tree: Tree) -> str:
    """Name a tree in a message."""
    if isinstance(tree, Template) and tree.reference is not None:
        return repr(".".join(tree.reference))
    return "the value"


def accepted(model: ModelBackend) -> tuple[ValueType, ...]:
    """Return the types of input that a model takes; empty means any."""
    match model:
        case WhisperCpp():
            return (AUDIO,)
        case Embedded():
            return (AUDIO,) if model.name == "speech" else (TEXT,)
        case Ollama():
            image = ValueType("image")
            return (TEXT, JSON, list_of(TEXT), list_of(JSON), image, list_of(image))
        case LlamaCpp():
            return (TEXT, JSON, list_of(TEXT), list_of(JSON))
        case Custom() | Installed():
            return ()


def natural_output(model: ModelBackend, options: Tree) -> Output:
    """Return what a model gives when the step does not say."""
    match model:
        case WhisperCpp():
            segments = _says_segments(options) or _says_segments(dict(model.options))
            return Output(type=JSON if segments else TEXT)
        case Embedded(name="speech"):
            return Output(type=JSON if _says_segments(options) else TEXT)
        case Embedded(name="entities"):
            return Output(type=JSON)
        case Ollama() | LlamaCpp() | Custom() | Installed() | Embedded():
            return Output()


def _says_segments(options: object) -> bool:
    output = options.get("output") if isinstance(options, dict) else None
    if isinstance(output, Template):
        output = output.source
    return output == "segments"


def refusal(engine: Engine, given: ValueType) -> tuple[ValueType, str] | None:
    """Return what a model takes instead of `given`, and its name; None if it fits."""
    model, plugin = engine.model, engine.plugin
    if plugin is not None:
        is_right = plugin.takes(given)
        return None if is_right else (plugin.input, f"the plugin {plugin.name!r}")
    wanted = accepted(model)
    if not wanted or any(fits(given, each) for each in wanted):
        return None
    return wanted[0], label(model)
