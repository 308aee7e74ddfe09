"""The API reference's view of an OpenAPI document."""

import json

from fastapi_services_platform.hub.reference.openapi_view import example_of, groups_of

DOCUMENT = {
    "paths": {
        "/notes/{id}": {
            "get": {
                "tags": ["notes"],
                "summary": "Read a note",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "It",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}},
                    }
                },
            },
            "delete": {"responses": {"204": {"description": "Gone"}}},
        }
    },
    "components": {
        "schemas": {
            "Note": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "examples": ["Buy milk"]},
                    "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
                    "answer": {"anyOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]},
                },
            }
        }
    },
}


def test_operations_are_grouped_by_tag() -> None:
    """Operations without a tag stand under ``other``."""
    shown = [(group.name, [operation.method for operation in group.operations]) for group in groups_of(DOCUMENT)]
    assert shown == [("notes", ["GET"]), ("other", ["DELETE"])]


def test_parameters_and_answers_are_shown() -> None:
    """An operation tells what it takes, and what it gives by example."""
    operation = groups_of(DOCUMENT)[0].operations[0]
    assert (operation.parameters[0].kind, operation.parameters[0].required) == ("integer", True)
    assert json.loads(operation.answers[0].example)["text"] == "Buy milk"


def test_a_schema_that_holds_itself_ends() -> None:
    """A recursive schema makes a finite example."""
    example = example_of(DOCUMENT, {"$ref": "#/components/schemas/Note"})
    assert isinstance(example, dict)


def test_a_reference_to_nowhere_is_an_empty_example() -> None:
    """A broken reference does not break the page."""
    assert example_of(DOCUMENT, {"$ref": "#/components/schemas/None"}) == "string"
