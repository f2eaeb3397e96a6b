#!/bin/sh
# FreeBSD 10 and later: carp(4) loaded, VNET jails possible, its log where the driver reads it, nothing configured on the segments.
set -eu
kldstat -q -m carp || kldload carp
grep -q '^carp_load=' /boot/loader.conf 2> /dev/null || echo 'carp_load="YES"' >> /boot/loader.conf
for module in if_bridge if_epair if_vlan; do kldload -n "$module" 2> /dev/null || true; done
# One rule more than the vendor's, so that kern.* is there even where it was trimmed.
grep -q '^kern\.\*.*/var/log/messages' /etc/syslog.conf || { printf 'kern.*;user.notice\t/var/log/messages\n' >> /etc/syslog.conf; service syslogd restart; }
sysctl net.inet.carp.log=2 net.inet.carp.allow=1
for interface in vtnet1 vtnet2 em1 em2; do
    ifconfig "$interface" > /dev/null 2>&1 || continue
    # The card is to let frames to virtual MAC addresses through, and to leave checksums as they are on the wire.
    ifconfig "$interface" promisc -rxcsum -txcsum -tso -lro -vlanhwtag up
done
