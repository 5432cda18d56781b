"""Examples of answers for the OpenAPI document, made from their schemas and the examples of fields."""

from __future__ import annotations

from typing import Any

from service.routes.bodies import EXAMPLE

TEXTS = {
    "text/plain": "One line of text.\n",
    "text/event-stream": (
        'id: 1\nevent: state\ndata: {"at": "2026-01-31T12:00:00.000Z", "state": "QUEUED"}\n\n'
    ),
}
PLAIN: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "string": "text"}


def add_examples(operation: dict[str, Any], shapes: dict[str, Any]) -> None:
    """Give every body of an operation's answers an example, except where files are sent."""
    for answer in operation["responses"].values():
        for kind, content in answer.get("content", {}).items():
            schema = content.get("schema", {})
            if "example" in content or schema.get("format") == "binary":
                continue
            content["example"] = TEXTS.get(kind) or example_of(schema, shapes)


def example_of(schema: dict[str, Any], shapes: dict[str, Any]) -> Any:
    """Something that a schema accepts.

    Args:
        schema: as in OpenAPI 3.1.
        shapes: the document's `components/schemas`, to which references lead.
    """
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return EXAMPLE if name == "JobSpec" else example_of(shapes[name], shapes)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], shapes)
    if schema.get("type") == "array":
        return [example_of(schema["items"], shapes)]
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {name: example_of(field, shapes) for name, field in fields.items()}
    return PLAIN.get(schema.get("type", ""), {})
