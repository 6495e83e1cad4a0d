"""The local stack's pure parts: settings, secrets, ports, folders, the supervisor's configuration, sentences."""

import configparser
import errno
import os
import shlex
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2a.stack import __main__ as entrance
from e2a.stack import home as home_module
from e2a.stack import install, marks, ports, testing
from e2a.stack.environment import PORTS, check_same, chosen_settings, ports_of, rest_of
from e2a.stack.home import Home, make_socket_folder, socket_folder
from e2a.stack.lifecycle import open_stack, write_private
from e2a.stack.processes import environment_of, processes_of
from e2a.stack.secret_file import MADE, ensure_secrets, read_values
from e2a.stack.servers import CannotStart, reachable_copy
from e2a.stack.supervision import render
from e2a.stack.viewing import age_of

PARTS = ["postgres", "redis", "web", "api", "worker", "beat", "radar", "shopify-mock"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """With a space, a percent sign and a quote in its name. Its sockets need a shorter path than pytest's folders have."""
    folder = tmp_path / "a b%s'c"
    folder.mkdir()
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(home_module, "SOCKET_PARENTS", (Path(short),))
        yield Home(folder)


def test_secrets_are_made_once_and_closed_to_others(home: Home) -> None:
    made = ensure_secrets(home.secrets, None)
    assert set(made) == set(MADE)
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o600
    assert ensure_secrets(home.secrets, None) == made


def test_a_secret_that_is_new_joins_the_others(home: Home) -> None:
    home.secrets.write_text("SECRET_KEY=kept\n")
    made = ensure_secrets(home.secrets, None)
    assert (made["SECRET_KEY"], len(made)) == ("kept", len(MADE))


def test_lost_secrets_beside_a_database_stop_the_start(home: Home) -> None:
    with pytest.raises(CannotStart, match="put it back, or remove"):
        ensure_secrets(home.secrets, home.folder / "postgres")
    assert not home.secrets.exists()


def test_values_are_read_as_a_shell_would(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# A=1\nB = two words\nexport C='x=y'\nD=\nnonsense\n")
    assert read_values(tmp_path / ".env") == {"B": "two words", "C": "x=y"}


def test_the_callers_environment_goes_before_generated_secrets(home: Home) -> None:
    home.secrets.write_text("SECRET_KEY=generated\nJWT_SECRET=generated\n")
    chosen = chosen_settings(home, {"SECRET_KEY": "mine", "AI_MODEL": " ", "PATH": "/bin"})
    assert (chosen["SECRET_KEY"], chosen["JWT_SECRET"]) == ("mine", "generated")
    assert not {"AI_MODEL", "PATH"} & set(chosen)


def test_a_stack_that_was_not_stopped_keeps_its_settings_and_refuses_others(home: Home) -> None:
    home.run.mkdir()
    write_private(home.settings, {"E2A_WEB_PORT": "9000"})
    assert chosen_settings(home, {})["E2A_WEB_PORT"] == "9000"
    other = chosen_settings(home, {"E2A_API_PORT": "9001"})
    with pytest.raises(CannotStart, match=r"another E2A_API_PORT: say \./run\.sh restart"):
        check_same(home, other)
    check_same(home, chosen_settings(home, {"E2A_API_PORT": str(PORTS["E2A_API_PORT"])}))


def test_strays_of_the_callers_shell_reach_no_process() -> None:
    strays = {
        "PGHOST": "x", "PIP_TARGET": "x", "PYTHONHOME": "x", "DJANGO_SETTINGS_MODULE": "x", "VIRTUAL_ENV": "x", "BROKER_URL": "x",
        "GRANIAN_PORT": "1", "E2A_TEST_HOME": "x", "E2A_STACK_PROCESS": "x",
    }  # fmt: skip
    assert rest_of({**strays, "PATH": "/bin", "PYTHONPATH": "/ours"}) == {"PATH": "/bin", "PYTHONPATH": "/ours"}


@pytest.mark.parametrize("text", ["0", "65536", "web", "-1", "８０００", "8000.0"])
def test_a_wrong_port_gets_a_sentence_that_names_it(text: str) -> None:
    with pytest.raises(CannotStart, match="E2A_API_PORT must be a port from 1 to 65535"):
        ports_of({"E2A_API_PORT": text})


def test_two_equal_ports_are_refused() -> None:
    with pytest.raises(CannotStart, match="E2A_WEB_PORT and E2A_API_PORT are both 8000"):
        ports_of({"E2A_API_PORT": "8000"})


def test_a_taken_port_is_named_with_its_variable_and_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            CannotStart, match=rf"Port {port} is taken by \S+.*: stop it, or set E2A_WEB_PORT to a free port"
        ):
            ports.check_free({"E2A_WEB_PORT": port})
    ports.check_free({"E2A_WEB_PORT": port})


def test_free_ports_differ() -> None:
    assert len(set(ports.free_ports(PORTS).values())) == len(PORTS)


def test_the_socket_folder_is_closed_and_the_same_each_time(home: Home) -> None:
    folder = socket_folder(home, "id")
    assert not folder.exists()
    make_socket_folder(folder)
    assert socket_folder(home, "id") == folder
    assert stat.S_IMODE(folder.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert socket_folder(home, "other id") != folder


def test_a_socket_folder_that_somebody_prepared_is_refused(home: Home, tmp_path: Path) -> None:
    folder = socket_folder(home, "id")
    folder.symlink_to(tmp_path)
    with pytest.raises(CannotStart, match="belongs to somebody else"):
        socket_folder(home, "id")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_programs_in_a_closed_folder_are_copied_with_their_libraries_beside(tmp_path: Path) -> None:
    package = tmp_path / "closed" / "pg"
    (package / "pginstall" / "bin").mkdir(parents=True)
    (package / "pginstall" / "bin" / "postgres").write_text("version 1")
    (tmp_path / "closed" / "pg.libs").mkdir()
    (tmp_path / "closed" / "pg.libs" / "libpq.so").touch()
    (tmp_path / "closed").chmod(0o700)
    copy = reachable_copy(package, tmp_path / "open")
    assert copy != package and copy.is_relative_to(tmp_path / "open")
    assert (copy / "pginstall" / "bin" / "../../../pg.libs/libpq.so").exists()
    (package / "pginstall" / "bin" / "postgres").write_text("version 2")
    reachable_copy.cache_clear()
    assert (reachable_copy(package, tmp_path / "open") / "pginstall" / "bin" / "postgres").read_text() == "version 2"
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"who may not enter .*: run as an ordinary user, or say chmod"):
        reachable_copy(package, tmp_path / "file" / "no folder")


def test_a_disk_that_is_nearly_full_stops_the_start(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "LEAST_FREE_MB", 10**9)
    with pytest.raises(CannotStart, match="MB free, and the stack needs"):
        home.check_room()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "The disk of E2A_HOME is full: free some space, and say the same again.\n"),
        (errno.EDQUOT, "The disk of E2A_HOME is full: free some space, and say the same again.\n"),
        (errno.EROFS, "/x cannot be used (Read-only file system): free or open it, or set E2A_HOME to another folder.\n"),
    ],
)
@pytest.mark.parametrize("command", ["start", "stop", "status", "manage", "demo"])
def test_what_the_disk_refuses_ends_in_one_sentence(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, number: int, sentence: str
) -> None:
    def refused(*_: object) -> int:
        raise OSError(number, os.strerror(number), "/x")

    monkeypatch.setitem(entrance.COMMANDS, command, refused)
    monkeypatch.setattr(os, "environ", {"E2A_ENV_FILE": "/none", "E2A_HOME": str(home.folder)})
    assert entrance.main([command]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", sentence)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_while_installing_ends_in_one_sentence(number: int) -> None:
    full = install.sentence_of(OSError(number, os.strerror(number), "/x/venv"))
    assert full.startswith("The disk of E2A_HOME is full: free some space") and "\n" not in full


def test_the_stack_is_eight_processes_each_with_its_log(home: Home) -> None:
    stack = open_stack(home, {})
    processes = processes_of(stack)
    assert [process.name for process in processes] == PARTS
    config = configparser.RawConfigParser(strict=True, inline_comment_prefixes=(";",))
    config.read_string(render(processes, Path("/tmp/x%y/sv.sock")))
    assert config["unix_http_server"] == {"file": "/tmp/x%%y/sv.sock", "chmod": "0700"}
    for name in PARTS:
        section = config[f"program:{name}"]
        assert shlex.split(section["command"])[2] == f'exec "$E2A_STACK_PYTHON" -m e2a.stack.launch {name}'
        assert section["stdout_logfile"] == f"logs/{name}.log"
        assert str(home.folder) not in "".join(section.values())


def test_a_named_server_is_used_and_not_started(home: Home) -> None:
    stack = open_stack(home, {"DATABASE_URL": "postgresql://db/e2a", "REDIS_URL": "redis://cache/0"})
    assert [process.name for process in processes_of(stack)] == PARTS[2:]
    assert stack.environment({})["DATABASE_URL"] == "postgresql://db/e2a"
    assert stack.environment({})["REDIS_URL"] == "redis://cache/0"


def test_only_servers_of_requests_have_a_pool_and_the_caller_may_size_it(home: Home) -> None:
    stack = open_stack(home, {"E2A_DB_POOL_SIZE": "3"})
    sizes = {process.name: environment_of(stack, process).get("E2A_DB_POOL_SIZE") for process in processes_of(stack)}
    assert {
        name
        for name, process in zip(PARTS, processes_of(stack), strict=True)
        if "E2A_DB_POOL_SIZE" in process.environment
    } == {"web", "api"}
    assert (sizes["web"], sizes["api"]) == ("3", "3")


def test_mails_go_to_the_shops_own_page_unless_a_server_is_named(home: Home) -> None:
    stack = open_stack(home, {})
    port = stack.ports["SHOPIFY_MOCK_SMTP_PORT"]
    assert 20_000 <= port < 31_000
    assert stack.environment({})["EMAIL_URL"] == f"smtp://127.0.0.1:{port}"
    assert open_stack(home, {"EMAIL_URL": "smtp://mail"}).environment({})["EMAIL_URL"] == "smtp://mail"


def test_the_shop_sends_to_this_stacks_door(home: Home) -> None:
    stack = open_stack(home, {"E2A_API_PORT": "9001"})
    shop = processes_of(stack)[-1]
    assert environment_of(stack, shop)["SHOPIFY_MOCK_WEBHOOK_URL"] == "http://127.0.0.1:9001/webhooks/demo-3pl/shopify"


@pytest.fixture
def sleeper(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the mark of the home's worker and dies only when it is killed."""
    script = (
        "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
    )
    environment = {**os.environ, marks.MARK: marks.mark_of(home.folder, "worker")}
    with subprocess.Popen([sys.executable, "-I", "-c", script], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_what_a_home_left_behind_is_found_by_its_mark_and_ended(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    assert marks.marked(home.folder) == {sleeper.pid: "worker"}
    assert marks.marked(home.folder, "web") == marks.marked(home.folder.parent) == {}
    assert marks.end(home.folder, "web", patience=0) == []
    assert sleeper.poll() is None
    assert marks.end(home.folder, "worker", patience=0.1) == ["worker"]
    assert sleeper.wait(5) == -9


def test_pytest_runs_in_several_processes_unless_told_otherwise() -> None:
    assert testing.with_defaults([], 8) == ["-n", "4", "--dist", "loadfile", "-m", "not faults_long"]
    assert testing.with_defaults(["-n", "0"], 8) == ["-m", "not faults_long", "-n", "0"]
    assert testing.with_defaults(["-m", "faults_long"], 8) == ["-m", "faults_long"]
    assert testing.with_defaults(["-m", "not faults", "tests/e2a"], 2) == ["-n", "2", "--dist", "loadfile", "-m", "not faults", "tests/e2a"]
    assert testing.with_defaults(["-x"], 1) == ["-m", "not faults_long", "-x"]


def test_a_browser_that_is_named_wrongly_gets_a_sentence(home: Home) -> None:
    with pytest.raises(CannotStart, match="E2A_CHROMIUM is /none/such"):
        testing.browser(home, {"E2A_CHROMIUM": "/none/such"})


def test_ages_are_said_shortly() -> None:
    assert [age_of(seconds) for seconds in (5, 600, 7200)] == ["5 s", "10 min", "2 h"]
