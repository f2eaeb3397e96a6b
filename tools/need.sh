#!/bin/sh
# Makes sure that commands, or files given by their whole path, are there: need.sh command:package …
# Installs what is missing with apt-get (through sudo if not root) and says so; where it cannot, one sentence says what to do. Exit status 3 then.
set -eu

missing=""
for pair in "$@"; do
    wanted="${pair%%:*}"
    case "$wanted" in
        /*) [ -e "$wanted" ] || missing="$missing ${pair#*:}" ;;
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$wanted" >/dev/null 2>&1 || missing="$missing ${pair#*:}" ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing on this machine:$missing. This is not a Debian system: install them with its own package manager, then try again." >&2
    exit 3
fi
if [ "$(id -u)" -eq 0 ]; then
    root=""
elif command -v sudo >/dev/null 2>&1; then
    root="sudo"
else
    echo "Missing on this machine:$missing. Ask its administrator to run: apt-get install$missing" >&2
    exit 3
fi
echo "Installing with ${root:+sudo }apt-get:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # one word a package
if ! { $root apt-get update -qq && $root apt-get install -y -qq --no-install-recommends $missing; } >/dev/null; then
    echo "apt-get could not install:$missing. See its message above; with the packages installed by hand this step is skipped." >&2
    exit 3
fi
