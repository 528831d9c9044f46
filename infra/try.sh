#!/usr/bin/env bash
# The whole way once, with whatever servers the environment names: media to S3, a face set each, a short training,
# promotion, and a swap of a picture that lies in S3. Run by `infra/team.sh try`, and as it is on one machine.
set -euo pipefail
python=${PYTHON:-python}
run() { echo "+ faceswap $*"; "$python" -m infra.team run -- "$@"; }
place="s3://${TEAM_BUCKET:-faceswap}/try"

run people --out "$place" --name ada --name bram --seconds 4
for name in ada bram; do
    run preprocess "$place/$name.mp4" --name "$name" --consent "fictional person of faceswap's own renderer"
done
run train ada bram --preset original --minutes "${TRY_MINUTES:-0.2}"
run people --out "$place/pictures" --name bram --pictures --count 3
run swap "$place/pictures" --reference ada --out "$place/swapped"
run models
echo "It works: the results are below $place/swapped"
