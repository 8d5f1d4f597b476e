#!/bin/sh
# Build the image from wheels: build.sh WHEEL_FOLDER [TAG]
#
# The base is python:3.11-slim, or whatever BASE names. Where that is not here and cannot be pulled, the base is made
# on this machine (make-base.sh). Wheels that hold compiled code belong to one version of Python: 3.11 in both bases.
set -eu
wheels=$1
tag=${2:-trivet:latest}
here=$(dirname "$0")
base=${BASE:-python:3.11-slim}
local_base=trivet-base:bookworm

if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull "$base" 2>/dev/null; then
    echo "$base cannot be pulled: using $local_base, made on this machine"
    base=$local_base
    docker image inspect "$base" >/dev/null 2>&1 || "$here/make-base.sh" "$base"
fi

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp -r "$wheels" "$context/wheels"
cp "$here/Dockerfile" "$here/entrypoint.sh" "$here/node.conf" "$here/sentinel.conf" "$context"
chmod 755 "$context/entrypoint.sh"
if ! docker build --build-arg "BASE=$base" --tag "$tag" "$context" >"$context/log" 2>&1; then
    tail -n 30 "$context/log" >&2
    exit 1
fi
docker run --rm "$tag" --version
