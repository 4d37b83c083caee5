"""New poses for a body of a user, outside the workflow."""
