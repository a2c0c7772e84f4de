#!/usr/bin/env bash
# Predict keypoints of a large folder by several processes under Slurm:
#   TASKS=8 tools/slurm_predict.sh PARTITION JOB_NAME RUN SOURCE OUT [arguments]
# Each task predicts its share of SOURCE into OUT, and the last one merges them. The same
# command goes on after an interruption. TASKS, TASKS_PER_NODE and CPUS_PER_TASK size the
# job, SRUN_ARGS go to srun; GRES= (empty) runs on CPUs, GRES=gpu:4 on four GPUs a node,
# of which each task sees one. As an array of jobs, which need not run at the same time:
#   sbatch --array=0-7 --wrap 'mmkp predict RUN SOURCE -o OUT --shard auto --draw none'
set -x
PARTITION=$1
JOB_NAME=$2
RUN=$3
SOURCE=$4
OUT=$5
TASKS=${TASKS:-8}
TASKS_PER_NODE=${TASKS_PER_NODE:-8}
GRES=${GRES-gpu:$TASKS_PER_NODE}
CPUS_PER_TASK=${CPUS_PER_TASK:-5}
OMP_NUM_THREADS=${OMP_NUM_THREADS:-$CPUS_PER_TASK} \
PYTHONPATH="$(dirname "$0")/..":$PYTHONPATH \
srun -p "$PARTITION" \
    --job-name="$JOB_NAME" \
    ${GRES:+--gres="$GRES" --gpus-per-task=1} \
    --ntasks="$TASKS" \
    --ntasks-per-node="$TASKS_PER_NODE" \
    --cpus-per-task="$CPUS_PER_TASK" \
    --kill-on-bad-exit=0 \
    ${SRUN_ARGS} \
    python -m mmkp predict "$RUN" "$SOURCE" -o "$OUT" --shard auto "${@:6}"
