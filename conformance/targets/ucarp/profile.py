"""What is known of ucarp 1.5.2 (Debian's 1.5.2+git) before anything is run."""

from __future__ import annotations

from conformance.model.dialects import dialect
from conformance.targets.protocol import Deviation, Profile

PROFILE = Profile(
    name="ucarp",
    dialect=dialect("ucarp"),
    rung="netns",
    origin="OpenBSD 2003",
    pics={
        "preempt": True,
        "log": True,
        "state_read": True,
        "signals": True,
        "scripts": True,
        "script_time": True,
        "memberships": True,
        "exit_status": True,
        "kill": True,
        "interface_removal": True,
        "link": True,
        "partition": True,
        "one_way": True,
        "service": True,
        "process": True,
        "dead_ratio": True,
        "multiple_vhids": True,
    },
    max_hosts=8,
    deviations=(
        Deviation(
            cases="WIRE-016",
            says=r"expected: Ethernet source is 00:00:5e:00:01:(..)\n +actual: Ethernet source is 00:00:5e:00:00:\1",
            reason="ucarp sends from 00:00:5e:00:00:VHID, whose fifth byte is 0 in place of 1.",
            reference="ucarp src/carp.c:248-253 (carp_send_ad); jedisct1/UCarp#19",
        ),
        Deviation(
            cases="AUTH-019",
            says=r"actual: a password of \d+ characters is refused",
            reason="ucarp refuses a password of more than 19 characters in place of cutting it.",
            reference="ucarp src/carp.c:691-696 (docarp)",
        ),
        Deviation(
            cases="CONF-002.advskew_beyond_the_limit_is_refused",
            says=r"actual: advskew 25[56] is accepted",
            reason="ucarp takes the lowest eight bits of any advskew, 255 included.",
            reference="ucarp src/ucarp.c, case 'k' of main",
        ),
        Deviation(
            cases="CONF-003.advbase_beyond_the_limit_is_refused",
            says=r"actual: advbase 256 is accepted",
            reason="ucarp takes the lowest eight bits of any advbase.",
            reference="ucarp src/ucarp.c, case 'b' of main",
        ),
        Deviation(
            cases="CONF-005.vhid_exists_once",
            says=r"actual: number of advertisements in four intervals is [78]\b",
            reason="Each vhid of ucarp is a process, which does not know of another one; it ignores advertisements from its own address, so both are MASTER.",
            reference="ucarp src/carp.c:434 (packethandler)",
        ),
        Deviation(
            cases="MULTI-003.each_vhid_has_its_own_mac",
            says=r"expected: Ethernet source is 00:00:5e:00:01:(..)\n +actual: Ethernet source is 00:00:5e:00:00:\1",
            reason="ucarp sends from 00:00:5e:00:00:VHID, whose fifth byte is 0 in place of 1.",
            reference="ucarp src/carp.c:248-253 (carp_send_ad)",
        ),
        Deviation(
            cases="MULTI-003.each_vhid_announces_its_own_mac",
            says=r"expected: sender hardware address is 00:00:5e:00:01:..\n +actual: sender hardware address is (?!00:00:5e)",
            reason="ucarp announces the shared address with the hardware address of the interface: it has no virtual MAC for data.",
            reference="ucarp src/garp.c:38-47 (gratuitous_arp)",
        ),
        Deviation(
            cases="RX-006.master_stays[length-0-padded]",
            says=r"a goes on advertising every [\d.]+ s\n +actual: no advertisement",
            reason="ucarp looks for the 36 bytes in the captured frame, not in the IP length: padding of the frame can complete a header that the packet does not hold.",
            reference="ucarp src/carp.c:455 (packethandler: caplen)",
        ),
        Deviation(
            cases="RX-006.master_stays[length-35-padded]",
            says=r"a goes on advertising every [\d.]+ s\n +actual: no advertisement",
            reason="ucarp looks for the 36 bytes in the captured frame, not in the IP length: padding of the frame can complete a header that the packet does not hold.",
            reference="ucarp src/carp.c:455 (packethandler: caplen)",
        ),
        Deviation(
            cases="RX-021.master_stays",
            says=r"a goes on advertising every [\d.]+ s\n +actual: no advertisement",
            reason="ucarp reads raw frames and does not look at the fragment field: it takes a fragment for a whole advertisement.",
            reference="ucarp src/carp.c:433-498 (packethandler)",
        ),
        Deviation(
            cases="RX-040.frame_to_a_foreign_mac",
            says=r"a goes on advertising every [\d.]+ s\n +actual: no advertisement",
            reason="ucarp reads through a packet socket, which hands over frames to foreign MAC addresses that a switch has flooded.",
            reference="ucarp src/carp.c:411-443 (packethandler does not compare the Ethernet destination)",
        ),
        Deviation(
            cases="ROBUST-006.no_amplification",
            says=r"while it hears 200 slower ones is 1 to 19\n +actual: frames of the MASTER, .* is (?:[2-9]\d|\d{3})\b",
            reason="ucarp answers each slower advertisement with a gratuitous ARP.",
            reference="ucarp src/carp.c:586-592 (packethandler)",
        ),
        Deviation(
            cases="ROBUST-008.checksum_errors_that_compensate",
            says=r"a goes on advertising every [\d.]+ s\n +actual: no advertisement",
            reason="ucarp sums the IP and the CARP header together, so that errors in both checksums can make up for each other.",
            reference="ucarp src/carp.c:498 (packethandler)",
        ),
        # --- election, timing, ARP
        Deviation(
            cases="ELECT-005",
            says=r"says that it is BACKUP .*\n +actual: never|not that a advertises vhid",
            reason="ucarp decides a tie by source address: a MASTER yields to an equal one only if that address is lower, last octet first.",
            reference="ucarp src/carp.c:568-569 (packethandler)",
        ),
        Deviation(
            cases="ELECT-019",
            says=r"says that it is INIT .*\n +actual: never",
            reason="ucarp goes to BACKUP, not to INIT, when its link is lost.",
            reference="ucarp src/carp.c:816-834 (docarp)",
        ),
        Deviation(
            cases="TIMER-003",
            says=r"becomes MASTER .*\n +actual: .*: too late by [12]\.\d{3} s",
            reason="The poll loop looks at the timer once in advbase + advskew/256 s, so the advskew counts three times.",
            reference="ucarp src/carp.c:866-908 (docarp)",
        ),
        Deviation(
            cases="TIMER-010",
            says=r"becomes MASTER .*\n +actual: .*: too late by [01]\.\d{3} s",
            reason="Frames are handed over up to 1 s late, and the timer is looked at only when the poll loop wakes.",
            reference="ucarp src/carp.c:716 (CAPTURE_TIMEOUT), 866-908 (docarp)",
        ),
        Deviation(
            cases="TIMER-015",
            says=r"expected: not that \w+ advertises .*\n +actual: \w+ advertises",
            reason="Frames are handed over up to 1 s late, and one more advertisement is sent before stepping down.",
            reference="ucarp src/carp.c:716 (CAPTURE_TIMEOUT), 572 (packethandler)",
        ),
        Deviation(
            cases="TIMER-016",
            says=r"becomes MASTER .*\n +actual: .*: too late by 0\.[2-4]\d\d s",
            reason="The up script runs to its end before the first advertisement is sent.",
            reference="ucarp src/carp.c:67-69 (carp_set_state), 386-387 (carp_master_down)",
        ),
        *(
            Deviation(
                cases=f"TIMER-020.step_of_the_clock_does_not_move_a_{case}",
                says=says,
                reason="ucarp reads the wall clock: a step forward makes it take over, a step back holds its advertisements and its take-over up.",
                reference="ucarp src/carp.c:337 (carp_send_ad), 894-921 (docarp): gettimeofday",
            )
            for case, says in (
                ("master[-60]", r"a advertises vhid 1 .*\n +actual: never"),
                ("backup[-60]", r"a becomes MASTER .*\n +actual: never"),
                ("backup[60]", r"a becomes MASTER .*\n +actual: .*: too early by"),
            )
        ),
        Deviation(
            cases="ARP-003",
            says=r"sender hardware address is 00:00:5e:00:01:..\n +actual: sender hardware address is (?!00:00:5e)",
            reason="ucarp announces the physical MAC: it has no virtual one for data.",
            reference="ucarp src/garp.c:39 (gratuitous_arp)",
        ),
        Deviation(
            cases="ARP-004",
            says=r"target hardware address is 00:00:00:00:00:00\n +actual: target hardware address is (?!00:00:00)",
            reason="ucarp repeats the sender hardware address as the target's.",
            reference="ucarp src/garp.c:41 (gratuitous_arp)",
        ),
        Deviation(
            cases="ARP-006",
            says=r"actual: what comes first is the gratuitous ARP",
            reason="ucarp sends the gratuitous ARP while it changes its state, before the advertisement.",
            reference="ucarp src/carp.c:67-69 (carp_set_state), 386-387 (carp_master_down)",
        ),
        Deviation(
            cases="ARP-009",
            says=r"sender hardware address is 00:00:5e:00:01:..\n +actual: sender hardware address is (?!00:00:5e)",
            reason="The host answers for the address that the up script has added, with its physical MAC.",
            reference="ucarp src/spawn.c (spawn_handler): the address is the script's business",
        ),
        Deviation(
            cases="ARP-012",
            says=r"an echo reply from .*\n +actual: never",
            reason="ucarp never receives at the virtual MAC: its hosts use the physical one.",
            reference="ucarp src/fillmac.c (fill_mac_address)",
        ),
    ),
)
