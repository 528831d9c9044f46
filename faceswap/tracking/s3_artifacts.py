"""MLflow's artifacts in S3: how its own client gets the settings, and what it lets through when S3 refuses.

Without MLflow's import: ``faceswap up`` gives the same environment to the servers.
"""

import os

from faceswap.settings import settings

FIX = (
    "check FACESWAP_S3_ENDPOINT_URL, …_ACCESS_KEY_ID and …_SECRET_ACCESS_KEY, and that the S3 server runs; "
    "what was computed so far is kept, resume it"
)


def s3_environment() -> dict[str, str]:
    """The environment variables with which MLflow finds the settings' S3; none that the user has set."""
    own, found = settings(), {}
    if own.s3_endpoint_url:
        found["MLFLOW_S3_ENDPOINT_URL"] = own.s3_endpoint_url
    if own.s3_endpoint_url or "s3_region" in own.model_fields_set:
        found["AWS_DEFAULT_REGION"] = own.s3_region
    names = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
    if own.s3_access_key_id and not any(name in os.environ for name in names):  # a pair, never mixed
        keys = own.s3_access_key_id, own.s3_secret_access_key.get_secret_value()
        found |= dict(zip(names, keys, strict=True))
    return {name: value for name, value in found.items() if name not in os.environ}


def s3_errors() -> tuple[type[Exception], ...]:
    """What boto3 raises; ask for it only once something was raised, its import takes time."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return Boto3Error, BotoCoreError, ClientError
