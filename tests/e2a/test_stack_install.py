"""What run.sh does before anything is installed."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from e2a.stack import install
from e2a.stack.install import CannotInstall, Environment

RUN = install.ROOT / "run.sh"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(RUN), *arguments], capture_output=True, text=True, check=False, env=environment)


def test_too_old_a_python_ends_in_one_sentence(tmp_path: Path) -> None:
    for name in ("python3.11", "python3.12", "python3.13", "python3.14", "python3", "python"):
        old = tmp_path / name
        old.write_text('#!/bin/sh\necho "3.9 /usr/bin/python3.9"\n')
        old.chmod(0o755)
    for name in ("dirname", "bash", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    script = RUN.read_text().replace(" /usr/bin/python3;", ";")
    done = subprocess.run(
        ["/bin/sh", "-c", script, str(RUN)], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 1
    assert done.stderr.startswith("E²A needs Python 3.11 or newer, and found python3.11 3.9")
    assert "set E2A_PYTHON=" in done.stderr and done.stderr.count("\n") == 1


def test_help_needs_no_install(tmp_path: Path) -> None:
    done = run("help", PATH=os.environ["PATH"], E2A_HOME=str(tmp_path / "home"))
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ./run.sh COMMAND")
    assert not (tmp_path / "home").exists()


def test_pip_is_led_nowhere_else() -> None:
    given = {"PIP_TARGET": "/x", "PIP_USER": "1", "PIP_INDEX_URL": "https://index", "PYTHONPATH": "/x", "PATH": "/bin"}
    kept = install.pip_environment(given)
    assert kept == {
        "PATH": "/bin", "PIP_INDEX_URL": "https://index", "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip


def test_our_code_alone_is_on_the_path(tmp_path: Path) -> None:
    given = {"PYTHONPATH": "/x", "PYTHONSTARTUP": "/x", "VIRTUAL_ENV": "/x", "PATH": "/bin"}
    assert install.handed_over(given, tmp_path) == {
        "PATH": "/bin", "PYTHONPATH": str(install.ROOT), "PYTHONSAFEPATH": "1", "E2A_HOME": str(tmp_path),
        "E2A_ENV_FILE": str(install.ROOT / ".env"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ERROR: [Errno 28] No space left on device", "The disk of .* is full: free some space"),
        (
            "WARNING: Retrying … NewConnectionError\nERROR: No matching distribution found for Django",
            "check the network",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",
            "Installing failed .ERROR: THESE PACKAGES DO NOT MATCH.*say the same again",
        ),
        ("", "it gave no reason"),
    ],
)
def test_what_pip_said_becomes_a_sentence(said: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CannotInstall, match=sentence):
        raise CannotInstall(install.trouble_in(said, tmp_path, tmp_path / "install.log"))


def test_a_full_disk_is_seen_before_installing(tmp_path: Path) -> None:
    with pytest.raises(CannotInstall, match="MB free, and installing takes 1000000000 MB"):
        install.check_room(tmp_path, 10**9)


def test_a_colon_in_the_folders_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotInstall, match="has a colon in its name"):
        install.make_home(str(tmp_path / "a:b"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_home_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(CannotInstall, match="belongs to nobody: run as nobody, or set E2A_HOME"):
        install.make_home(str(tmp_path))


def test_an_environment_is_whole_only_with_its_mark_its_python_and_all_its_packages(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    packages = environment.folder / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "django.py").write_text("whole")
    (environment.folder / "bin").mkdir()
    environment.python.symlink_to("/bin/true")
    assert environment.missing(dev=False) == ["runtime"]
    environment.mark.write_text(json.dumps({**install.digests(dev=False), "content": environment.content()}))
    assert environment.missing(dev=False) == []
    assert environment.missing(dev=True) == ["dev"]
    (packages / "mine.py").write_text("added by hand")
    (packages / "__pycache__").mkdir()
    assert environment.missing(dev=False) == []
    (packages / "mine.py").unlink()
    (packages / "django.py").write_text("cut")
    assert environment.missing(dev=True) == ["runtime", "dev"]
    (packages / "django.py").write_text("whole")
    environment.python.unlink()
    assert environment.missing(dev=False) == ["runtime"]
    environment.mark.write_text("{half")
    assert environment.missing(dev=False) == ["runtime"]
