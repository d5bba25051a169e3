#!/bin/bash
# Runs %{count} shards on Slurm: sbatch THIS_FILE; with --array=0-%{last}%16, 16 of them at a time.
# Every node has `outlast`, the roots and the states at the same paths. `outlast shards status` shows how far it is.
#SBATCH --job-name=outlast
#SBATCH --array=0-%{last}
#SBATCH --cpus-per-task=%{cpus}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=outlast-%A-%a.log

code=0
srun %{command} || code=$?
case $code in
  # In use, a resource is missing, killed, asked to stop: tried again, up to 20 times.
  11 | 75 | 137 | 143)
    if [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
      sleep 10
      # It ends this script, too.
      scontrol requeue "$SLURM_JOB_ID" && sleep 60
    fi
    ;;
esac
exit $code
