"""What people copy is run where it can be, validated where there is a validator, and else parsed."""

import configparser
import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import typer
import yaml
from junitparser import JUnitXml

from rtcdiag.cli.app import app
from rtcdiag.config import read_health_config
from support.ports import free_port
from support.process import RTCDIAG, run

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def parses(words: list[str]) -> None:
    """Parse a command line without running it; a wrong option is an error."""
    group: Any = typer.main.get_command(app)
    names = words[:2] if words[0] == "serve" else words[:1]
    for name in names:
        group = group.get_command(None, name)
    group.make_context(" ".join(names), words[len(names) :])


# --- the GitHub action ---


def step(name: str) -> dict[str, Any]:
    return next(one for one in ACTION["runs"]["steps"] if one["name"] == name)


def acted(directory: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Run the step that checks as a runner would: exit code, standard output, outputs."""
    found = step("Check the servers")
    given = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | inputs
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], text)
        for name, text in found["env"].items()
    }
    (directory / "rtcdiag" / "bin").mkdir(parents=True, exist_ok=True)
    program = directory / "rtcdiag" / "bin" / "rtcdiag"
    program.unlink(missing_ok=True)
    program.symlink_to(RTCDIAG)
    output = directory / "output"
    output.write_text("")
    environment |= {
        "RUNNER_TEMP": str(directory),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(directory / "summary.md"),
        "GITHUB_ACTIONS": "true",
    }
    script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", found["run"]]
    ended = run(script, env=environment, cwd=directory)
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return ended.returncode, ended.stdout + ended.stderr, outputs


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "targets.toml"
    uri = f"turn:127.0.0.1:{free_port()}"
    path.write_text(f'[targets.fra]\nurls = "{uri}"\nusername = "ann"\ncredential = "hunter2hunter2"\n')
    return path.name


def test_the_action_fails_with_annotations_a_summary_and_results(tmp_path: Path, config: str) -> None:
    code, text, outputs = acted(tmp_path, config=config, retries="0")
    assert code == 1
    assert "::add-mask::hunter2hunter2" in text
    assert f"::error file={config},line=2" in text
    assert "fra" in (tmp_path / "summary.md").read_text()
    assert set(outputs) == set(ACTION["outputs"])
    assert JUnitXml.fromfile(str(tmp_path / outputs["junit"])).failures == 1
    assert json.loads((tmp_path / outputs["json"]).read_text())["kind"] == "health"


def test_the_inputs_of_the_action_are_options(tmp_path: Path, config: str) -> None:
    found = {"depth": "reach", "retries": "0", "fail-on": "never", "require-servers": "any", "deadline": "20"}
    assert acted(tmp_path, config=config, results="out", **found)[0] == 0
    assert (tmp_path / "out" / "health.json").exists()
    code, text, _ = acted(tmp_path, config=config, **{"token-file": "none.txt"})
    assert (code, "--token-file needs a URL" in text) == (2, True)


def test_an_input_is_never_a_command(tmp_path: Path) -> None:
    assert all("${{" not in one["run"] for one in ACTION["runs"]["steps"])
    code, _, _ = acted(tmp_path, config="$(touch evil); `touch evil`; --help")
    assert code == 2
    assert not (tmp_path / "evil").exists()


def test_the_action_uses_no_action_of_others_and_every_input() -> None:
    assert not [one for one in ACTION["runs"]["steps"] if "uses" in one]
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


# --- GitLab ---


def test_the_job_of_gitlab_runs_and_leaves_the_results_that_it_names(tmp_path: Path, config: str) -> None:
    job = yaml.safe_load((DEPLOY / "gitlab-ci.yml").read_text())["turn-servers"]
    assert config == "targets.toml"
    path = {"PATH": f"{Path(RTCDIAG).parent}{os.pathsep}{os.environ['PATH']}"}
    ended = run(["sh", "-ec", "\n".join(job["script"])], env=path, cwd=tmp_path)
    assert ended.returncode == 1, ended.stderr
    reports = job["artifacts"]["reports"]
    assert JUnitXml.fromfile(str(tmp_path / reports["junit"])).failures == 1
    assert json.loads((tmp_path / reports["codequality"]).read_text())[0]["location"]["path"] == config


# --- Kubernetes ---


@pytest.mark.parametrize("item", KUBERNETES, ids=lambda item: item["kind"])
@pytest.mark.parametrize("version", ["1.29", "1.33"])
def test_kubernetes_takes_each_object(item: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(item, version, strict=True)


def pods() -> dict[str, dict[str, Any]]:
    by_kind = {item["kind"]: item for item in KUBERNETES}
    cron = by_kind["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    return {"CronJob": cron, "Deployment": by_kind["Deployment"]["spec"]["template"]}


@pytest.mark.parametrize("kind", ["CronJob", "Deployment"])
def test_the_containers_run_commands_that_exist_without_privileges(kind: str) -> None:
    spec = pods()[kind]["spec"]
    (container,) = spec["containers"]
    parses(container["args"])
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in spec["volumes"]}


def test_the_configuration_of_kubernetes_is_one_and_the_labels_meet() -> None:
    by_kind = {item["kind"]: item for item in KUBERNETES}
    text = by_kind["ConfigMap"]["data"]["targets.toml"]
    assert len(read_health_config(text, "targets.toml", {"TURN_SECRET": "x"}).targets) == 2
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert by_kind["Service"]["spec"]["selector"] == labels
    assert by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert by_kind["Deployment"]["spec"]["selector"]["matchLabels"] == labels


# --- systemd ---


def unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    found.read_string(path.read_text())
    return found


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:  # then they are only parsed, by the test below
        return
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace("/usr/local/bin/rtcdiag", RTCDIAG))
    ended = run([tool, "verify", *(str(tmp_path / path.name) for path in UNITS)])
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("path", [one for one in UNITS if one.suffix == ".service"], ids=lambda path: path.name)
def test_a_service_runs_a_command_that_exists(path: Path) -> None:
    words = shlex.split(unit(path)["Service"]["ExecStart"])
    assert words[0] == "/usr/local/bin/rtcdiag"
    parses(words[1:])


def test_others_can_read_the_metrics_that_are_written_for_them() -> None:
    service = unit(DEPLOY / "rtcdiag-health.service")["Service"]
    written = re.search(r"--output (/\S+)/[^/ ]+\.prom", service["ExecStart"])
    assert written is not None
    assert written[1] == f"/var/lib/{service['StateDirectory']}"
    assert "DynamicUser" not in service  # it would be below /var/lib/private, which only root enters
    assert f" {service['User']}\n" in (ROOT / "docs" / "deploying.md").read_text()


def test_the_timer_starts_the_service_of_its_name() -> None:
    (timer,) = (path for path in UNITS if path.suffix == ".timer")
    assert timer.with_suffix(".service") in UNITS
    assert "OnCalendar" in unit(timer)["Timer"]


# --- the image ---


def test_the_image_is_made_of_files_that_are_there_and_reach_it() -> None:
    lines = [line.split() for line in (DEPLOY / "Dockerfile").read_text().splitlines() if line and line[0] != "#"]
    assert {words[0] for words in lines} == {
        "FROM",
        "WORKDIR",
        "RUN",
        "COPY",
        "ENV",
        "USER",
        "EXPOSE",
        "ENTRYPOINT",
        "CMD",
    }
    sources = {name for words in lines if words[0] == "COPY" and "--from=build" not in words for name in words[1:-1]}
    assert all((ROOT / name).exists() for name in sources)
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    assert let_in == sources
    assert all("/" not in words[1].partition(":")[0] for words in lines if words[0] == "FROM")


def test_the_image_has_what_the_exporter_and_otlp_import_in_the_versions_that_are_tested() -> None:
    def versions(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text()
        return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE))

    served, tested = versions("serve.txt"), versions("dev.txt")
    assert served.items() <= tested.items()
    wanted = {"prometheus-client", "starlette", "uvicorn", "httptools", "opentelemetry-sdk", "hatchling"}
    assert wanted | versions("run.txt").keys() <= served.keys()


# --- the page about them ---


def test_every_file_is_on_the_page_and_its_links_lead_somewhere() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page)}
    assert all((ROOT / "docs" / link).resolve().exists() for link in links)
    linked = {Path(link).name for link in links}
    assert {path.name for path in DEPLOY.iterdir()} - {"Dockerfile.dockerignore"} <= linked


def test_nothing_to_copy_takes_the_package_from_where_it_is_not_released() -> None:
    places = [ROOT / "README.md", ROOT / "action.yml", *(ROOT / "docs").glob("*.md"), *DEPLOY.iterdir()]
    places += (ROOT / "rtcdiag").rglob("*.py")
    installs = [
        (path.name, line.strip())
        for path in places
        if path.is_file()
        for line in path.read_text().splitlines()
        if re.search(r"(pip|uv tool|pipx)\w* install\b.*\brtcdiag\b(?!/|\.git| in a checkout|\.$)|rtcdiag\[\w", line)
    ]
    assert [
        item for item in installs if not re.search(r"install [^#]*('?\.|\$GITHUB_ACTION_PATH|git\+)", item[1])
    ] == []


def test_the_job_of_gitlab_installs_a_repository_that_it_names() -> None:
    job = yaml.safe_load((DEPLOY / "gitlab-ci.yml").read_text())["turn-servers"]
    assert job["before_script"] == ['pip install --quiet "git+$RTCDIAG_REPOSITORY"']
    assert set(job["variables"]) == {"RTCDIAG_REPOSITORY"}
    assert "slim" not in job["image"], "the slim image has no git"
