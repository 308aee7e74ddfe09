"""The door."""

import alembic
import fastapi
import pydantic
import pydantic_settings
import sqlalchemy

LIBRARIES = (alembic, fastapi, pydantic, pydantic_settings, sqlalchemy)
