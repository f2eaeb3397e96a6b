#!/bin/sh
# ucarp calls this with: interface, shared address, optional extra argument.
ip address add "$2/32" dev "$1"
echo "script up $*" >&2
