"""Tools, how they are found, and what each person keeps about them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, String, Table, Uuid

from skriptoteket.adapters.db.columns import UtcDateTime
from skriptoteket.adapters.db.tables.schema import metadata

professions = Table(
    "professions",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("label_en", String(100), nullable=False),
    Column("label_sv", String(100), nullable=False),
    Column("sort_order", Integer, nullable=False),
)

categories = Table(
    "categories",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("label_en", String(100), nullable=False),
    Column("label_sv", String(100), nullable=False),
    Column("sort_order", Integer, nullable=False),
)

profession_categories = Table(
    "profession_categories",
    metadata,
    Column("profession", ForeignKey("professions.slug", ondelete="CASCADE"), primary_key=True),
    Column("category", ForeignKey("categories.slug"), primary_key=True),
    Column("sort_order", Integer, nullable=False),
)

tools = Table(
    "tools",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", String(128), nullable=False, unique=True),
    Column("title", String(255), nullable=False),
    Column("summary", String(2000), nullable=False),
    Column("title_sv", String(255), nullable=False),
    Column("summary_sv", String(2000), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("is_visible", Boolean, nullable=False),
    Column("first_shown_at", UtcDateTime),
    Column("active_version_id", Uuid),
    Column("draft_head_version_id", Uuid),
    Column("max_parallel", Integer),
    Column("bank_slug", String(128), unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

tool_professions = Table(
    "tool_professions",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("profession", ForeignKey("professions.slug"), primary_key=True),
    Column("place", Integer, nullable=False),
)

tool_categories = Table(
    "tool_categories",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("category", ForeignKey("categories.slug"), primary_key=True),
    Column("place", Integer, nullable=False),
)

tool_slug_aliases = Table(
    "tool_slug_aliases",
    metadata,
    Column("slug", String(128), primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), nullable=False),
)

maintainers = Table(
    "maintainers",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
)

favourites = Table(
    "favourites",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("saved", JSON, nullable=False),
    Column("rev", Integer, nullable=False),
)

trial_settings = Table(
    "trial_settings",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("saved", JSON, nullable=False),
    Column("rev", Integer, nullable=False),
)

seen_instructions = Table(
    "seen_instructions",
    metadata,
    Column("tool_id", ForeignKey("tools.id"), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("instructions_hash", String(64), nullable=False),
)
