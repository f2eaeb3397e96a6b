#!/bin/sh
# Runs last (mmdebstrap --customize-hook): $1 is the root of the box, $BOX_FILES this folder, $BOX_KEY the public key that Vagrant logs in with first.
set -eu
mkdir -p -m 700 "$1/root/.ssh"
cp "$BOX_KEY" "$1/root/.ssh/authorized_keys"
chmod 600 "$1/root/.ssh/authorized_keys"
cp "$BOX_FILES/boot.sh" "$1/usr/local/sbin/box-boot"
chmod 755 "$1/usr/local/sbin/box-boot"
cp "$BOX_FILES/inittab" "$1/etc/inittab"
printf 'carp-box\n' > "$1/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 carp-box\n' > "$1/etc/hosts"
printf '/dev/vda1 / ext4 noatime 0 0\n' > "$1/etc/fstab"
# A slow machine logs in often: no name look-ups, one kind of host key, as many logins at once as there are lanes.
cat > "$1/etc/ssh/sshd_config.d/box.conf" <<'CONF'
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
MaxSessions 100
CONF
# What every box must have of its own is made at its first boot.
rm -f "$1"/etc/ssh/ssh_host_*_key "$1"/etc/ssh/ssh_host_*_key.pub
: > "$1/etc/machine-id"
rm -rf "$1"/var/cache/ldconfig/aux-cache "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/boot/*.old "$1"/*.old "$1"/tmp/* "$1"/run/*
find "$1/var/log" -type f -delete
# Bytecode and the ramdisk carry the time of day: without the first, and with the second made again from dated files, two builds are equal.
find "$1/usr/lib" -name __pycache__ -prune -exec rm -rf {} +
chroot "$1" dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' > "$1/etc/box-packages"
