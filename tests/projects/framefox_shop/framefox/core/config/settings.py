"""A stand-in for the framework's settings: the URL as text, or in parts, as its own class gives it."""

import os
from types import SimpleNamespace
from urllib.parse import urlsplit


class Settings:
    @property
    def database_url(self):
        url = os.environ["DATABASE_URL"]
        if os.environ.get("URL_IN_PARTS") != "1":
            return url
        parts = urlsplit(url)
        return SimpleNamespace(
            driver=parts.scheme,
            username=parts.username,
            password=parts.password or "",
            host=parts.hostname,
            port=parts.port,
            database=parts.path.removeprefix("/"),
        )
