"""Get back: backups, restore without what was revoked since, and undo of one change."""
