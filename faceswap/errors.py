"""Every error that faceswap raises on purpose.

FaceswapError
├── SettingsError          a setting or an option is wrong or they contradict each other
├── StorageError           a local path or an s3:// prefix can't be read or written
│   ├── UnfinishedSet      a prefix has no marker: it is not, or not yet, whole
│   └── DiskFull           no room is left: what is done stays, the same call goes on once there is
├── MediaError             a picture or a video can't be used
│   ├── UnreadableMedia    corrupt, truncated, or not what its name says
│   └── MediaTooLarge      more pixels than the limit allows
├── FaceError              something about faces in the media
│   ├── NoFaceFound        no usable face at all
│   └── IdentityError      photos of several people, or not the person they should show
├── FaceSetError           a face set is missing, damaged or too small
├── ConsentError           no consent recorded for an identity, or it was withdrawn or has ended
├── ClusterError           the workers of a Dask cluster are lost, or lack what they need
├── AuditError             the audit log is not as it was written
├── CredentialsError       a certificate can't sign, or a file can't be signed
├── TrainingError          training can't start or can't go on
│   ├── DivergedError      the loss is not a number, and rolling back did not help
│   ├── DeviceMemoryError  the GPU's memory does not suffice
│   ├── CheckpointError    a checkpoint can't be written or read
│   └── TrainingCancelled  stopped by the user; the state is saved
├── TrackingError          the MLflow server can't be reached or refuses
└── RegistryError          a version or an alias does not exist or can't be loaded
    └── PromotionRefused   a version does not go to production: a gate, or a person, said no

Each carries what is wrong (with the file or the setting) and, where there is one, the fix; passwords in addresses
are left out.
"""

from collections.abc import Collection
from difflib import get_close_matches

from faceswap.files.names import printable
from faceswap.output.redaction import redacted


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """The fix for a name that is not known: the one that is meant, where one is close, else what would help otherwise.

    Args:
        word: as the user wrote it.
        known: what would be right.
        otherwise: what the user can do where none is close.
    """
    close = get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    meant = next((name for name in known if close and name.lower() == close[0]), "")
    return f"did you mean {meant}?" if meant else otherwise


class FaceswapError(Exception):
    """Base of all errors meant for the user's eyes.

    Args:
        message: what is wrong, naming the file or the setting.
        fix: what the user can do about it, one sentence.
    """

    def __init__(self, message: str, fix: str | None = None) -> None:
        message, fix = printable(redacted(message)), printable(redacted(fix)) if fix else fix
        super().__init__(message, fix)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.fix}" if self.fix else self.message


class SettingsError(FaceswapError):
    """A setting or an option is wrong."""


class StorageError(FaceswapError):
    """A local path or an s3:// prefix can't be read or written."""


class UnfinishedSet(StorageError):
    """A prefix without its marker: what it shall hold is not, or not yet, whole."""


class DiskFull(StorageError):
    """No room is left on a disk; what is done stays, and the same call goes on once there is."""


class MediaError(FaceswapError):
    """A picture or a video can't be used."""


class UnreadableMedia(MediaError):
    """Corrupt, truncated, or not what its name says."""


class MediaTooLarge(MediaError):
    """More pixels than the limit allows."""


class FaceError(FaceswapError):
    """Something about the faces in the media."""


class NoFaceFound(FaceError):
    """No usable face at all."""


class IdentityError(FaceError):
    """The photos show several people, or not the person they should show."""


class FaceSetError(FaceswapError):
    """A face set is missing, damaged or too small."""


class ConsentError(FaceswapError):
    """No consent is recorded for an identity, it was withdrawn, has ended, or does not allow this."""


class ConsentUnknown(ConsentError):
    """Whether a person consents can't be told: no place that knows it answers."""


class ClusterError(FaceswapError):
    """The workers of a Dask cluster are lost, or lack what they need."""


class AuditError(FaceswapError):
    """The audit log is not as it was written."""


class CredentialsError(FaceswapError):
    """A certificate can't sign, or a file can't be signed with it."""


class TrainingError(FaceswapError):
    """Training can't start or can't go on."""


class DivergedError(TrainingError):
    """The loss is not a number, and rolling back did not help."""


class DeviceMemoryError(TrainingError):
    """The memory of the device that trains does not suffice."""


class CheckpointError(TrainingError):
    """A checkpoint can't be written or read."""


class TrainingCancelled(TrainingError):
    """Stopped by the user; the state is saved."""


class TrackingError(FaceswapError):
    """The MLflow server can't be reached or refuses."""


class RegistryError(FaceswapError):
    """A version or an alias does not exist or can't be loaded."""


class PromotionRefused(RegistryError):
    """A version does not go to production: a gate, or a person, said no."""
