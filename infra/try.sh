#!/usr/bin/env bash
# The whole way once, with whatever servers the environment names: media to S3, a face set each, two short trainings,
# a promotion, and a swap of pictures that lie in S3. `try.sh again` only swaps: what was made lasts, through a restart or in a backup.
# Where TEAM_TRY_LOGIN (name:password) and TEAM_TRY_URL are, the app swaps as well, through the door.
# Run by `infra/team.sh try` in a container, and as it is on one machine.
set -euo pipefail
python=${PYTHON:-python}
run() { echo "+ faceswap $*"; "$python" -m infra.team run -- "$@"; }
by_worker() { # FLOW PARAMETERS: a worker of the pool takes it, as when somebody starts it in Prefect's UI
    echo "+ a worker's $1"
    "$python" -m infra.team run --program prefect -- deployment run "$1/faceswap-$1" --watch --watch-interval 3 \
        --watch-timeout 1800 --params "{\"parameters\": $2}"
}
place="s3://${TEAM_BUCKET:-faceswap}/try"

if [ "${1:-all}" = all ]; then
    run people --out "$place" --name ada --name bram --seconds 4
    for name in ada bram; do
        run preprocess "$place/$name.mp4" --name "tryout-$name" --consent "fictional person of faceswap's own renderer"
    done
    run train tryout-ada tryout-bram --preset lite --steps "${TRY_STEPS:-30}"
    by_worker train "{\"face_sets\": [\"tryout-ada\", \"tryout-bram\"], \"preset\": \"lite\", \"steps\": ${TRY_STEPS:-30}, \"seed\": 1}"
    run promote tryout-ada --frames 4 --override "the tryout of the stack"
fi
run people --out "$place/pictures" --name bram --pictures --count 3 # anew: a backup does not hold media
run swap "$place/pictures" --reference tryout-ada --out "$place/swapped" --fresh
by_worker swap "{\"target\": \"$place/pictures\", \"reference\": \"tryout-ada\", \"out\": \"$place/swapped-by-worker\", \"resume\": false}"
run models
if [ -n "${TEAM_TRY_LOGIN:-}" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    run people --out "$scratch" --name bram --pictures --count 1
    "$python" -m infra.team visit "$TEAM_TRY_URL" "$(find "$scratch" -name '*.jpg' -o -name '*.png' | head -1)" tryout-ada
fi
echo "It works: the results are below $place/swapped"
