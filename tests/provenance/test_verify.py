"""What a file tells of its origin: whole, tampered with in each way, stripped, by others, or not at all."""

import datetime as dt
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from PIL import Image

from faceswap.errors import CredentialsError
from faceswap.jobs.verify_job import verify_file
from faceswap.media.images import read_image, write_image, write_picture
from faceswap.media.pictures import Picture, Still
from faceswap.media.video.writing import VideoWriter
from faceswap.provenance import content_credentials, credentials, watermark
from faceswap.provenance.metadata import Provenance
from faceswap.provenance.verify import Finding
from faceswap.settings import settings
from tests.swap.fakes import smooth_noise

ORIGIN = Provenance("ada", "face-ada", "7", "run-1", consent="0123 since 2026-01-01")


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    rng = np.random.default_rng(1)
    noisy = smooth_noise(256, 320).astype(np.int16) + rng.normal(0, 4, (256, 320, 3)).astype(np.int16)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def test_a_signed_file_is_whole_and_says_by_whom_and_from_what(tmp_path: Path, pixels: np.ndarray) -> None:
    target = tmp_path / "target.png"
    write_image(target, pixels)

    for suffix in (".png", ".jpg", ".webp", ".avif", ".tif"):
        path = tmp_path / f"a{suffix}"
        marked = watermark.mark(pixels)
        write_picture(path, Picture((Still(pixels),)), [marked], metadata=ORIGIN, target=target)
        found = verify_file(path)
        assert (found.finding, found.known, found.changed) == (Finding.SIGNED, True, ())
        assert found.strength > watermark.THRESHOLD
        said = content_credentials.read(path)
        assert said is not None
        active = said["manifests"][said["active_manifest"]]
        assert [one["relationship"] for one in active["ingredients"]] == ["parentOf"]
        (statement,) = (one["data"] for one in active["assertions"] if one["label"] == "org.faceswap.swap")
        digest = subprocess.run(["sha256sum", target], capture_output=True, text=True, check=True).stdout
        assert statement["target_sha256"] == digest.split()[0]
        assert "target.png" not in str(said), "a file's name may say whom it shows"


def test_tampering_shows_in_pixels_metadata_statement_and_signature(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    path = tmp_path / "a.jpg"  # without checksums of its own
    write_image(path, watermark.mark(pixels), metadata=ORIGIN)
    whole = path.read_bytes()
    places = {
        "pixels": len(whole) - 500,
        "metadata": whole.index(b"not a recording"),
        "statement": whole.index(b"hface-ada") + 4,
        "signature": whole.index(b"faceswap development"),
    }
    for what, place in places.items():
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        found = verify_file(path)
        assert (found.finding, found.known) == (Finding.ALTERED, False), what
        assert found.changed, what
    path.write_bytes(whole)
    assert verify_file(path).finding is Finding.SIGNED


def test_stripped_files_are_known_by_their_pixels_or_their_metadata_and_none_is_called_real(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    bare = tmp_path / "bare.png"
    Image.fromarray(pixels).save(bare)
    assert verify_file(bare).finding is Finding.NOTHING
    Image.fromarray(watermark.mark(pixels)).save(tmp_path / "marked.jpg", quality=70)
    assert verify_file(tmp_path / "marked.jpg").finding is Finding.MARKED
    unmarked = replace(ORIGIN, options={"watermark": False})
    write_image(tmp_path / "signed.jpg", pixels, metadata=unmarked)
    with Image.open(tmp_path / "signed.jpg") as image:
        image.save(tmp_path / "labelled.jpg", exif=image.info["exif"])
    assert verify_file(tmp_path / "labelled.jpg").finding is Finding.LABELLED
    for finding in Finding:
        assert "real" not in finding.value


def test_several_pages_or_frames_of_tiff_and_avif_are_not_signed_but_marked_and_labelled(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    images = [watermark.mark(pixels), watermark.mark(pixels[::-1].copy())]
    for suffix, milliseconds in ((".tif", 0.0), (".avif", 40.0)):
        path = tmp_path / f"a{suffix}"
        stills = tuple(Still(image, milliseconds=milliseconds) for image in images)
        write_picture(path, Picture(stills), images, metadata=ORIGIN)
        with Image.open(path) as image:
            assert image.n_frames == 2
        found = verify_file(path)
        assert (found.finding, found.changed) == (Finding.MARKED, ())
        assert found.record is not None
        stripped = tmp_path / f"stripped{suffix}"
        Image.fromarray(read_image(path)).save(stripped)
        assert verify_file(stripped).finding is Finding.MARKED


def test_a_video_is_signed_and_a_changed_byte_shows(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=320, height=256, fps=25, metadata=ORIGIN) as writer:
        for _ in range(10):
            writer.write(watermark.mark(pixels))
    found = verify_file(path)
    assert (found.finding, found.strength > watermark.THRESHOLD) == (Finding.SIGNED, True)
    data = bytearray(path.read_bytes())
    data[len(data) - 40] ^= 1
    path.write_bytes(bytes(data))
    assert verify_file(path).finding is Finding.ALTERED
    with VideoWriter(tmp_path / "a.mkv", width=320, height=256, fps=25, metadata=ORIGIN) as writer:
        writer.write(watermark.mark(pixels))
    assert verify_file(tmp_path / "a.mkv").finding is Finding.MARKED


def test_anothers_certificate_is_unknown_until_its_root_is_trusted(
    tmp_path: Path, home: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    write_image(path, pixels, metadata=ORIGIN)
    root = shutil.copy(home / "credentials" / "trusted" / "development-root.pem", tmp_path / "root.pem")
    monkeypatch.setenv("FACESWAP_CREDENTIALS", str(tmp_path / "others"))
    settings.cache_clear()
    credentials.current()
    found = verify_file(path)
    assert (found.finding, found.known) == (Finding.SIGNED, False)
    assert "not known" in found.details[0]
    assert credentials.trust(Path(root)) == 1
    assert verify_file(path).known


def test_a_clock_before_the_certificate_signs_nothing(
    tmp_path: Path, home: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = credentials.current()
    key = serialization.load_pem_private_key(made.key.encode(), None)
    one = made.certificate
    for shift, words in ((10, "is valid from"), (-4000, "ended on")):
        moved = (
            x509.CertificateBuilder()
            .subject_name(one.subject)
            .issuer_name(one.subject)
            .public_key(one.public_key())
            .serial_number(1)
            .not_valid_before(one.not_valid_before_utc + dt.timedelta(days=shift))
            .not_valid_after(one.not_valid_after_utc + dt.timedelta(days=shift))
            .sign(key, hashes.SHA256())  # type: ignore[arg-type]
        )
        (tmp_path / "c.pem").write_bytes(moved.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "k.pem").write_text(made.key)
        with pytest.raises(CredentialsError, match=words):
            credentials.use(tmp_path / "c.pem", tmp_path / "k.pem")
    (home / "credentials" / "chain.pem").write_bytes(moved.public_bytes(serialization.Encoding.PEM))
    (home / "credentials" / "about.json").write_text('{"development": false}')
    with pytest.raises(CredentialsError, match="ended on"):
        write_image(tmp_path / "a.png", pixels, metadata=ORIGIN)
    assert not (tmp_path / "a.png").exists()
    assert (home / "credentials" / "key.pem").stat().st_mode & 0o077 == 0


def attacked(image: np.ndarray) -> dict[str, np.ndarray]:
    def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(data, cv2.IMREAD_COLOR)

    height, width = image.shape[:2]
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    page = np.full((height + 90, width + 170, 3), 244, np.uint8)
    shown = cv2.resize(image, None, fx=0.87, fy=0.87)
    page[31 : 31 + shown.shape[0], 57 : 57 + shown.shape[1]] = shown
    return {
        "quality 70": jpeg(image, 70),
        "half the size": jpeg(half, 70),
        "a quarter": image[height // 2 :, width // 2 :],
        "a screenshot": jpeg(page, 90),
        "mirrored": image[:, ::-1],
    }


def test_the_mark_survives_what_platforms_do_and_is_not_seen_where_it_is_not(pixels: np.ndarray) -> None:
    large = np.tile(pixels, (2, 2, 1))[:480, :640]
    large = np.clip(large + smooth_noise(480, 640, 3) * 0.3, 0, 255).astype(np.uint8)
    marked = watermark.mark(large)
    error = ((marked.astype(float) - large) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 40, "dB: all of this picture is busy"
    for what, picture in attacked(marked).items():
        assert watermark.read([np.ascontiguousarray(picture)]).found, what
    assert not watermark.read([large]).found


def test_a_renamed_file_keeps_its_signature_and_shows_its_alteration(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    write_image(tmp_path / "a.jpg", pixels, metadata=ORIGIN)
    whole = (tmp_path / "a.jpg").read_bytes()
    for name in ("b.jfif", "b.png", "b.bmp"):
        (tmp_path / name).write_bytes(whole)
        assert verify_file(tmp_path / name).finding is Finding.SIGNED
        (tmp_path / name).write_bytes(whole + b"more")
        assert verify_file(tmp_path / name).finding is Finding.ALTERED
    write_image(tmp_path / "a.avif", pixels, metadata=ORIGIN)
    shutil.copy(tmp_path / "a.avif", tmp_path / "a.mp4")
    assert verify_file(tmp_path / "a.mp4").finding is Finding.SIGNED


def test_credentials_of_one_file_do_not_vouch_for_another(tmp_path: Path, pixels: np.ndarray) -> None:
    write_image(tmp_path / "a.jpg", pixels, metadata=ORIGIN)
    Image.fromarray(pixels[::-1]).save(tmp_path / "b.jpg")
    signed, other = ((tmp_path / name).read_bytes() for name in ("a.jpg", "b.jpg"))
    segments, place = b"", 2
    while signed[place + 1] != 0xDA:  # until the pixels begin
        end = place + 2 + int.from_bytes(signed[place + 2 : place + 4])
        segments += signed[place:end] if signed[place + 1] == 0xEB else b""
        place = end
    assert b"c2pa" in segments
    (tmp_path / "c.jpg").write_bytes(other[:2] + segments + other[2:])
    assert verify_file(tmp_path / "c.jpg").finding is Finding.ALTERED


def test_a_certificate_that_ended_since_casts_doubt_and_says_nothing_of_the_pixels(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a.png", pixels, metadata=ORIGIN)
    said = content_credentials.read(tmp_path / "a.png")
    assert said is not None
    failures = said["validation_results"]["activeManifest"].setdefault("failure", [])
    failures.append(
        {"code": "signingCredential.expired"}
    )  # as c2pa says it a day after the certificate's last one
    monkeypatch.setattr(content_credentials, "read", lambda _: said)
    found = verify_file(tmp_path / "a.png")
    assert (found.finding, found.known, found.changed) == (Finding.SIGNED, False, ())
    assert any("has ended" in line for line in found.details)
    failures.append({"code": "assertion.dataHash.mismatch"})
    assert verify_file(tmp_path / "a.png").finding is Finding.ALTERED


def test_credentials_that_lie_in_the_network_are_not_asked_for_and_nothing_counts_as_altered(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
        'dcterms:provenance="https://credentials.example/1"/></rdf:RDF></x:xmpmeta>'
    )
    Image.fromarray(pixels).save(tmp_path / "a.jpg", xmp=packet.encode())
    found = verify_file(tmp_path / "a.jpg")
    assert found.finding is Finding.NOTHING
    assert any("credentials.example" in line for line in found.details)


def test_a_mark_in_one_frame_of_a_video_is_found(tmp_path: Path, pixels: np.ndarray) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=320, height=256, fps=25) as writer:
        for number in range(50):
            moved = np.roll(pixels, 3 * number, 1)
            writer.write(watermark.mark(moved) if 18 <= number < 28 else moved)
    assert verify_file(tmp_path / "a.mp4").finding is Finding.MARKED


def test_a_mark_in_later_frames_or_pages_is_found(tmp_path: Path, pixels: np.ndarray) -> None:
    frames = [Image.fromarray(one) for one in (pixels, pixels[:, ::-1], watermark.mark(pixels))]
    for name in ("a.webp", "a.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], quality=90)
        assert verify_file(tmp_path / name).finding is Finding.MARKED
