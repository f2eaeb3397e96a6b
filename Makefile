# A thin bootstrap over tox: `make ucarp` runs the main job, `make test` tests the suite itself.
# Everything else is an environment of tox.ini: `make freebsd` is `tox -e freebsd`. Arguments: make ucarp ARGS="AUTH --lanes 8"

TOX := .venv/bin/tox
ARGS ?=

.PHONY: help test ucarp ucarp-vm clean
help:
	@echo "make ucarp   conformance of the system's ucarp in network namespaces, with a report"
	@echo "make ucarp-vm  the same in two virtual machines, made of Debian's packages (Vagrant, libvirt, QEMU)"
	@echo "make test    tests of the suite itself: lint, types, import contracts, unit and browser tests"
	@echo "make ENV     any other environment of tox.ini"

ucarp: $(TOX)
	@tools/need.sh ucarp:ucarp ip:iproute2 setpriv:util-linux unshare:util-linux
	@$(TOX) run -q -e ucarp -- $(ARGS)

ucarp-vm: $(TOX)
	@tools/need.sh vagrant:vagrant virsh:libvirt-clients libvirtd:libvirt-daemon-system qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils dnsmasq:dnsmasq-base iptables:iptables ip:iproute2 \
	    ssh:openssh-client nsenter:util-linux setpriv:util-linux mmdebstrap:mmdebstrap genext2fs:genext2fs tune2fs:e2fsprogs sfdisk:fdisk grub-mkimage:grub-common
	@tools/need.sh /usr/lib/grub/i386-pc/boot.img:grub-pc-bin /usr/share/doc/vagrant-libvirt:vagrant-libvirt
	@$(TOX) run -q -e ucarp-vm -- $(ARGS)

test: $(TOX)
	@tools/need.sh ucarp:ucarp ip:iproute2 setpriv:util-linux unshare:util-linux chromium:chromium tshark:tshark git:git openssl:openssl keepalived:keepalived
	@$(TOX) run -e lint,type,unit,docs

clean:
	rm -rf .venv .tox .coverage* dist

%: $(TOX)
	@$(TOX) run -e $@ -- $(ARGS)

$(TOX):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: apt-get install python3" >&2; exit 3; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null || tools/need.sh a-venv-that-works:python3-venv
	@echo "Making a virtual environment for tox in .venv"
	@python3 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check 'tox>=4.22' || { rm -rf .venv; echo "pip could not fetch tox: the first run needs a network with a Python package index" >&2; exit 3; }

Makefile: ;
