"""What may be set about the script library, prefix ``SKRIPTOTEKET_``."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from skriptoteket.core.roles import Strength

_FEWEST_USERS = 16


class SkriptoteketSettings(BaseSettings):
    """Read once in ``manifest/container.py`` and passed down."""

    model_config = SettingsConfigDict(
        env_prefix="SKRIPTOTEKET_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database_url: str | None = Field(
        None, description="Database of the library; unset: FSP_DATABASE_URL, else a SQLite file."
    )
    listen_url: SecretStr | None = Field(
        None,
        description="PostgreSQL itself, for workers that reach DATABASE_URL through a pooler; unset: DATABASE_URL.",
    )
    state_dir: Path | None = Field(
        None, description="Folder of the worker's socket and lock; unset: FSP_DATA_DIR/skriptoteket."
    )
    blob_namespace: str = Field("skriptoteket", description="Namespace of uploads and results in the blob store.")
    environments: tuple[str, ...] = Field(
        ("standard@1",), min_length=1, description="Environments that versions may choose, as JSON list."
    )
    require: tuple[str, ...] = Field((), description="Capabilities every run needs beyond the default, as JSON list.")
    environments_dir: Path | None = Field(
        None,
        description="Folder with one folder of packages per environment (standard@1/…); unset: scripts have the "
        "standard library only.",
    )
    runner: Literal["auto", "zygote", "bubblewrap", "container"] = Field(
        "auto", description="How scripts are isolated; auto takes the first of the others that works here."
    )
    slots_per_environment: int = Field(2, ge=0, le=64, description="Waiting slots that a zygote keeps.")
    zygote_max_runs: int = Field(1000, ge=1, description="Runs after which a zygote gives way to a fresh one.")
    zygote_max_minutes: int = Field(60, ge=1, description="Minutes after which a zygote gives way to a fresh one.")
    slot_uid_range: str = Field(
        "61000-61511",
        pattern=r"^[0-9]{4,9}-[0-9]{4,9}$",
        description="Users of the host that scripts run as when the worker is root; nobody else's.",
    )
    container_url: str | None = Field(
        None,
        pattern=r"^unix:///.+",
        description="Socket of Docker or Podman (unix:///run/docker.sock), for the worker only; unset: no containers.",
    )
    container_image: str = Field(
        "localhost/skriptoteket-runner", description="Name of the images of environments; the environment is the tag."
    )
    container_runtime: str | None = Field(
        None, description="Runtime of containers (crun, runsc); unset: the engine's own."
    )
    worker_memory_budget_mib: int = Field(
        0, ge=0, description="Memory that runs may use together; 0: 60 % of the host's."
    )
    worker_cpu_slots: int = Field(0, ge=0, description="Runs at once; 0: two per core.")
    drain_seconds: int = Field(60, ge=0, description="How long a stopping worker lets runs finish.")
    lease_seconds: int = Field(30, ge=3, description="How long a claim holds without a heartbeat.")
    heartbeat_seconds: float = Field(5, gt=0, description="How often a worker says that it is alive.")
    max_tries: int = Field(2, ge=1, le=10, description="Starts of an idempotent run before it counts as lost.")
    max_queue_depth: int = Field(500, ge=1, description="Runs that may wait altogether.")
    max_queued_per_user: int = Field(10, ge=1, description="Runs that may wait for one user.")
    max_active_per_user: int = Field(3, ge=1, description="Runs of one user at once.")
    queue_deadline_seconds: int = Field(900, ge=1, description="How long a run may wait before it is given up.")
    limit_wall_seconds: int = Field(120, ge=1, le=900, description="Seconds that a run may take.")
    limit_sandbox_wall_seconds: int = Field(60, ge=1, le=900, description="Seconds that a trial may take.")
    limit_memory_mib: int = Field(512, ge=64, le=2048, description="Megabytes of memory of a run, its files included.")
    limit_processes: int = Field(64, ge=1, le=256, description="Processes and threads of a run.")
    limit_workspace_mib: int = Field(256, ge=1, le=1024, description="Megabytes of a run's working space.")
    limit_tmp_mib: int = Field(64, ge=1, le=1024, description="Megabytes of a run's /tmp.")
    limit_shm_mib: int = Field(32, ge=1, le=1024, description="Megabytes of a run's /dev/shm.")
    limit_file_mib: int = Field(64, ge=1, le=1024, description="Megabytes of the biggest file that a run may write.")
    limit_artifact_count: int = Field(50, ge=1, le=1000, description="Files that a run may leave.")
    limit_artifact_mib: int = Field(64, ge=1, le=1024, description="Megabytes of one file that is left.")
    limit_artifacts_total_mib: int = Field(128, ge=1, le=4096, description="Megabytes of all files that are left.")
    limit_cpu: float = Field(1.0, ge=0.1, le=2.0, description="Cores of a run.")
    limit_wall_seconds_ceiling: int = Field(900, ge=1, le=900, description="Most seconds that a version may ask for.")
    limit_memory_mib_ceiling: int = Field(
        2048, ge=1, le=2048, description="Most megabytes of memory that a version may ask for."
    )
    limit_processes_ceiling: int = Field(256, ge=1, le=256, description="Most processes that a version may ask for.")
    limit_workspace_mib_ceiling: int = Field(
        1024, ge=1, le=1024, description="Most megabytes of working space that a version may ask for."
    )
    limit_cpu_ceiling: float = Field(2.0, ge=0.1, le=2.0, description="Most cores that a version may ask for.")
    lane_weights: dict[Literal["interactive", "sandbox", "scheduled"], Annotated[int, Field(ge=1, le=100)]] = Field(
        {"interactive": 8, "sandbox": 4, "scheduled": 1},
        description="How often each lane of the queue is served, as JSON object; none starves.",
    )
    upload_max_files: int = Field(20, ge=1, le=100, description="Files in one submission.")
    upload_max_file_mb: int = Field(20, ge=1, description="Megabytes of one file.")
    upload_max_total_mb: int = Field(50, ge=1, description="Megabytes of all files of a submission.")
    four_eyes: Literal["off", "publish", "publish_and_rollback"] = Field(
        "off", description="Which decisions need somebody who did not write or submit the version."
    )
    publish_assurance: Strength = Field(
        "mail", description="How surely whoever publishes or rolls back must have proved who they are; mail: as always."
    )
    require_sandbox_success: bool = Field(
        False, description="Whether a version must have succeeded in the sandbox before it can be submitted."
    )
    retain_inputs_hours: int = Field(
        24, ge=0, description="Hours that uploads of sandbox runs are kept; others go at the end."
    )
    retain_sessions_hours: int = Field(
        24, ge=1, description="Hours that the state of an interactive tool is kept after its last use."
    )
    retain_snapshots_hours: int = Field(24, ge=1, description="Hours that unsaved text is kept after it was tried.")
    retain_artifacts_days: int = Field(7, ge=0, description="Days that output files are kept.")
    retain_logs_days: int = Field(14, ge=0, description="Days that logs are kept.")
    retain_results_days: int = Field(90, ge=0, description="Days that results and input values are kept.")
    retain_runs_days: int = Field(400, ge=0, description="Days that the record of a run is kept.")
    install_bank: bool = Field(
        True, description="Whether the first start installs the taxonomy and the tools that ship."
    )
    timezone: str = Field("Europe/Stockholm", description="Time zone of dates that people read, and of scripts.")
    default_locale: Literal["en", "sv"] = Field("en", description="Language for those who chose none.")

    @field_validator("timezone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("must be the name of a time zone, such as Europe/Stockholm")
        return name

    @field_validator("listen_url")
    @classmethod
    def _listens_to_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgresql+asyncpg://")):
            raise ValueError("must be postgresql://user:password@host/database; only PostgreSQL has LISTEN")
        return url

    @model_validator(mode="after")
    def _lease_outlives_heartbeats(self) -> Self:
        if self.lease_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("lease_seconds: must be at least three times heartbeat_seconds")
        return self

    @model_validator(mode="after")
    def _range_has_users(self) -> Self:
        if len(self.slot_uids) < _FEWEST_USERS:
            raise ValueError(f"slot_uid_range: must have at least {_FEWEST_USERS} users, the first before the last")
        return self

    @property
    def slot_uids(self) -> range:
        """The users of ``slot_uid_range``."""
        first, last = (int(part) for part in self.slot_uid_range.split("-"))
        return range(first, last + 1)
