"""The facts of a certificate. Imported only where a TLS server is asked: cryptography is slow to load."""

import warnings
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from rtcdiag.evidence import Certificate

_LONGEST_NAME = 256
_MOST_NAMES = 50


def certificate_of(der: bytes | None) -> Certificate | None:
    """Read the facts of a certificate in DER; None where it cannot be read."""
    if der is None:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = tuple(name[:_LONGEST_NAME] for name in _alternative_names(certificate)[:_MOST_NAMES])
        with warnings.catch_warnings():
            # Of names longer than they may be, which would be printed.
            warnings.simplefilter("ignore")
            subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None
    return Certificate(
        subject=subject[:_LONGEST_NAME],
        issuer=issuer[:_LONGEST_NAME],
        names=names,
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
    )


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = [*extension.value.get_values_for_type(x509.DNSName)]
    names += map(str, extension.value.get_values_for_type(x509.IPAddress))
    return tuple(names)


def names_its_issuer(der: bytes | None) -> bool:
    """Tell whether a certificate says where its issuer's can be fetched (RFC 5280 section 4.2.2.1)."""
    if der is None:
        return False
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False
    return any(entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS for entry in access)


def is_for(der: bytes | None, host: str) -> bool | None:
    """Tell whether a certificate bears a host's name or address, as browsers look for it; None where it is unreadable.

    Only alternative names count, and a wildcard stands for exactly one whole label, the first of three or more (RFC
    9525 section 6.3).
    """
    if der is None:
        return None
    try:
        names = _alternative_names(x509.load_der_x509_certificate(der))
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None
    return any(_matches(name, host) for name in names)


def _matches(name: str, host: str) -> bool:
    name, host = name.lower().removesuffix("."), host.lower().removesuffix(".")
    _, dot, parent = host.partition(".")
    wild = bool(dot) and "." in parent and not _is_address(host) and name == f"*.{parent}"
    return wild or name == host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
