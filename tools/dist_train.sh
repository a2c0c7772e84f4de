#!/usr/bin/env bash
# Train on several GPUs of one or more machines:
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# NNODES, NODE_RANK, MASTER_ADDR and PORT describe a job over several machines; on one
# they can be left out, and a free port is taken. Without GPUs it runs on CPUs.
CONFIG=$1
GPUS=$2
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
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
