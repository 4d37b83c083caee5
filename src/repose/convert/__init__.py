"""Conversion of raw datasets to .obj files and a catalogue."""
