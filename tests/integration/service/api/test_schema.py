"""Every operation of the OpenAPI document, asked with whatever it allows and much that it does not (Schemathesis)."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support.two_organisations import PASSWORD, TwoOrganisations, sign_in

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

EXAMPLES = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module")
def document(two: TwoOrganisations, tmp_path_factory: pytest.TempPathFactory) -> BaseSchema:
    """The document of the service over two organisations."""
    jobs.prepare(two.owner.url.render_as_string(hide_password=False))
    app = create_app(
        two.service,
        Settings(
            state_dir=tmp_path_factory.mktemp("state"),
            upload_max_mb=1,
            uploads_per_hour=10_000,
            questions_per_minute=10**6,
        ),
    )
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize("email", [None, "contributor@north.org", "operator@vasti.org"])
def test_no_answer_is_a_fault_or_other_than_described(
    document: BaseSchema, two: TwoOrganisations, email: str | None
) -> None:
    wrong = []
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        headers = {}
        if email is not None:
            # A session for each, since one of the operations ends it.
            with two.service.begin() as connection:
                headers = {"authorization": f"Bearer {sign_in(connection, email, PASSWORD)}"}
        try:
            ask(operation, headers)
        except FailureGroup as group:
            wrong += [f"{operation.label}: {failure}" for failure in group.exceptions]
    assert not wrong, "\n".join(wrong)


def ask(operation: Any, headers: dict[str, str]) -> None:
    """Asks one operation many things."""

    @given(case=operation.as_strategy())
    @EXAMPLES
    def asked(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers)

    asked()
