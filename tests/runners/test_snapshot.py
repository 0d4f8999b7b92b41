"""Which guests another QEMU may take over: those that two processes can be given at once."""

from __future__ import annotations

import pytest

from parity.configuration import Target
from runners.snapshots.snapshot import can_hand_over


def target(*arguments: str) -> Target:
    return Target.model_validate(
        {
            "arch": "x86_64",
            "machine": "q35",
            "delivery": {"kind": "shell", "prompt": "> $"},
            "arguments": list(arguments),
        }
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-nic", "none"),
        ("--nic", "none"),
        ("-nodefaults", "-vga", "std"),
        ("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"),
        ("-netdev", "user,id=net", "-device", "virtio-net,netdev=net"),
        ("-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"),
        ("-d", "guest_errors"),
    ],
)
def test_what_concerns_the_guest_alone_may_be_said_twice(arguments: tuple[str, ...]) -> None:
    assert can_hand_over(target(*arguments), "tcg")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-netdev", "user,id=net,hostfwd=tcp::8080-:80"),
        ("-nic", "user,smb=/srv"),
        ("-nic", "tap,ifname=tap0"),
        ("-debugcon", "file:debug.log"),
        ("-chardev", "socket,id=c,path=/tmp/s,server=on"),
        ("-drive", "file=raw.img,format=raw"),
        ("-s",),
        ("-gdb", "tcp::1234"),
        ("-D", "qemu.log"),
        ("-vnc", ":1"),
        ("-device", "isa-debug-exit", "-pidfile", "pid"),
        ("-object", "memory-backend-file,id=m,mem-path=m,size=1M"),
        ("stray",),
        ("",),
        ("-nic", ""),
    ],
)
def test_what_two_would_fight_over_is_given_to_one(arguments: tuple[str, ...]) -> None:
    assert not can_hand_over(target(*arguments), "tcg")


def test_where_nothing_is_translated_nothing_is_gained() -> None:
    assert not can_hand_over(target(), "kvm")
