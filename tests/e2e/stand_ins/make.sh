#!/usr/bin/env bash
# Stand-ins for the official images of infra/compose.yaml and Dockerfile, from Debian's packages and SeaweedFS' wheel:
# for a machine that has an engine but can pull no image. Nothing that is pushed anywhere is built on them.
# As root, with debootstrap; `weed` is taken from the environment that `uv sync` made.  usage: make.sh SCRATCH_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
weed=$here/../../../.venv/bin/weed
scratch=$1
have() { docker image inspect "$1" > /dev/null 2>&1; }

mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2> /dev/null || true; } \
    | sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' | head -1)
if ! have python:3.11-slim; then
    root=$scratch/root
    [ -e "$root/usr/bin/python3.11" ] || debootstrap --variant=minbase \
        --include=python3,python3-pip,python3-venv,ca-certificates bookworm "$root" "$mirror" > /dev/null
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"  # those that this machine trusts
    rm -f "$root/usr/lib/python3.11/EXTERNALLY-MANAGED" "$root"/var/cache/apt/archives/*.deb
    ln -sf python3 "$root/usr/bin/python"
    tar -C "$root" -c . | docker import -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' - python:3.11-slim
fi
have postgres:15-bookworm || docker build -t postgres:15-bookworm -f "$here/postgres.Dockerfile" "$here"
have nginx:1.28 || docker build -t nginx:1.28 -f "$here/nginx.Dockerfile" "$here"
if ! have chrislusf/seaweedfs:4.48; then
    mkdir -p "$scratch/weed"
    cp "$(readlink -f "$weed")" "$scratch/weed/weed"
    docker build -t chrislusf/seaweedfs:4.48 -f "$here/seaweedfs.Dockerfile" "$scratch/weed"
fi
