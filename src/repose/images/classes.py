"""What the numbers of label maps and of visibility maps stand for."""

LABELS = ("background", "head", "torso", "left arm", "right arm", "left leg", "right leg")
"""Of a label map: background, then the parts of the body."""
VISIBLE, HIDDEN, BACKGROUND = range(3)
"""Of a pixel of the target: body that the source shows too, body that it does not, no body."""
