"""What stops a start before anything is started, and what is left alone on a second one."""

import json
import socket
import stat
from pathlib import Path

import pytest

from local.places import (
    Ports,
    SettingError,
    chosen_model,
    chosen_ports,
    enforces_roles,
    home_directory,
    host_variables,
    models_elsewhere,
)
from local.preflight import DiskFullError, check_disk, check_ports
from local.processes import LOOPBACK, PortBusyError
from local.records import Credentials, StoredKey, credentials_file, read, write
from local.roster import behind_the_edge, edge
from local.synth import fingerprint

OUTPUTS = {"TenantsTable": "t", "RunsTable": "r", "RestApiId": "api1", "Stage": "live"}


def test_a_full_disk_is_named_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match=r"GB are needed: make room"):
        check_disk([tmp_path / "not" / "there"], needed_gb=1e6)


def test_a_busy_port_is_named_with_its_holder_and_the_remedy() -> None:
    with socket.socket() as busy:
        busy.bind((LOOPBACK, 0))
        busy.listen()
        port = busy.getsockname()[1]

        with pytest.raises(PortBusyError, match=rf"{port}: process \d+ .*PLINTH_PORT"):
            check_ports(Ports(edge=port))


@pytest.mark.parametrize("value", ["http", "80", "65533", "-1"])
def test_a_port_that_leaves_no_room_for_four_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PLINTH_PORT", value)

    with pytest.raises(SettingError, match="PLINTH_PORT is"):
        chosen_ports()


def test_an_unknown_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLINTH_LOCAL_MODEL", "huge")

    with pytest.raises(SettingError, match="demo or small"):
        chosen_model()


def test_roles_are_enforced_where_that_is_said_and_else_on_a_strict_stack_and_another_word_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [enforces_roles(strict=strict) for strict in (False, True)] == [False, True]
    for value, enforced in (("1", True), ("0", False)):
        monkeypatch.setenv("PLINTH_ENFORCE_ROLES", value)
        assert [enforces_roles(strict=strict) for strict in (False, True)] == [enforced, enforced]
    monkeypatch.setenv("PLINTH_ENFORCE_ROLES", "yes")

    with pytest.raises(SettingError, match="0 or 1"):
        enforces_roles(strict=True)


def test_another_catalogue_is_found_from_wherever_a_function_runs_and_a_missing_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLINTH_CATALOGUE", "models.json")
    with pytest.raises(SettingError, match=r"PLINTH_CATALOGUE names .*/models\.json, which is no file"):
        models_elsewhere()
    (tmp_path / "models.json").touch()

    assert models_elsewhere()["PLINTH_CATALOGUE"] == str(tmp_path / "models.json")


def test_the_home_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLINTH_HOME", str(tmp_path))

    assert home_directory() == tmp_path


def test_no_key_of_the_host_reaches_a_local_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "prod")

    assert {"ANTHROPIC_API_KEY", "AWS_PROFILE"}.isdisjoint(host_variables())


def test_every_process_listens_on_a_port_of_its_own(tmp_path: Path) -> None:
    ports = Ports(edge=5000)
    wanted = behind_the_edge(tmp_path, ports=ports, model_file=tmp_path / "m.gguf", strict=False)
    front = edge(tmp_path, ports=ports, outputs=OUTPUTS, strict=False)

    given = [each.argv[each.argv.index("--port") + 1] for each in (front, *wanted)]

    assert sorted(given) == ["5000", "5001", "5002", "5003"]
    assert "http://127.0.0.1:5001/_aws/execute-api/api1/live" in front.argv


def test_a_digest_changes_with_content_and_with_names(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("a")

    first = fingerprint([one])
    assert fingerprint([two]) != first
    one.write_text("b")
    assert fingerprint([one]) != first


def test_keys_are_kept_where_only_their_owner_reads(tmp_path: Path) -> None:
    kept = Credentials(keys=(StoredKey(tenant="t", user="u", name="n", key="k"),))

    write(credentials_file(tmp_path), kept)

    assert stat.S_IMODE(credentials_file(tmp_path).stat().st_mode) == 0o600
    assert read(credentials_file(tmp_path), Credentials) == kept


def test_a_record_of_another_version_counts_as_absent(tmp_path: Path) -> None:
    credentials_file(tmp_path).write_text(json.dumps({"keys": "other"}))

    assert read(credentials_file(tmp_path), Credentials) is None
