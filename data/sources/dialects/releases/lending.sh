#!/usr/bin/env bash
set -euo pipefail
source ./lib.sh
. "/etc/shop/env"
. "$HOME/x.sh"
LIMIT=3
readonly MAX=5
declare -r RATE=2
declare -i count=0
export NAMES="a b" OTHER=1
local_only=
arr=(1 2 3)
arr[1]=x
total+=1

late() {
  local days=$1
  if [ "$days" -gt 3 ] && [[ $open == yes || -n $x ]]; then
    echo late
  elif test "$days" -eq 2; then
    printf '%s\n' two
  else
    return 1
  fi
}

function lend { late "$1" || die "no"; }
function renew() { lend "$@"; }
shop::open() ( cd /tmp; run_it )
with-dash() { for book in "$@"; do late "$book"; done; }
function loops() {
  for ((i = 0; i < 3; i++)); do step "$i"; done
  while read -r line; do use "$line"; done < file
  until ready; do sleep 1; done
  select x in a b; do pick "$x"; done
  case $1 in
    a) one ;;
    b|c) two ;;
    *) three ;;
  esac
  inner() { deep; }
  names=$(list | sort | uniq)
  "$cmd" arg
  ${cmd[0]} arg
  ./run.sh --fast
  /usr/bin/env python
  ! grep -q x file && sudo rm file
  FOO=1 make all
  trap 'cleanup' EXIT
  cat <<EOF
hello $(world)
EOF
  [[ -f $x ]] && (( y++ ))
}
loops "$@"
"./quoted.sh" --fast
'lend' 1
le"nd" 2
"$dir/lend" 3
