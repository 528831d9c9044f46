"""Who confirmed that a target may be edited."""

from faceswap.errors import SettingsError
from faceswap.settings import settings


def require_target_consent(given: str) -> None:
    """Make sure that a swap names somebody, where the settings ask for that.

    Raises:
        SettingsError: nobody is named.
    """
    if settings().require_target_consent and not given.strip():
        raise SettingsError(
            "Nobody is named who confirmed that the target may be edited (FACESWAP_REQUIRE_TARGET_CONSENT)",
            "say who, and by what: --target-consent, or the field below the target in the app",
        )
