"""The app over the registry: pictures, videos and the camera through registered versions, in a browser.

Importing the package sets Gradio's environment, before Gradio itself is imported: no calls to the outside, uploads
under the cache folder. What the user has set stays.
"""

import os

from faceswap.settings import settings

for _key, _value in {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",  # it would keep pictures of people in the browser
    "GRADIO_TEMP_DIR": str(settings().cache_path / "app" / "uploads"),
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}.items():
    os.environ.setdefault(_key, _value)
