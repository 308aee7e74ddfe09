"""What may be set for storage; prefix ``STORAGE_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class _DataFolder(BaseSettings):
    """The one setting of the platform that defaults depend on, for programs that run beside the web process."""

    model_config = SettingsConfigDict(env_prefix="FSP_", extra="ignore")
    data_dir: Path = Path("var")


class StorageSettings(BaseSettings):
    """Backends and limits of storage."""

    model_config = SettingsConfigDict(env_prefix="STORAGE_", extra="ignore")

    url: str | None = Field(
        default=None,
        description="Backend of documents: sqlite:///path or memory:. Default: documents.db in FSP_DATA_DIR.",
    )
    blobs_url: str | None = Field(
        default=None, description="Backend of blobs: file:///folder or memory:. Default: folder blobs in FSP_DATA_DIR."
    )

    def resolved_url(self, data_dir: Path | None = None) -> str:
        """The backend of documents, with the default filled in."""
        return self.url or f"sqlite://{self._folder(data_dir) / 'documents.db'}"

    def resolved_blobs_url(self, data_dir: Path | None = None) -> str:
        """The backend of blobs, with the default filled in."""
        return self.blobs_url or f"file://{self._folder(data_dir) / 'blobs'}"

    @staticmethod
    def _folder(data_dir: Path | None) -> Path:
        return (_DataFolder().data_dir if data_dir is None else data_dir).resolve()
