"""What each person keeps about a tool: settings, and which instructions were seen."""
