"""What the shell says to common mistakes: one message, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from service_kit import LocalService
from tiny_job import tiny_job, write_job

from service.cli import main


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, list(arguments))


def refused(*arguments: str, **environment: str) -> str:
    """The message of a command that must be refused."""
    result = run(*arguments, **environment)
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://localhost", ""])
def test_address_of_no_service(url: str) -> None:
    """Ask for an address at once instead of trying to connect."""
    assert "expected an address such as http://" in refused("jobs", "--url", url)


@pytest.mark.parametrize("key", ["clé", "a\nb", "a b"])
def test_key_that_cannot_be_sent(key: str) -> None:
    """Refuse what no header can hold, and do not repeat it: it may be nearly a key."""
    message = refused("jobs", "--key", key)
    assert "expected dgk_" in message
    assert key not in message


def test_keys_that_are_absent_or_unknown(service: LocalService) -> None:
    """Name the option of the shell, not the header of the protocol."""
    service.key("read")
    assert "asks for an API key; give --key" in refused("jobs", "--url", service.url)
    unknown = refused("jobs", "--url", service.url, "--key", "dgk_0_0")
    assert "does not know this API key" in unknown


@pytest.mark.parametrize("verb", ["watch", "cancel", "download"])
def test_ids_of_another_form(verb: str) -> None:
    """Say what an id looks like."""
    out = ["-o", "out"] if verb == "download" else []
    assert "expected job_<32 hex digits>" in refused(verb, "job_1", *out)


def test_one_fault_is_told_once(service: LocalService, tmp_path: Path) -> None:
    """Tell the single fault of a job in one line."""
    spec = write_job(tmp_path, tiny_job(seed=-1))
    message = refused("submit", str(spec), "--url", service.url)
    assert message.count("/seed") == 1
    spec = write_job(tmp_path, tiny_job(seed=-1, name="No"))
    both = refused("submit", str(spec), "--url", service.url)
    assert "\n  /seed: " in both
    assert "\n  /name: " in both


@pytest.mark.parametrize("command", [("keys", "create"), ("serve",)])
def test_data_folder_that_is_a_file(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Say that the place is taken."""
    (tmp_path / "file").write_text("")
    message = refused(*command, "--data", str(tmp_path / "file"))
    assert f"{tmp_path / 'file'}: File exists" in message


@pytest.mark.parametrize("command", [("list",), ("revoke", "abc")])
def test_data_folder_that_is_not_there(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Name the folder, and make none."""
    data = tmp_path / "absent"
    assert f"{data}: no such folder" in refused("keys", *command, "--data", str(data))
    assert not data.exists()
