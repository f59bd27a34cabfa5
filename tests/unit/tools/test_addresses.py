"""Which addresses a tool may connect to."""

import pytest

from plinth.tools.addresses import is_public

pytestmark = pytest.mark.guarantee_h


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "1.1.1.1", "172.15.255.255", "172.32.0.0", "192.0.1.0", "223.255.255.255", "100.128.0.0"],
)
def test_an_ipv4_address_of_the_internet_may_be_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["2606:4700:4700::1111", "2001:200::1", "2a00::1", "3ffe::1"])
def test_an_ipv6_address_of_the_internet_may_be_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.1", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254"),
        *("169.254.169.254", "169.254.100.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    ],
)
def test_an_ipv4_address_that_is_private_or_set_aside_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
        *("2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1"),
    ],
)
def test_an_ipv6_address_that_is_private_or_set_aside_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:93.184.216.34", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::1"),
    ],
)
def test_an_ipv6_address_that_carries_an_ipv4_address_is_refused_whichever_it_carries(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", " 1.1.1.1"])
def test_what_is_no_address_in_full_is_refused(address: str) -> None:
    assert not is_public(address)
