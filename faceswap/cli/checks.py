"""What can be said of a command's words before anything heavy is imported: files, face sets, versions."""

from pathlib import Path

from faceswap.errors import FaceSetError, MediaError, RegistryError, did_you_mean
from faceswap.settings import settings

_HEADER = "faceset.json"


def media_exist(*places: str | Path, recorded: bool = True) -> None:
    """Every file or folder is there; s3:// prefixes are taken for granted.

    Args:
        places: of media.
        recorded: their names will be kept in records.

    Raises:
        MediaError: one is not; says what is there with nearly that name.
    """
    for place in map(str, places):
        if not place or place.startswith("s3://"):
            continue
        if recorded:
            recordable(place)
        path = Path(place)
        try:
            if path.exists():
                continue
            beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        except OSError as error:
            raise MediaError(f"{place} can't be read: {error.strerror}", "check the path") from error
        raise MediaError(
            f"There is no file or folder {place}", did_you_mean(path.name, beside, "check the path")
        )


def recordable(place: str | Path) -> None:
    """A path can be kept in records: in MLflow, in Prefect, in what a file says of its origin.

    Raises:
        MediaError: its bytes are no UTF-8, which all of these demand.
    """
    try:
        str(place).encode()
    except UnicodeEncodeError as error:
        raise MediaError(
            f"{place} has a name that is not UTF-8, so no record could name it",
            "rename it; `convmv -f latin1 -t utf8` mends many at once",
        ) from error


def face_sets_exist(*specs: str) -> None:
    """Every name or folder means a face set; what lies in S3 is taken for granted.

    Raises:
        FaceSetError: one does not; says which identity has nearly that name.
    """
    root = settings().face_sets_root
    for spec in specs:
        if spec.startswith("s3://") or Path(spec, _HEADER).exists():
            continue
        if "/" not in spec and (root.startswith("s3://") or any(Path(root, spec).glob(f"*/{_HEADER}"))):
            continue
        known = sorted({one.parent.parent.name for one in Path(root).glob(f"*/*/{_HEADER}")})
        raise FaceSetError(
            f"{spec!r} is neither a face set nor an identity with face sets under {root}",
            did_you_mean(spec, known, "make one with `faceswap preprocess`, or name its folder"),
        )


def identities_exist(*specs: str) -> None:
    """Every NAME, NAME@alias or NAME/3 begins with the name of an identity that has registered versions.

    Raises:
        RegistryError: one does not; says which identity has nearly that name.
    """
    from faceswap.registry import PREFIX, versions

    known = sorted({row.version.name.removeprefix(PREFIX) for row in versions()})
    for spec in specs:
        name = spec.removeprefix("models:/").removeprefix(PREFIX).partition("@")[0].partition("/")[0]
        if name not in known:
            raise RegistryError(
                f"No version is registered for {spec!r} at {settings().tracking}",
                did_you_mean(
                    name, known, f"`faceswap {'models` lists what there is' if known else 'run` trains one'}"
                ),
            )
