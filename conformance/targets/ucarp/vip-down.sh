#!/bin/sh
# ucarp calls this with: interface, shared address, optional extra argument.
[ "${CARP_SCRIPT_TAKES:-0}" = 0 ] || sleep "$CARP_SCRIPT_TAKES"
ip address del "$2/32" dev "$1" 2>/dev/null
echo "script down $*" >&2
