#!/usr/bin/env bash
# Test on several GPUs of one or more machines:
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# NNODES, NODE_RANK, MASTER_ADDR and PORT describe a job over several machines; on one
# they can be left out, and a free port is taken. Without GPUs it runs on CPUs.
CONFIG=$1
CHECKPOINT=$2
GPUS=$3
if [ -z "$NNODES$NODE_RANK$MASTER_ADDR$PORT" ]; then
    MEET=(--standalone --local-addr=127.0.0.1)
else
    MEET=(
        --nnodes="${NNODES:-1}"
        --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}"
        --master_port="${PORT:-29500}"
    )
fi
PYTHONPATH="$(dirname "$0")/..":$PYTHONPATH \
python -m torch.distributed.run \
    "${MEET[@]}" \
    --nproc_per_node="$GPUS" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
