"""The form of compose.yaml and of the Dockerfile. No container is run here, and both say that they are untried."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoflow.cli import main

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]


def test_app_workers_and_database_are_there_and_each_says_whether_it_is_well() -> None:
    assert set(SERVICES) == {"app", "worker", "db"}
    assert all(service["healthcheck"]["test"] for service in SERVICES.values())


def test_app_and_workers_wait_for_the_database_and_use_it() -> None:
    for name in ("app", "worker"):
        assert SERVICES[name]["depends_on"]["db"]["condition"] == "service_healthy"
        assert "@db:5432/" in SERVICES[name]["environment"]["AUTOFLOW_DATABASE_URL"]


def test_database_is_not_published_and_the_app_to_this_machine_alone() -> None:
    assert not {"ports", "network_mode", "expose"} & set(SERVICES["db"])
    assert SERVICES["app"]["ports"] == ["127.0.0.1:8501:8501"]
    assert "ports" not in SERVICES["worker"]


def test_secrets_come_from_the_environment_and_a_password_is_a_must() -> None:
    values = {n: str(v) for s in SERVICES.values() for n, v in s["environment"].items()}
    for name in ("POSTGRES_PASSWORD", "AUTOFLOW_DATABASE_URL"):
        assert "${POSTGRES_PASSWORD:?" in values[name]
    assert values["OPENAI_API_KEY"] == "${OPENAI_API_KEY:-}"
    used = set(re.findall(r"\$\{(\w+)", COMPOSE))
    head = COMPOSE.split("x-autoflow")[0]
    assert all(name in head for name in used), "the head of the file names every variable that it reads"


def test_volumes_are_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == set(yaml.safe_load(COMPOSE)["volumes"])


@pytest.mark.parametrize("name", ["app", "worker"])
def test_commands_exist_with_their_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, command, *options = SERVICES[name]["command"]
    assert program == "autoflow"
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert all(option in told for option in options if option.startswith("--"))


def test_image_installs_what_the_project_pins() -> None:
    installs = re.findall(r"pip install (?!--no-deps)(.+)", DOCKERFILE)
    assert len(installs) == 2
    assert all("-c constraints.txt" in line for line in installs)
    copied = set(re.findall(r"^COPY (.+) \./$", DOCKERFILE, re.MULTILINE)[0].split())
    assert copied == {"requirements.txt", "requirements-ray.txt", "constraints.txt"}
    assert all((ROOT / name).is_file() for name in copied)


def test_image_holds_nothing_that_git_leaves_out_secrets_least_of_all() -> None:
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    patterns = [re.compile(re.escape(line).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")) for line in left_out]
    for line in (ROOT / ".gitignore").read_text("utf-8").split():
        assert any(pattern.fullmatch(line.strip("/")) for pattern in patterns), line


def test_image_does_not_run_as_root() -> None:
    last = DOCKERFILE.split("FROM ")[-1]
    assert re.search(r"^USER (?!root)\w+", last, re.MULTILINE)
    assert last.index("USER") < last.index("CMD")


def test_both_say_that_they_are_untried() -> None:
    assert "Untried" in COMPOSE.split("services:")[0]
    assert "Untried" in DOCKERFILE.split("FROM")[0]
