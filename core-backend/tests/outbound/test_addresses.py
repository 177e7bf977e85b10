"""Where tenants' URLs may lead: the public internet, and nothing else."""

from ipaddress import ip_network

import pytest
from tochka_core.outbound.addresses import is_denied
from tochka_core.outbound.public import Policy, UrlDenied, check_url

INNER = (
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),  # noqa: S104
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1"),
    *("239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:0:127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1"),
    *("2001::1", "2001:db8::1", "2002:a9fe:a9fe::1", "2002:7f00:1::1", "3fff::1", "5f00::1", "fc00::1"),
    *("fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2606:4700::5efe:7f00:1", "4000::1"),
    *("fe80::1%eth0", "127.1", "2130706433", "0x7f000001", "localhost", ""),
)
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.128.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4010:c05::71", "::ffff:8.8.8.8", "64:ff9b::808:808"),
)


@pytest.mark.parametrize("address", INNER)
def test_what_is_inside_is_denied(address: str) -> None:
    assert is_denied(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not(address: str) -> None:
    assert not is_denied(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.0.1", "::1", "fc00::1"])
def test_development_reaches_its_own_network(address: str) -> None:
    assert not is_denied(address, private_addresses=True)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "224.0.0.1"])
def test_and_nothing_else(address: str) -> None:
    assert is_denied(address, private_addresses=True)


def test_an_operators_own_networks_are_denied() -> None:
    assert is_denied("8.8.8.8", denied=(ip_network("8.8.8.0/24"),))
    assert is_denied("::ffff:8.8.8.8", denied=(ip_network("8.8.8.0/24"),))


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://example.com/", "javascript:alert(1)", "//example.com", "example.com"),
        *("https://user@example.com/", "https://user:pw@example.com/", "https://example.com/#a"),
        *(
            "https://example.com:80/",
            "https://example.com:22/",
            "https://example.com:99999/",
            "https://:443/",
        ),
        *("https://localhost/", "https://a.localhost/", "https://intranet/", "https://db.internal/"),
        *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/"),
        *("https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/"),
        *("https://example.com./", "https://exa mple.com/", "https://example.com\\@evil.com/", "https://"),
        *("https://example.com/a b", "https://example.com/\r\nHost: evil", "https://example.com/\u0430"),
        *("https://[fe80::1%25eth0]/", "https://example..com/", "https://-a-.com:443:443/", "https://1.2.3/"),
        "https://example.com/" + "a" * 2048,
    ],
)
def test_an_odd_address_is_no_endpoint(url: str) -> None:
    with pytest.raises(UrlDenied):
        check_url(url, Policy())


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://EXAMPLE.com:443/a?b=c", "https://example.com/a?b=c"),
        ("https://example.com:8443/a%20b", "https://example.com:8443/a%20b"),
        ("https://пример.рф/x", "https://xn--e1afmkfd.xn--p1ai/x"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
    ],
)
def test_everybody_reads_the_same_host_out_of_an_address(url: str, asked: str) -> None:
    assert check_url(url, Policy()).text == asked
