#!/bin/sh
# ucarp calls this with: interface, shared address, optional extra argument.
[ "${CARP_SCRIPT_TAKES:-0}" = 0 ] || sleep "$CARP_SCRIPT_TAKES"
ip address add "$2/32" dev "$1"
echo "script up $*" >&2
