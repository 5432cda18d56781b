"""The service against its own OpenAPI document: every answer as documented, never a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from service_kit import LocalService, make_settings, serving

BY_HAND = ("POST /v1/jobs:estimate", "POST /v1/assets", "GET /readyz")
"""Two start a process, one says 503 without a dispatcher; other files ask them."""
TAKE_NOTHING = ("GET /healthz",)
"""No request to them is bad."""
EXAMPLES = 45
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """An open service without a dispatcher that takes any number of requests."""
    data = tmp_path_factory.mktemp("openapi") / "data"
    with serving(make_settings(data, rate_burst=10**9, quota_jobs=50)) as local:
        yield local


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_answers_are_as_documented(service: LocalService, mode: GenerationMode) -> None:
    """Answer good and bad requests to every address with a documented status, type and shape."""
    schema = schemathesis.openapi.from_dict(service.app.openapi())
    unasked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label in BY_HAND:
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(mode))
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(base_url=service.url, checks=CHECKS)

        try:
            ask()
        except Unsatisfiable:
            unasked.add(operation.label)
    assert unasked == (set(TAKE_NOTHING) if mode is GenerationMode.NEGATIVE else set())
