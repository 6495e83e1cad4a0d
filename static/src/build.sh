#!/bin/sh
# Builds static/css/app.css from static/src/app.css and the templates' classes. Only at development time; the output is committed.
# Needs Node 20 or newer. The packages go to a folder outside the project (E2A_CSS_TOOLS). Conflict in app.css: run this again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=${E2A_CSS_TOOLS:-${TMPDIR:-/tmp}/e2a-css-tools}
if [ ! -x "$tools/node_modules/.bin/tailwindcss" ]; then
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-audit --no-fund --silent tailwindcss@4.3.5 @tailwindcss/cli@4.3.5 daisyui@5.8.1
fi
# Tailwind looks for its packages beside the source file.
work=$(mktemp -d "$tools/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
sed "s#@PROJECT@#$here/../..#g" "$here/app.css" > "$work/app.css"
cp "$here"/_*.css "$work/"
"$tools/node_modules/.bin/tailwindcss" --cwd "$work" --input "$work/app.css" --output "$here/../css/app.css" --minify
