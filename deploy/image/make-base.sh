#!/bin/sh
# Make a base image without a registry: minimal Debian 12 with its Python 3.11, from Debian's packages.
#
#     make-base.sh [TAG]        needs root (debootstrap makes device files); takes well under a minute
set -eu
tag=${1:-trivet-base:bookworm}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

if [ "$(id -u)" != 0 ]; then
    echo "make-base.sh: debootstrap needs root: run it with sudo, or set BASE to an image that has Python 3.11" >&2
    exit 1
fi
if ! command -v debootstrap >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends debootstrap >/dev/null
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
if ! debootstrap --variant=minbase --include=python3 bookworm "$root" "$mirror" >"$root.log" 2>&1; then
    tail -n 20 "$root.log" >&2
    exit 1
fi
rm -f "$root.log"
# What no container of ours reads.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
    "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
chmod 755 "$root"
tar -C "$root" --one-file-system -c . | docker import --change 'ENV LANG=C.UTF-8' - "$tag"
