"""A certificate authority for tests, and the certificates that real servers get wrong."""

import dataclasses
import datetime as dt
import ipaddress
import itertools
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Certificate:
    """PEM files that a server is started with: the chain it sends (its own first) and its private key."""

    chain_file: Path
    key_file: Path


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclasses.dataclass(frozen=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _name(text: str) -> x509.Name:
    with warnings.catch_warnings():
        # A name of 64 KiB is one of the things that servers get wrong.
        warnings.simplefilter("ignore")
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, _validate=False)])


def _alternative(name: str) -> x509.GeneralName:
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(subject: str, key: Key, issuer: _Issuer | None, days: tuple[float, float]) -> x509.CertificateBuilder:
    """Everything that an authority's and a server's certificate have in common; without an issuer it is self-signed."""
    now = dt.datetime.now(dt.UTC)
    signer = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer.certificate.subject if issuer else _name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY)
        .not_valid_after(now + days[1] * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(name: str, issuer: _Issuer | None) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _signed(name, key, issuer, (-365, 365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return _Issuer(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _unrelated(number: int) -> x509.Certificate:
    return _authority(f"{number}{'x' * 4096}", None).certificate


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


class Authority:
    """A root and one intermediate; `ca_file` is the root in PEM, for `--ca-file`."""

    def __init__(self, directory: Path, name: str = "Test CA") -> None:
        self._directory = directory
        self._file_name = name.lower().replace(" ", "-")
        self._numbers = itertools.count(1)
        self._root = _authority(name, None)
        self._intermediate = _authority(f"{name} intermediate", self._root)
        self.ca_file = directory / f"{self._file_name}.pem"
        self.ca_file.write_bytes(_pem(self._root.certificate))

    def issue(
        self,
        *names: str,
        days: tuple[float, float] = (-1, 30),
        intermediate: bool = False,
        chain: bool = True,
        self_signed: bool = False,
        subject: str = "",
        key: Key | None = None,
        more: int = 0,
    ) -> Certificate:
        """Issue a server certificate for host names, IP addresses and URIs, valid between two days relative to now.

        `days=(-30, -1)` has expired, `days=(1, 30)` is not yet valid. `intermediate` signs it with the intermediate
        authority, which the server sends along unless `chain` is false. `self_signed` leaves this authority out.
        `subject` is the common name, the first name unless given; without names there is no other. `more` certificates
        that have nothing to do with it are sent behind it, of 4 KiB each.
        """
        issuer = None if self_signed else self._intermediate if intermediate else self._root
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _signed(subject or names[0], key, issuer, days)
        if names:
            alternative = x509.SubjectAlternativeName([_alternative(name) for name in names])
            builder = builder.add_extension(alternative, critical=False)
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
        sent = [certificate, *([self._intermediate.certificate] if intermediate and chain else [])]
        return self._written([*sent, *(_unrelated(number) for number in range(more))], key)

    def _written(self, chain: list[x509.Certificate], key: Key) -> Certificate:
        stem = f"{self._file_name}-server-{next(self._numbers)}"
        written = Certificate(self._directory / f"{stem}.pem", self._directory / f"{stem}.key")
        written.chain_file.write_bytes(_pem(*chain))
        written.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return written
