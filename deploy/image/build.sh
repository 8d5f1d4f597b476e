#!/bin/sh
# Build the image from wheels: build.sh WHEEL_FOLDER [TAG]
#
# Wheels that hold compiled code belong to one version of Python, so the base is python:VERSION-slim for theirs, or
# whatever BASE names. Where that is not here and cannot be pulled, the base is made on this machine (make-base.sh).
set -eu
wheels=$1
tag=${2:-trivet:latest}
here=$(dirname "$0")
version=$(ls "$wheels" | sed -n 's/^hiredis-.*-cp3\([0-9]*\)-cp3.*/3.\1/p' | head -n 1)
base=${BASE:-python:$version-slim}
local_base=trivet-base:bookworm

if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull "$base" 2>/dev/null; then
    if [ "$version" != 3.11 ]; then
        echo "$base cannot be pulled, and $local_base has Python 3.11, not $version as the wheels" >&2
        exit 1
    fi
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
