#!/usr/bin/env bash
# The one entrance: finds Python 3.11 or newer and hands over. ./run.sh help lists the commands.
# Everything else (environment, packages, servers) is done by e2a/stack, with the standard library alone until it has more.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
found=""
for candidate in "${E2A_PYTHON:-}" python3.11 python3.12 python3.13 python3 python python3.14 /usr/bin/python3; do
    [ -n "$candidate" ] || continue
    # Asked, not only looked for: a shim of pyenv is on the PATH for versions that are not there. -I: no PYTHONPATH, no user site.
    version=$("$candidate" -I -c 'import sys; print("%d.%d" % sys.version_info[:2], sys._base_executable)' 2>/dev/null) || continue
    found="$found $candidate ${version%% *}"
    case ${version%% *} in
        3.[0-9] | 3.10 | 2.*) continue ;;
    esac
    # The base executable: an activated virtual environment, here or elsewhere, makes no difference.
    python=${version#* }
    [ -x "$python" ] || python=$candidate
    exec "$python" -I "$root/e2a/stack/install.py" "$@"
done
echo "E²A needs Python 3.11 or newer, and found${found:- none}: install it (Debian, Ubuntu: apt-get install python3 python3-venv), or set E2A_PYTHON=/path/of/python." >&2
exit 1
