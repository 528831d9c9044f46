#!/usr/bin/env bash
# A team's servers in containers: infra/team.sh up | down | user NAME | backup FILE | restore FILE | logs | try
set -euo pipefail
cd "$(dirname "$0")"

compose() {
    if docker compose version > /dev/null 2>&1; then set -- docker compose "$@"; else set -- docker-compose "$@"; fi
    local engine=("$1") && shift
    if [ "${engine[0]}" = docker ]; then engine+=("$1"); shift; fi
    "${engine[@]}" --project-name faceswap --env-file secrets.env -f compose.yaml "$@"
}

secrets() {  # at random, once; only you can read them
    [ -e secrets.env ] && return
    umask 077
    for name in DATABASE_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY MLFLOW_PASSWORD MLFLOW_KEY PREFECT_PASSWORD PROXY_KEY; do
        echo "TEAM_$name=$(head -c 24 /dev/urandom | base64 | tr -d '/+=\n')"
    done > secrets.env
    echo "Secrets are in infra/secrets.env: keep a copy, a backup is of no use without a working stack."
}

case "${1:-}" in
    up) secrets; compose up -d --build; compose ps
        echo "The app: ${TEAM_PUBLIC_URL:-http://localhost:8080}; MLflow: port 8081; Prefect: port 8082."
        echo "Let people in: infra/team.sh user NAME" ;;
    down) compose down ;;
    user) compose run --rm setup user "$2" ;;
    backup) compose run --rm setup run -- backup /data/backup.tar  # into the volume faceswap_work
        compose run --rm --entrypoint cat -T setup /data/backup.tar > "${2:?name a file}" ;;
    restore) compose up -d postgres s3
        compose run --rm setup
        compose run --rm --entrypoint sh -T setup -c 'cat > /data/backup.tar' < "${2:?name a file}"
        compose run --rm setup run -- restore /data/backup.tar
        echo "Now: infra/team.sh up" ;;
    try) compose run --rm --entrypoint bash worker /app/infra/try.sh ;;
    logs) compose logs --tail 50 ;;
    *) sed -n 2p "$0"; exit 2 ;;
esac
