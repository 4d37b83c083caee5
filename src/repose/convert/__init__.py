"""Raw datasets become .obj files and a catalogue."""
