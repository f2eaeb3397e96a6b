#!/bin/sh
# Runs before the kernel's package is installed (mmdebstrap --essential-hook): the initial ramdisk holds what the disk needs and nothing else.
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=gzip\nFSTYPE=ext4\nRESUME=none\n' > "$1/etc/initramfs-tools/conf.d/box"
printf 'virtio_pci\nvirtio_blk\nvirtio_net\n' > "$1/etc/initramfs-tools/modules"
