"""Where storage stands in the menu."""

from __future__ import annotations

from fastapi_services_platform import MenuEntry

MENU = (MenuEntry("Storage", "/admin/storage", "storage.backends.read", order=800, icon="storage", section="Platform"),)
