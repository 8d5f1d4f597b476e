#!/bin/sh
# Run `trivet "$@"`. A sentinel writes what it learns into its configuration file, so its first start gives it a copy
# of the image's that it may write to, and later starts go on with that copy.
set -eu
if [ "${1:-}" = sentinel ] && [ "${2:-}" = /data/sentinel.conf ] && [ ! -e /data/sentinel.conf ]; then
    cp /etc/trivet/sentinel.conf /data/sentinel.conf
fi
exec trivet "$@"
