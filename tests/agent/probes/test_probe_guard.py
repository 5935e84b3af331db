import pytest

from agent.probes.guard import Guard, read_allowed

OPEN = Guard()
LISTED = Guard([read_allowed("10.1.0.0/16:80,443"), read_allowed("127.0.0.1/32:8080"), read_allowed("[fd00::/8]:443")])


@pytest.mark.parametrize(
    ("guard", "address", "port", "is_allowed"),
    [
        (OPEN, "10.1.2.3", 80, True),
        (OPEN, "203.0.113.7", None, True),
        (OPEN, "127.0.0.1", 8080, False),
        (OPEN, "127.8.0.1", None, False),
        (OPEN, "::1", 443, False),
        (OPEN, "::ffff:127.0.0.1", 443, False),
        (OPEN, "169.254.169.254", 80, False),
        (OPEN, "::ffff:169.254.169.254", 80, False),
        (OPEN, "fe80::1%eth0", 80, False),
        (OPEN, "0.0.0.0", 80, False),
        (OPEN, "::", 80, False),
        (OPEN, "224.0.0.1", None, False),
        (OPEN, "255.255.255.255", None, False),
        (LISTED, "10.1.2.3", 443, True),
        (LISTED, "10.1.2.3", 22, False),
        (LISTED, "10.1.2.3", None, True),
        (LISTED, "10.2.0.1", 443, False),
        (LISTED, "127.0.0.1", 8080, True),
        (LISTED, "127.0.0.1", 8081, False),
        (LISTED, "fd12::7", 443, True),
        (LISTED, "fd12::7", 80, False),
        (Guard([read_allowed("0.0.0.0/0")]), "169.254.169.254", 80, False),
    ],
)
def test_where_probes_may_go(guard, address, port, is_allowed):
    refusal = guard.refusal(address, port)
    assert (refusal == "") == is_allowed
    assert is_allowed or address in refusal


@pytest.mark.parametrize("text", ["10.1.0.1/16", "hello", "10.1.0.0/16:0", "10.1.0.0/16:http", "[fd00::/8]:70000", ""])
def test_a_list_that_cannot_be_read_says_what_was_expected(text):
    with pytest.raises(ValueError, match=r"expected a network such as"):
        read_allowed(text)
