#!/bin/sh
# FreeBSD 9 and earlier: carp is an interface of its own (if_carp.ko), there are no lanes side by side.
set -eu
kldstat -q -m if_carp 2> /dev/null || kldload if_carp 2> /dev/null || kldstat | grep -q carp || { echo "this kernel has no carp: build one with 'device carp'" >&2; exit 1; }
grep -q '^if_carp_load=' /boot/loader.conf 2> /dev/null || echo 'if_carp_load="YES"' >> /boot/loader.conf
grep -q '^kern\.\*.*/var/log/messages' /etc/syslog.conf || { printf 'kern.*;user.notice\t/var/log/messages\n' >> /etc/syslog.conf; /etc/rc.d/syslogd restart; }
sysctl net.inet.carp.log=2 net.inet.carp.allow=1
for interface in vtnet1 vtnet2 em1 em2; do
    ifconfig "$interface" > /dev/null 2>&1 || continue
    ifconfig "$interface" promisc -rxcsum -txcsum -tso up
done
