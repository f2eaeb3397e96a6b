#!/bin/sh
# Everything that happens between the kernel and a login: mounts, one address by DHCP on the first interface, a host key.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts
mountpoint -q /dev/shm || mount -t tmpfs tmpfs /dev/shm
mountpoint -q /run || mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/sshd /run/lock
mount -o remount,rw /
hostname -F /etc/hostname
for module in 8021q bridge veth; do modprobe "$module"; done
ip link set lo up
for interface in /sys/class/net/eth*; do ip link set "${interface##*/}" up; done
[ -s /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
dhclient -1 -q eth0
