"""Motions of open bodies: predicted by each method of a table frame by frame, and scored against exact truths."""
