"""Templates, styles and scripts of the pages. All are named here, so that a change of one makes the pages again."""

STATIC = (
    *("site.css", "site.js", "viewer.js", "samples.js", "browse.js", "pairs.js", "pictures.js", "poses.js"),
    *("three.min.js", "three.LICENSE", "three.json"),
)
"""Files that stand in the site as they are."""
TEMPLATES = (
    *("base.html", "macros.html", "index.html", "table.html", "method.html", "dataset.html"),
    *("made.html", "pairs.html", "pictures.html", "poses.html"),
)
