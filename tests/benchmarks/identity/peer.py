"""The default application of fastapi-users' documentation (SQLAlchemy, SQLite, bearer JWT), settings as shipped.

It runs in an environment of its own and imports nothing of this workspace.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SECRET = "a secret of the benchmark, long enough for HS256"
engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ['BENCH_DATA']}/peer.db")
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """Tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """The user table as documented."""


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """The manager as documented."""

    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with sessions() as opened:
        yield opened


async def database(opened: AsyncSession = Depends(session)) -> AsyncIterator[SQLAlchemyUserDatabase]:
    """The user database."""
    yield SQLAlchemyUserDatabase(opened, User)


async def manager(users: SQLAlchemyUserDatabase = Depends(database)) -> AsyncIterator[UserManager]:
    """The user manager."""
    yield UserManager(users)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


backend = AuthenticationBackend(
    name="jwt",
    transport=BearerTransport(tokenUrl="auth/jwt/login"),
    get_strategy=lambda: JWTStrategy(secret=SECRET, lifetime_seconds=3600),
)
users = FastAPIUsers[User, uuid.UUID](manager, [backend])
read, create, update = schemas.BaseUser[uuid.UUID], schemas.BaseUserCreate, schemas.BaseUserUpdate


def app() -> FastAPI:
    """For ``uvicorn --factory``."""
    made = FastAPI(lifespan=lifespan)
    made.include_router(users.get_auth_router(backend), prefix="/auth/jwt")
    made.include_router(users.get_register_router(read, create), prefix="/auth")
    made.include_router(users.get_users_router(read, update), prefix="/users")
    return made
