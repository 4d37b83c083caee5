"""Files of meshes with other positions: what else they hold stays as it is, byte for byte."""
