"""docker-compose.yml against the compose specification's schema and against the settings it sets."""

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from geo.settings import Settings
from tests.support.project import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yml"
VARIABLES = {f"VASTI_{name.upper()}" for name in Settings.model_fields}
# What only docker-compose.yml itself reads: the password it hands on, and where it publishes the port.
COMPOSE_ONLY = {"VASTI_DB_PASSWORD", "VASTI_PUBLISH"}
# VASTI_HOST is the `--host` of the api service's command.
BY_COMMAND = {"VASTI_HOST"}
PULLED_WITH = {"VASTI_KOBO_TOKEN", "VASTI_ODK_EMAIL", "VASTI_ODK_PASSWORD"}
"""What signs a pull in is handed to that one command: no service keeps it."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return loaded


def unknown_variables(environment: dict[str, str]) -> set[str]:
    return {name for name in environment if name.startswith("VASTI_")} - VARIABLES


def test_compose_fits_the_specification(compose: dict[str, Any]) -> None:
    vendored = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(vendored.read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(compose)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validators.validator_for(schema)(schema).validate({"services": {"db": {"imgae": "x"}}})


def test_compose_sets_only_known_settings_and_all_that_matter(compose: dict[str, Any]) -> None:
    services = compose["services"]
    ours = {name: s for name, s in services.items() if "build" in s}
    assert set(ours) == {"migrate", "api", "worker"}
    for service in ours.values():
        assert not unknown_variables(service["environment"])
        assert PULLED_WITH.isdisjoint(service["environment"])
    assert set(services["api"]["environment"]) | BY_COMMAND | PULLED_WITH >= VARIABLES
    assert "--host" in services["api"]["command"]
    assert unknown_variables({"VASTI_DATABSE_URL": ""}) == {"VASTI_DATABSE_URL"}


def test_compose_environment_makes_settings(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in compose["services"]["api"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
    settings = Settings()
    assert settings.worker is False
    assert settings.database_url
    assert settings.originals_url.startswith(str(settings.state_dir))


def test_compose_reads_only_documented_variables() -> None:
    read = set(re.findall(r"\$\{(\w+)", COMPOSE_FILE.read_text()))
    assert read <= VARIABLES | COMPOSE_ONLY
    assert read >= COMPOSE_ONLY


def test_compose_has_no_default_password_and_keeps_the_database_inside(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, variable in (("db", "POSTGRES_PASSWORD"), ("migrate", "PGPASSWORD"), ("worker", "PGPASSWORD")):
        assert services[name]["environment"][variable].startswith("${VASTI_DB_PASSWORD:?")
    # What strangers reach cannot sign in as the owner.
    assert "VASTI_DB_PASSWORD" not in str(services["api"]["environment"])
    assert services["api"]["environment"]["VASTI_SERVICE_PASSWORD"].startswith("${VASTI_SERVICE_PASSWORD:?")
    assert "ports" not in services["db"]
    assert services["api"]["ports"] == ["${VASTI_PUBLISH:-127.0.0.1}:${VASTI_PORT:-8000}:8000"]
    for service in services.values():
        assert "restart" in service
        mounts = [mount.split(":")[0] for mount in service["volumes"]]
        assert set(mounts) <= set(compose["volumes"])
