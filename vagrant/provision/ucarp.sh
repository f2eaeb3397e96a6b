#!/bin/sh
# A Linux machine for ucarp: everything that the driver needs, and nothing on the interfaces of the segments but themselves.
set -eu
for command in ucarp ip python3 stdbuf; do
    command -v "$command" > /dev/null || { echo "$command is missing in this box: apt-get install ucarp iproute2 python3 coreutils" >&2; exit 1; }
done
for module in 8021q bridge veth; do modprobe "$module" 2> /dev/null || true; done
for interface in eth1 eth2; do
    sysctl -q -w "net.ipv6.conf.$interface.disable_ipv6=1" 2> /dev/null || true
    # Frames to a virtual MAC pass whatever the card would filter.
    ip link set dev "$interface" up promisc on
done
