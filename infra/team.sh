#!/usr/bin/env bash
# A team's servers in containers: infra/team.sh up | down | user NAME | forget NAME | backup FILE | restore FILE | logs | try [again] | wipe
# TEAM_PROJECT and TEAM_SECRETS_FILE name another stack than `faceswap`, whose secrets are infra/secrets.env. TEAM_UP=--no-build
# starts the images that are there.
set -euo pipefail
cd "$(dirname "$0")"
export TEAM_HOST=${TEAM_HOST:-$(hostname)}
secrets=${TEAM_SECRETS_FILE:-secrets.env}
engine=(docker-compose)
if docker compose version > /dev/null 2>&1; then engine=(docker compose); fi

files=(-f compose.yaml)
[ -z "${TEAM_GPU:-}" ] || files+=(-f compose.gpu.yaml)

compose() { "${engine[@]}" --project-name "${TEAM_PROJECT:-faceswap}" --env-file "$secrets" "${files[@]}" "$@"; }

random() { head -c 24 /dev/urandom | base64 | tr -d '/+=\n'; }

make_secrets() {  # at random, once; only you can read them
    [ -e "$secrets" ] && return
    umask 077
    for name in DATABASE_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY MLFLOW_PASSWORD MLFLOW_KEY PREFECT_PASSWORD PROXY_KEY; do
        echo "TEAM_$name=$(random)"
    done > "$secrets"
    echo "Secrets are in $secrets: keep a copy, a backup is of no use without a working stack."
}

case "${1:-}" in
    up) make_secrets; compose up -d "${TEAM_UP:---build}"; compose ps
        echo "The app: ${TEAM_PUBLIC_URL:-http://localhost:8080}; MLflow: port 8081; Prefect: port 8082."
        echo "Let people in: infra/team.sh user NAME" ;;
    down) compose down ;;
    wipe) [ "${2:-}" = everything ] || { echo "This deletes all versions, face sets and runs: infra/team.sh wipe everything"; exit 2; }
        compose down --volumes ;;
    user) compose run --rm -e TEAM_NEW_PASSWORD setup user "$2" ;;
    forget) compose run --rm setup forget "$2" ;;
    backup) compose run --rm setup run -- backup /data/backup.tar  # into the volume `work`
        (umask 077; compose run --rm --entrypoint cat -T setup /data/backup.tar > "${2:?name a file}")
        compose run --rm --entrypoint rm -T setup /data/backup.tar ;;
    restore) make_secrets; compose up -d postgres s3
        compose run --rm setup
        compose run --rm --entrypoint sh -T setup -c 'cat > /data/backup.tar' < "${2:?name a file}"
        compose run --rm setup run -- restore /data/backup.tar
        compose run --rm --entrypoint rm -T setup /data/backup.tar
        echo "Now: infra/team.sh up" ;;
    try) password=$(random)
        TEAM_NEW_PASSWORD=$password compose run --rm -e TEAM_NEW_PASSWORD -T setup user tryout
        trap 'compose run --rm -T setup forget tryout' EXIT
        TEAM_TRY_LOGIN=tryout:$password compose run --rm -T -e TEAM_TRY_LOGIN -e TEAM_TRY_URL=http://proxy:8080 \
            -e TRY_STEPS --entrypoint bash worker /app/infra/try.sh "${2:-all}" ;;
    logs) compose logs --tail 50 ;;
    *) sed -n 2,4p "$0"; exit 2 ;;
esac
