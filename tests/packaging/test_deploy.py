"""What starts the scoring is well-formed, careful, and says what the command line understands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from ringfence.cli import app

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICE, TIMER = (DEPLOY / "systemd" / f"ringfence-score.{kind}" for kind in ("service", "timer"))
UNITS = (SERVICE, TIMER)


def entries(unit: Path) -> dict[str, list[str]]:
    """Key → values of a unit file, in their order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def manifests() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    documents = [
        one for file in (DEPLOY / "kubernetes").glob("*.yaml") for one in yaml.safe_load_all(file.read_text())
    ]
    return {document["kind"]: document for document in documents}


def container() -> tuple[dict[str, Any], dict[str, Any]]:
    pod = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (only,) = pod["containers"]
    return pod, only


def understood(words: list[str]) -> dict[str, Any]:
    """Return what a command makes of its words, without carrying it out."""
    command, context = get_command(app), None
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    context = command.make_context(command.name, words)
    return {**context.params, "command": command.name}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.suffix)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # What the unit starts must be there, and so must what the timer starts.
    for one in UNITS:
        text = one.read_text().replace("/opt/ringfence/bin/ringfence", sys.executable)
        (tmp_path / one.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True
    )
    about_ours = [line for line in done.stderr.splitlines() if "ringfence" in line]
    assert about_ours == []


def test_the_service_starts_a_command_that_there_is() -> None:
    (line,) = entries(SERVICE)["ExecStart"]
    program, *words = shlex.split(line)

    assert program == "/opt/ringfence/bin/ringfence"
    asked = understood([*words, "--state", "/var/lib/ringfence"])
    assert asked["command"] == "score"
    assert (asked["window"], asked["deliver"], asked["as_json"]) == ("24h", True, True)
    assert "RINGFENCE_STATE=/var/lib/ringfence" in entries(SERVICE)["Environment"]


def test_the_service_may_do_little() -> None:
    said = entries(SERVICE)

    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID"):
        assert said[key] == ["yes"], key
    assert said["ProtectSystem"] == ["strict"]
    assert said["CapabilityBoundingSet"] == [""]
    assert said["LimitCORE"] == ["0"]
    assert said["UMask"] == ["0077"]
    assert said["Type"] == ["oneshot"]


def test_the_timer_is_hourly_and_catches_up() -> None:
    said = entries(TIMER)

    assert said["OnCalendar"] == ["hourly"]
    assert said["Persistent"] == ["true"]
    assert "RandomizedDelaySec" in said
    assert said["WantedBy"] == ["timers.target"]


def test_the_cron_job_starts_a_command_that_there_is() -> None:
    pod, only = container()
    asked = understood([*only["args"], "--state", "/state"])

    assert only["command"] == ["ringfence"]
    assert asked["command"] == "score"
    assert {"name": "RINGFENCE_STATE", "value": "/state"} in only["env"]
    mounts = {mount["mountPath"]: mount for mount in only["volumeMounts"]}
    assert mounts[str(asked["logs"])]["readOnly"] is True
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in pod["volumes"]}
    claim = manifests()["PersistentVolumeClaim"]["metadata"]["name"]
    assert claim in [v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "emptyDir" not in v]


def test_a_pod_waits_longer_than_a_dead_one_s_lease() -> None:
    from ringfence.pipeline.scoring.held import LEASE

    _pod, only = container()
    assert understood([*only["args"], "--state", "/state"])["wait"] > LEASE.total_seconds()


def test_the_cron_job_is_careful() -> None:
    spec = manifests()["CronJob"]["spec"]
    pod, only = container()

    assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Etc/UTC")
    assert re.fullmatch(r"\d+ \* \* \* \*", spec["schedule"])
    assert spec["startingDeadlineSeconds"] >= 100
    assert spec["jobTemplate"]["spec"]["backoffLimit"] > 0
    assert pod["restartPolicy"] == "Never"
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"].keys() == {"requests", "limits"}


def test_the_readme_s_commands_are_understood() -> None:
    lines = [
        line for line in (DEPLOY / "README.md").read_text().splitlines() if line.startswith("ringfence ")
    ]

    assert len(lines) >= 3
    for line in lines:
        understood(shlex.split(line)[1:])


def test_both_ways_retry_alike() -> None:
    rules = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    codes = rules[0]["onExitCodes"]["values"]

    assert entries(SERVICE)["RestartPreventExitStatus"] == [" ".join(map(str, codes))]
