"""The certificate that content credentials are signed with: a team's own, or a development one made at first use.

Below the home folder (or ``FACESWAP_CREDENTIALS``): ``chain.pem`` (the signing certificate first), ``key.pem``, which
only its owner can read, ``about.json``, and ``trusted/*.pem``: roots whose signatures `faceswap verify` knows. A
development certificate is signed by a root that nobody else knows: elsewhere its signatures count as whole, but as by
somebody unknown.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock
from pydantic import BaseModel

from faceswap.errors import CredentialsError
from faceswap.files.atomic import replacing, write_text
from faceswap.settings import settings

logger = logging.getLogger(__name__)
_DAYS = 3 * 365
"""For which a development certificate is valid."""
_CHAIN, _KEY, _ABOUT, _TRUSTED, _ROOT = (
    "chain.pem",
    "key.pem",
    "about.json",
    "trusted",
    "development-root.pem",
)
_SIZES = {256: "es256", 384: "es384", 521: "es512"}


class About(BaseModel):
    """What is known of a certificate besides itself."""

    development: bool
    timestamps: str = ""
    """Address of a time-stamping authority; empty: none is asked, and nothing leaves the machine."""


@dataclass(frozen=True)
class Credentials:
    """A certificate with its key, ready to sign."""

    chain: str
    key: str
    about: About

    @property
    def certificate(self) -> x509.Certificate:
        """The one that signs."""
        return x509.load_pem_x509_certificates(self.chain.encode())[0]

    @property
    def algorithm(self) -> str:
        """How C2PA names what the key signs by.

        Raises:
            CredentialsError: it is a kind of key that C2PA does not know.
        """
        key = serialization.load_pem_private_key(self.key.encode(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size in _SIZES:
            return _SIZES[key.curve.key_size]
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return "ed25519"
        if isinstance(key, rsa.RSAPrivateKey):
            return "ps256"
        raise CredentialsError("This kind of key can't sign content credentials", "use an ECDSA key, P-256")

    @property
    def subject(self) -> str:
        """Whom the certificate names."""
        return self.certificate.subject.rfc4514_string()


def folder() -> Path:
    """Where certificate and key lie."""
    given = settings().credentials
    return Path(given).expanduser().resolve() if given else settings().home_path / "credentials"


def current() -> Credentials:
    """The certificate to sign with; a development certificate is made where there is none, and said.

    Raises:
        CredentialsError: it can't be read, does not fit its key, or has ended.
    """
    place = folder()
    try:
        if not (place / _ABOUT).exists():
            place.mkdir(parents=True, exist_ok=True)
            with FileLock(place / "lock"):
                if not (place / _ABOUT).exists():
                    _make_development(place)
        found = _read(place)
        if found.about.development and _ended(found):
            with FileLock(place / "lock"):
                _make_development(place)
            found = _read(place)
    except (OSError, ValueError, TypeError) as error:
        raise CredentialsError(
            f"The certificate in {place} can't be used: {error}",
            "`faceswap credentials use` takes another, `faceswap credentials reset` makes a development one",
        ) from error
    _check(found, str(place))
    return found


def use(chain: Path, key: Path, timestamps: str = "") -> Credentials:
    """Sign with a team's certificate from now on.

    Args:
        chain: PEM, the signing certificate first, then those up to the root's.
        key: PEM without a password.
        timestamps: address of a time-stamping authority; empty: none.

    Raises:
        CredentialsError: they can't be read, don't fit each other, are not valid now, or C2PA does not take them.
    """
    try:
        text, secret = chain.read_text(), key.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{chain} or {key} can't be read: {error}", "name PEM files") from error
    found = Credentials(text, secret, About(development=False, timestamps=timestamps))
    _check(found, str(chain))
    _write(folder(), found)
    last = x509.load_pem_x509_certificates(text.encode())[-1]
    if last.subject == last.issuer:
        trust_pem(last.public_bytes(serialization.Encoding.PEM).decode(), "own-root.pem")
    return found


def reset() -> Credentials:
    """Make a new development certificate and sign with it; the roots that are trusted stay."""
    _make_development(folder())
    return current()


def trust(file: Path) -> int:
    """Know the signatures of another's root from now on; returns how many certificates the file holds.

    Raises:
        CredentialsError: it holds none.
    """
    try:
        text = file.read_text()
        found = x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise CredentialsError(f"{file} holds no certificate: {error}", "name a PEM file") from error
    trust_pem(text, f"{found[0].fingerprint(hashes.SHA256()).hex()[:16]}.pem")
    return len(found)


def trust_pem(text: str, name: str) -> None:
    """Keep a root among those that are known."""
    write_text(folder() / _TRUSTED / name, text)


def trusted() -> str:
    """All roots that are known, as PEM."""
    return "\n".join(file.read_text() for file in sorted((folder() / _TRUSTED).glob("*.pem")))


def _read(place: Path) -> Credentials:
    about = About.model_validate_json((place / _ABOUT).read_bytes())
    return Credentials((place / _CHAIN).read_text(), (place / _KEY).read_text(), about)


def _ended(found: Credentials) -> bool:
    return dt.datetime.now(dt.UTC) > found.certificate.not_valid_after_utc


def _check(found: Credentials, place: str) -> None:
    try:
        certificate = found.certificate
        key = serialization.load_pem_private_key(found.key.encode(), None)
    except (ValueError, TypeError, IndexError) as error:
        raise CredentialsError(
            f"The certificate or key of {place} can't be read: {error}",
            "give PEM, the key without a password",
        ) from error
    public = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*public) != certificate.public_key().public_bytes(*public):
        raise CredentialsError(f"The key of {place} is not that of its certificate", "give the pair")
    now = dt.datetime.now(dt.UTC)
    if now < certificate.not_valid_before_utc:
        raise CredentialsError(
            f"The certificate of {place} is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on, "
            f"and the clock says {now:%Y-%m-%d %H:%M}",
            "set the clock right, or wait",
        )
    if _ended(found):
        raise CredentialsError(
            f"The certificate of {place} ended on {certificate.not_valid_after_utc:%Y-%m-%d}",
            "take a new one with `faceswap credentials use`",
        )
    _ = found.algorithm


def _write(place: Path, found: Credentials) -> None:
    place.mkdir(parents=True, exist_ok=True)
    write_text(place / _CHAIN, found.chain)
    with replacing(place / _KEY) as part:
        part.touch(0o600)
        part.write_text(found.key)
    write_text(place / _ABOUT, found.about.model_dump_json(indent=1))


def _make_development(place: Path) -> None:
    """A root and a signing certificate below it (ES256), with what C2PA asks of both."""
    start = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = (
        x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "faceswap development"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"faceswap development {what}"),
            ]
        )
        for what in ("root", "certificate")
    )

    def certificate(
        subject: x509.Name, public: ec.EllipticCurvePublicKey, authority: bool
    ) -> x509.Certificate:
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if not authority:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            made = made.add_extension(usage, critical=False)
        return made.sign(root_key, hashes.SHA256())

    root = certificate(root_name, root_key.public_key(), authority=True)
    leaf = certificate(name, key.public_key(), authority=False)
    root_pem, leaf_pem = (one.public_bytes(serialization.Encoding.PEM).decode() for one in (root, leaf))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    trust_pem(root_pem, _ROOT)
    _write(place, Credentials(leaf_pem + root_pem, secret, About(development=True)))
    logger.info(
        "Outputs are signed with a development certificate, made now in %s: elsewhere nobody knows it. "
        "`faceswap credentials use` takes your team's",
        place,
    )
