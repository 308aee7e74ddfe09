"""The platform as an ASGI application, for servers that you bring yourself; ``fsp run`` needs no such file."""

from fastapi_services_platform import create_app

app = create_app()
