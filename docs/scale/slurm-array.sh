#!/bin/bash
# One study on many nodes: the first task of the array starts it, the others join. They meet in PostgreSQL.
#   STORAGE=postgresql+psycopg://me@db.example/bitfront sbatch --array=0-15 docs/scale/slurm-array.sh
#SBATCH --job-name=bitfront
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-task=1
#SBATCH --time=08:00:00
#SBATCH --signal=B:TERM@120
set -u
: "${STORAGE:?the URL of a PostgreSQL database}"
STUDY=${STUDY:-runs/cifar10-${SLURM_ARRAY_JOB_ID}}
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
export BITFRONT_CACHE=${BITFRONT_CACHE:-$HOME/bitfront-members}

if [ "$SLURM_ARRAY_TASK_ID" -eq 0 ]; then
    exec python -m search run --dataset cifar10 --trials "${TRIALS:-500}" --out "$STUDY" --storage "$STORAGE"
fi
for _ in $(seq 30); do  # until the first task has made the study
    python -m search worker "$STUDY" --storage "$STORAGE"
    status=$?
    [ "$status" -eq 2 ] || exit "$status"
    sleep 20
done
exit 2
