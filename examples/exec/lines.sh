#!/usr/bin/env bash
# Counts the lines of files for Outlast: a child of the protocol outlast-exec/1. It needs jq.
#
#     outlast run data/sample --include '*' --exec examples/exec/lines.sh
set -u
send() { printf '%s\n' "$1" >&3; }

# Prints the file's path and an `x`, which keeps line feeds at its end. What is not UTF-8 comes as base64, too.
path_of() {
  local bytes
  if bytes=$(jq -er .abs_bytes <<< "$1"); then base64 -d <<< "$bytes"; else jq -rj .abs <<< "$1"; fi
  printf x
}

while IFS= read -r message <&3; do
  type=$(jq -r .type <<< "$message")
  case $type in
    hello) send '{"type":"ready","version":1,"identity":"lines/1"}' ;;
    file)
      id=$(jq .id <<< "$message")
      path=$(path_of "$message")
      path=${path%x}
      if lines=$(wc -l < "$path" 2>&1); then
        send "{\"type\":\"result\",\"id\":$id,\"result\":{\"lines\":$lines}}"
      else
        send "$(jq -cn --argjson id "$id" --arg m "$lines" '{type: "error", id: $id, class: "processor", message: $m}')"
      fi
      ;;
    stop) exit 0 ;;
  esac
done
