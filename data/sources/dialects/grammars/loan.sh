#!/usr/bin/env bash
set -euo pipefail
source ./shelf.sh

readonly MAX_DAYS=14
names=(a b)

lend() {
  local name=$1
  if [[ -n $name && ${2:-0} -lt $MAX_DAYS ]]; then
    echo "lent $name" | tee -a "$LOG"
  elif ! grep -q "$name" shelf.txt; then
    return 1
  fi
  while read -r line; do printf '%s\n' "${line%%:*}"; done < shelf.txt
}

function run {
  for name in "${names[@]}"; do lend "$name" || exit 1; done
  case $1 in start) run "$(date +%s)" ;; *) : ;; esac
}

run "$@"
