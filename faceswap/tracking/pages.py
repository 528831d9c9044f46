"""The addresses of MLflow's pages; nothing of MLflow is imported for them."""

from faceswap.output.redaction import without_user
from faceswap.settings import settings

MACHINE_LEARNING = "workflowType=machine_learning"
"""MLflow 3.17 opens as a tool for language models, without comparison of runs, unless its address says otherwise."""


def page(path: str, server: str = "") -> str:
    """The address of one of MLflow's pages; empty where no server shows any.

    Args:
        path: such as ``experiments/1/runs/…`` or ``models/face-ada/versions/3``.
        server: its address; empty: that of the settings, as browsers reach it.
    """
    uri = server or settings().tracking_pages or settings().tracking
    return f"{without_user(uri).rstrip('/')}/#/{path}?{MACHINE_LEARNING}" if uri.startswith("http") else ""
