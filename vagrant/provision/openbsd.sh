#!/bin/sh
# OpenBSD: carp(4) is in the kernel; it is switched on, logs all it knows, and the cards of the segments are up without an address.
set -eu
sysctl net.inet.carp.allow=1 net.inet.carp.log=7
grep -q '^kern\.debug' /etc/syslog.conf || { printf 'kern.debug\t/var/log/messages\n' >> /etc/syslog.conf; rcctl restart syslogd; }
# pf passes CARP by default; a firewall that a box brings along would not.
pfctl -d > /dev/null 2>&1 || true
for interface in vio1 vio2 em1 em2; do
    ifconfig "$interface" > /dev/null 2>&1 && ifconfig "$interface" up
done
exit 0
