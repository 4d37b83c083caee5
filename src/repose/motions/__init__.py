"""Motions of open bodies: what each method of a table makes of them, frame by frame, scored against exact truths."""
