"""Our own certificate from its first day to its successor's, on a clock of the test's."""

import base64
import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from specdecode_operator.controller.webhook.certificates import (
    LIFE,
    OVERLAP,
    RENEWAL,
    Holding,
    Pair,
    advance,
    decoded,
    encoded,
    expiry,
    issue,
)
from support.builders import NOW

HOST = "specdecode-operator-webhook.specdecode-system.svc"
HOSTS = (HOST,)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def trusted(bundle: str, pair: Pair, at: dt.datetime, host: str = HOST) -> bool:
    """Whether a client that has `bundle` accepts what a server shows."""
    store = Store(x509.load_pem_x509_certificates(bundle.encode()))
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(x509.load_pem_x509_certificate(pair.certificate.encode()), [])
    except VerificationError:
        return False
    return True


def run(days: int, step: dt.timedelta = HOUR, held: Holding | None = None) -> Iterator[tuple[dt.datetime, Holding]]:
    """Yield what is held after each step; what waits is published one step after it is made."""
    at = NOW
    while at < NOW + days * DAY:
        published = held is not None and held.waiting is not None
        held = advance(held, HOSTS, at, published=published)
        yield at, held
        at += step


class TestPair:
    def test_it_serves_the_name_that_the_api_server_asks_for(self) -> None:
        pair = issue(HOSTS, NOW)
        assert trusted(pair.authority, pair, NOW)
        assert not trusted(pair.authority, pair, NOW, "other.specdecode-system.svc")

    def test_it_lives_90_days(self) -> None:
        pair = issue(HOSTS, NOW)
        assert expiry(pair.certificate) == expiry(pair.authority) == NOW + LIFE
        assert [trusted(pair.authority, pair, NOW + LIFE + shift) for shift in (-HOUR, HOUR)] == [True, False]

    def test_a_clock_that_is_a_little_behind_accepts_it(self) -> None:
        pair = issue(HOSTS, NOW)
        assert trusted(pair.authority, pair, NOW - dt.timedelta(minutes=4))

    def test_no_two_have_the_same_authority(self) -> None:
        first, second = issue(HOSTS, NOW), issue(HOSTS, NOW)
        assert not trusted(first.authority, second, NOW)

    def test_it_can_do_nothing_but_serve(self) -> None:
        found = x509.load_pem_x509_certificate(issue(HOSTS, NOW).certificate.encode()).extensions
        usages = found.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
        assert not found.get_extension_for_class(x509.BasicConstraints).value.ca

    def test_an_address_is_one(self) -> None:
        found = x509.load_pem_x509_certificate(issue(("127.0.0.1", "localhost"), NOW).certificate.encode())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [type(name) for name in names] == [x509.IPAddress, x509.DNSName]

    def test_its_key_is_not_shown(self) -> None:
        assert "PRIVATE" not in repr(Holding(issue(HOSTS, NOW)))


class TestStages:
    def test_with_nothing_held_there_is_a_pair_at_once(self) -> None:
        held = advance(None, HOSTS, NOW, published=False)
        assert (held.waiting, held.retired, held.bundle) == (None, (), held.serving.authority)

    def test_nothing_changes_for_two_thirds_of_its_life(self) -> None:
        held = Holding(issue(HOSTS, NOW))
        assert advance(held, HOSTS, NOW + LIFE - RENEWAL - HOUR, published=False) == held

    def test_in_the_last_third_a_successor_waits_and_both_are_trusted(self) -> None:
        held = Holding(issue(HOSTS, NOW))
        found = advance(held, HOSTS, NOW + LIFE - RENEWAL, published=False)
        assert found.waiting is not None
        assert (found.serving, found.retired) == (held.serving, ())
        assert found.bundle == held.serving.authority + found.waiting.authority

    @pytest.mark.parametrize(
        ("age", "published", "shown"),
        [(OVERLAP, True, True), (OVERLAP, False, False), (OVERLAP - dt.timedelta(seconds=1), True, False)],
    )
    def test_the_successor_is_shown_when_it_has_been_trusted_long_enough(
        self, age: dt.timedelta, *, published: bool, shown: bool
    ) -> None:
        made = NOW + LIFE - RENEWAL
        held = Holding(issue(HOSTS, NOW), waiting=issue(HOSTS, made))
        after = Holding(held.waiting or held.serving, retired=(held.serving.authority,))
        assert advance(held, HOSTS, made + age, published=published) == (after if shown else held)

    def test_what_is_over_is_replaced_at_once_by_what_waits(self) -> None:
        waiting = issue(HOSTS, NOW + 80 * DAY)
        held = Holding(issue(HOSTS, NOW), waiting=waiting)
        assert advance(held, HOSTS, NOW + LIFE, published=False) == Holding(waiting)

    def test_or_by_a_new_one_where_that_is_over_too(self) -> None:
        held = Holding(issue(HOSTS, NOW), waiting=issue(HOSTS, NOW + DAY))
        at = NOW + 2 * LIFE
        found = advance(held, HOSTS, at, published=True)
        assert trusted(found.bundle, found.serving, at)
        assert (found.waiting, found.retired) == (None, ())

    def test_other_names_replace_it_at_once_and_leave_the_authority_trusted(self) -> None:
        held = Holding(issue(HOSTS, NOW), waiting=issue(HOSTS, NOW))
        found = advance(held, ("other.svc",), NOW, published=True)
        assert trusted(found.bundle, found.serving, NOW, "other.svc")
        assert (found.waiting, found.retired) == (None, (held.serving.authority,))


class TestYear:
    def test_whatever_replica_and_api_server_are_a_step_behind_every_handshake_is_trusted(self) -> None:
        """A server may still show what was held a step ago, and an API server know the bundle of a step ago."""
        steps = list(run(200, 6 * HOUR))
        for (_, before), (at, after) in pairwise(steps):
            for bundle in (before.bundle, after.bundle):
                for pair in (before.serving, after.serving):
                    assert trusted(bundle, pair, at), at

    def test_it_is_renewed_every_60_days_and_trusts_at_most_two_authorities(self) -> None:
        held = [found for _, found in run(365)]
        assert len({found.serving.certificate for found in held}) == 365 // 60 + 1
        assert max(found.bundle.count("BEGIN CERTIFICATE") for found in held) == 2

    def test_a_configuration_that_cannot_be_written_delays_the_successor_to_the_last_day(self) -> None:
        held: Holding | None = None
        for hour in range(24 * 91):
            held = advance(held, HOSTS, NOW + hour * HOUR, published=False)
            assert trusted(held.bundle, held.serving, NOW + hour * HOUR)


def test_a_certificate_of_somebody_elses_without_a_name_is_replaced() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hook")])
    found = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + LIFE).sign(key, hashes.SHA256())
    pem = found.public_bytes(serialization.Encoding.PEM).decode()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    held = decoded(encoded(Holding(Pair(pem, secret.decode(), pem))))
    after = advance(held, HOSTS, NOW, published=False)
    assert trusted(after.bundle, after.serving, NOW)
    assert after.retired == (pem,)


HELD = [
    Holding(issue(HOSTS, NOW)),
    Holding(issue(HOSTS, NOW), waiting=issue(HOSTS, NOW)),
    Holding(issue(HOSTS, NOW), retired=(issue(HOSTS, NOW).authority, issue(HOSTS, NOW).authority)),
]
FIRST, SECOND = encoded(HELD[0]), encoded(HELD[1])


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


UNUSABLE: list[tuple[str, Any]] = [
    ("nothing", {}),
    ("empty", {"tls.crt": ""}),
    ("no base64", {"tls.crt": "not base64"}),
    ("no value", FIRST | {"tls.crt": None}),
    ("no certificate", FIRST | {"tls.crt": text(b"no certificate")}),
    ("no text", FIRST | {"tls.crt": text(b"\xff\xfe")}),
    ("no key", FIRST | {"tls.key": text(b"no key")}),
    ("the key of another", FIRST | {"tls.key": SECOND["tls.key"]}),
    ("the authority of another", FIRST | {"ca.crt": SECOND["ca.crt"]}),
    ("a key missing", {name: value for name, value in FIRST.items() if name != "tls.key"}),
    ("a waiting key missing", {name: value for name, value in SECOND.items() if name != "next-tls.key"}),
    ("no retired authority", FIRST | {"retired-ca.crt": text(b"no certificate")}),
]


class TestSecret:
    @pytest.mark.parametrize("held", HELD, ids=["serving", "waiting", "retired"])
    def test_what_is_written_is_read_again(self, held: Holding) -> None:
        assert decoded(encoded(held)) == held

    def test_its_keys_are_those_of_other_certificates_in_secrets(self) -> None:
        assert list(FIRST) == ["tls.crt", "tls.key", "ca.crt"]

    @pytest.mark.parametrize("data", [case[1] for case in UNUSABLE], ids=[case[0] for case in UNUSABLE])
    def test_what_cannot_be_used_counts_as_nothing(self, data: dict[str, str]) -> None:
        assert decoded(data) is None
