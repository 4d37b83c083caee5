"""Contact sheets: small images in rows and columns, with titles and a colour scale."""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw, ImageFont

ERROR_COLOURS = "viridis"
_GAP, _TEXT = 6, 15  # pixels
_INK, _WHITE = (40, 40, 40), (255, 255, 255)


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str] = (),
    row_titles: Sequence[str] = (),
    scale: tuple[float, str] | None = None,
) -> bytes:
    """Put pictures in a grid.

    Args:
        rows: rows of (height, width, 3) uint8 pictures; all one size, rows may be short.
        column_titles: above the columns, one for each or none.
        row_titles: left of the rows, one for each or none; lines are separated by a line feed.
        scale: for pictures in error colours, the largest value shown and its unit.

    Returns:
        The bytes of a PNG file, the same for the same pictures.

    Raises:
        ValueError: there is no picture, or the pictures differ in size.
    """
    sizes = {picture.shape for row in rows for picture in row}
    if len(sizes) != 1:
        raise ValueError(f"a contact sheet needs pictures of one size, not {sorted(sizes)}")
    ((height, width, _),) = sizes
    # matplotlib ships this font, so the sheet looks the same on every machine.
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", _TEXT)
    left = _GAP + max((_text_size(title, font)[0] + _GAP for title in row_titles), default=0)
    top = _GAP + (max(_text_size(title, font)[1] for title in column_titles) + _GAP if column_titles else 0)
    columns = max(len(row) for row in rows)
    foot = 3 * _TEXT + _GAP if scale else 0
    sheet = Image.new(
        "RGB", (left + columns * (width + _GAP), top + len(rows) * (height + _GAP) + foot), _WHITE
    )
    draw = ImageDraw.Draw(sheet)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(Image.fromarray(picture), (left + x * (width + _GAP), top + y * (height + _GAP)))
    for x, title in enumerate(column_titles):
        draw.text((left + x * (width + _GAP) + width / 2, _GAP), title, _INK, font, anchor="ma")
    for y, title in enumerate(row_titles):
        middle = top + y * (height + _GAP) + height / 2
        draw.multiline_text((_GAP, middle - _text_size(title, font)[1] / 2), title, _INK, font)
    if scale:
        _draw_scale(sheet, draw, font, *scale)
    return png(sheet)


def error_colours(errors: np.ndarray, largest: float) -> np.ndarray:
    """Return colours (V, 3) in [0, 1] for errors (V,) from 0 to `largest` (above 0); larger errors are clipped."""
    return colormaps[ERROR_COLOURS](np.clip(errors / largest, 0, 1))[:, :3]


def _draw_scale(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, largest: float, unit: str
) -> None:
    """Draw a colour bar at the bottom of the sheet, right-aligned, from 0 to the largest value."""
    width = min(240, sheet.width - 2 * _GAP)
    ramp = np.round(colormaps[ERROR_COLOURS](np.linspace(0, 1, width))[None, :, :3] * 255).astype(np.uint8)
    x, y = sheet.width - width - _GAP, sheet.height - 3 * _TEXT
    sheet.paste(Image.fromarray(np.repeat(ramp, _TEXT, axis=0)), (x, y))
    draw.text((x, y + _TEXT + 3), "0", _INK, font, anchor="la")
    draw.text((x + width, y + _TEXT + 3), f"{largest:g} {unit} or more", _INK, font, anchor="ra")


def _text_size(text: str, font: ImageFont.FreeTypeFont) -> tuple[float, float]:
    box = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    return box[2], box[3]


def png(image: Image.Image) -> bytes:
    """Return the bytes of a PNG file, which are the same for the same pixels."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
