#!/bin/sh
# Installs the SDKs that are measured beside, `python` or `node`, into a folder, unless they are there already in these versions.
# Usage: install.sh python|node FOLDER. What is missing is said on standard error.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
what=$1
folder=$2
case $what in
python) wanted=$here/requirements.txt ;;
node) wanted=$here/package.json ;;
*) echo "install.sh: python or node, not $what" >&2; exit 2 ;;
esac
# Written last, so that an installation that was cut short is made anew.
if cmp -s "$wanted" "$folder/installed"; then exit 0; fi
rm -rf "$folder"
mkdir -p "$folder"
case $what in
python)
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" >&2
  ;;
node)
  cp "$wanted" "$folder/package.json"
  (cd "$folder" && npm install --silent --no-audit --no-fund >&2)
  ;;
esac
cp "$wanted" "$folder/installed"
