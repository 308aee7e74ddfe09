"""Write a planned release down: versions, floors, change logs, lock, one commit and its tags; or take it back."""
