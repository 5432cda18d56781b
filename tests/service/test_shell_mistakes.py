"""What the shell says to common mistakes: one message, exit code 2, no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from service_kit import LocalService
from tiny_job import tiny_job, write_job

from datagen.errors import InputError
from service.cli import main
from service.port import open_port, url_of


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, list(arguments))


def refused(*arguments: str, **environment: str) -> str:
    """The message of a command that must be refused."""
    result = run(*arguments, **environment)
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://localhost",
        "",
        "http://",
        "http://h:99999",
        "http://[::1",
        "http://h:x",
    ],
)
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


def test_port_that_is_taken(tmp_path: Path) -> None:
    """Say which, and what to do; announce no address and start nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = refused("serve", "--data", str(tmp_path), "--port", str(port))
    assert f"127.0.0.1:{port}: already in use" in message
    assert "--port" in message
    assert "http://" not in message


def test_host_that_is_none(tmp_path: Path) -> None:
    """Tell an address that is not of this machine from a name that nobody knows."""
    with (
        pytest.raises(InputError, match="not an address of this machine"),
        open_port("192.0.2.1", 0),
    ):
        pass
    with pytest.raises(InputError, match="expected an address"), open_port(64 * "x", 0):
        pass


def test_port_zero_takes_a_free_one() -> None:
    """Announce the port that was found."""
    with open_port("127.0.0.1", 0) as sockets:
        host, port = sockets[0].getsockname()
        assert port != 0
        assert url_of(host, sockets) == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("command", "name", "meant"),
    [
        (("keys", "list"), "DATAGEN_DTAA", "DATAGEN_DATA"),
        (("serve",), "DATAGEN_CPU_SLOT", "DATAGEN_CPU_SLOTS"),
        (("jobs",), "DATAGEN_KEYS", "DATAGEN_KEY"),
    ],
)
def test_variables_that_are_misspelt(command: tuple[str, ...], name: str, meant: str) -> None:
    """Refuse a name that is nearly one of ours instead of ignoring it."""
    assert f"{name}: no such setting; did you mean {meant}?" in refused(*command, **{name: "1"})


def test_variables_that_are_unknown(tmp_path: Path) -> None:
    """Say that a variable with our prefix has no effect, and bear those of others."""
    given = {"DATAGEN_WORKERS": "4", "DATAGEN_URL": "http://127.0.0.1:1"}
    result = run("keys", "create", "--data", str(tmp_path), **given)
    assert result.exit_code == 0
    assert "warning: DATAGEN_WORKERS is no setting" in result.stderr
    assert "DATAGEN_URL" not in result.stderr


def test_one_command_by_two_names() -> None:
    """Offer the same verbs as `python -m datagen` as by the installed command."""
    told = subprocess.run(
        [sys.executable, "-m", "datagen", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(f"\n  {name} " in told for name, verb in main.commands.items() if not verb.hidden)
