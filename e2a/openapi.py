"""What every operation of the OpenAPI document shares: error answers as problem+json, and the correlation id both ways.

Views describe what they take and give; the ways in which any of them can refuse are added here, once.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
PROBLEM = {
    "type": "object",
    "description": "What went wrong. `errors`: sentences by field, empty when no field is to blame.",
    "required": ["type", "title", "status", "detail", "errors", "correlation_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "correlation_id": {"type": "string"},
    },
}
CORRELATION = {
    "name": "X-Correlation-Id",
    "in": "header",
    "required": False,
    "description": "Ties the answer, log lines, traces and stored rows together; made if it is left out or has another form.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    "example": "order-import-2026-11-23",
}
ANSWERED = {"description": "As sent, or the one that was made.", "schema": {"type": "string"}}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
SENTENCES = {
    "400": "Not well-formed.",
    "401": "No, unknown, ended or revoked credentials, or no such tenant.",
    "403": "Credentials of another tenant, or without the scope.",
    "404": "There is nothing here.",
    "409": "Not possible in the present state; nothing was changed.",
    "413": "Too large.",
    "415": "Not application/json in UTF-8 without content encoding.",
    "422": "Well-formed, but wrong in content; `errors` says what, field by field.",
    "429": "Too many requests; send again after Retry-After.",
    "503": "The database cannot be reached; nothing was stored. Send again after Retry-After.",
}
METHODS = ("get", "post", "put", "patch", "delete")


def add_problems(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """A postprocessing hook of drf-spectacular, after all paths are there."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components.setdefault("parameters", {})["Correlation"] = CORRELATION
    components.setdefault("headers", {})["Correlation"] = ANSWERED
    for operation in operations(result):
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/Correlation"})
        answers = operation["responses"]
        for status in refusals_of(operation):
            if "content" not in answers.get(status, {}):
                answers[status] = problem(status, answers.get(status, {}).get("description", ""))
        for answer in answers.values():
            answer.setdefault("headers", {})["X-Correlation-Id"] = {"$ref": "#/components/headers/Correlation"}
        operation["responses"] = dict(sorted(answers.items()))
    return result


def operations(result: Json) -> Iterator[Json]:
    for path in result["paths"].values():
        yield from (operation for method, operation in path.items() if method in METHODS)


def refusals_of(operation: Json) -> list[str]:
    """Which refusals an operation can answer with, from what it takes; those it names itself are kept.

    One that names all of its own says so by `x-complete`.
    """
    known = [status for status in operation["responses"] if status >= "400"]
    if operation.pop("x-complete", False):
        return known
    named = {parameter.get("in") for parameter in operation.get("parameters", ())}
    signed = [] if operation.get("security") in ([{}], []) else ["401", "403"]
    sent = ["400", "413", "415", "422"] if "requestBody" in operation else []
    asked = ["422"] if "query" in named else []
    return sorted({*known, *signed, *sent, *asked, *(["404"] if "path" in named else []), "429", "503"})


def problem(status: str, sentence: str = "") -> Json:
    answer: Json = {
        "description": sentence or SENTENCES[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in ("429", "503"):
        answer["headers"] = {"Retry-After": RETRY_AFTER}
    if status == "422":
        answer["content"]["application/problem+json"]["example"] = {
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "The content is not usable; see the fields.",
            "errors": {"occurred_at": ["Give an ISO 8601 time with a zone, such as 2026-11-23T10:00:00Z."]},
            "correlation_id": "order-import-2026-11-23",
        }
    return answer
