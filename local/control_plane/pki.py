"""Keys and certificates of one control plane, made once and kept in its `pki/` folder."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# For a throw-away control plane on loopback: longer than any workspace lives, so nothing renews.
_LIFETIME = dt.timedelta(days=3650)
_BACKDATED = dt.timedelta(hours=1)  # a clock that is set back does not make certificates invalid

# First address of the service range 10.96.0.0/16: what pods would reach the API server by.
SERVICE_RANGE = "10.96.0.0/16"
_HOSTS = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_ADDRESSES = ("127.0.0.1", "10.96.0.1")

# Client certificates: file name -> (common name, group). The names are those of Kubernetes' own RBAC.
_CLIENTS = {
    "admin": ("day2-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
}


@dataclass(frozen=True)
class Pki:
    """Paths below one folder: `<name>.crt` and `<name>.key`, PEM."""

    folder: Path

    def certificate(self, name: str) -> Path:
        """Of ca, server, admin, controller-manager; etcd-ca, etcd, etcd-client; front-proxy(-ca)."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Private key of a certificate, or `service-account` (signs the tokens)."""
        return self.folder / f"{name}.key"

    @property
    def service_account_public_key(self) -> Path:
        """What verifies service-account tokens."""
        return self.folder / "service-account.pub"


def ensure_pki(folder: Path) -> Pki:
    """Make what is missing; a complete set stays as it is.

    The folder appears by one rename, so an interrupted run leaves no half set.
    """
    pki = Pki(folder)
    if folder.is_dir():
        return pki
    partial = Pki(folder.with_name(f"{folder.name}.partial"))
    partial.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    ca_key = _make_ca(partial, "ca", "day2-ca")
    _issue(partial, "server", "kube-apiserver", ca="ca", ca_key=ca_key, server=True)
    for name, (common_name, group) in _CLIENTS.items():
        _issue(partial, name, common_name, ca="ca", ca_key=ca_key, group=group)

    # etcd trusts nobody but its own API server: a CA of its own, per region.
    etcd_ca_key = _make_ca(partial, "etcd-ca", "day2-etcd-ca")
    _issue(partial, "etcd", "etcd", ca="etcd-ca", ca_key=etcd_ca_key, server=True)
    _issue(partial, "etcd-client", "kube-apiserver", ca="etcd-ca", ca_key=etcd_ca_key)

    # Whoever holds a front-proxy certificate may say who a user is, so it has a CA of its own too.
    proxy_ca_key = _make_ca(partial, "front-proxy-ca", "day2-front-proxy-ca")
    _issue(partial, "front-proxy", "front-proxy-client", ca="front-proxy-ca", ca_key=proxy_ca_key)

    # RSA, because AWS verifies web identity tokens by RS256 only.
    signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(partial.key("service-account"), signing_key)
    partial.service_account_public_key.write_bytes(
        signing_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    partial.folder.rename(folder)
    return pki


def _make_ca(pki: Pki, name: str, common_name: str) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(common_name)
    certificate = (
        _builder(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(pki, name, key, certificate)
    return key


def _issue(
    pki: Pki,
    name: str,
    common_name: str,
    *,
    ca: str,
    ca_key: ec.EllipticCurvePrivateKey,
    group: str = "",
    server: bool = False,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(pki.certificate(ca).read_bytes()).subject
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(_subject(common_name, group), issuer, key)
    if server:
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in _HOSTS]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(pki, name, key, certificate)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _LIFETIME)
    )


def _subject(common_name: str, group: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if group:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(pki: Pki, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    _write_key(pki.key(name), key)
    pki.certificate(name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
