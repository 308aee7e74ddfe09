"""People whose accounts live elsewhere: directories and outside logins."""
