"""Draw a bank of poses in which no identity of a dataset intersects itself."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from repose.errors import ReposeError

Body = TypeVar("Body")
_MOST_CANDIDATES_PER_POSE = 40
_MOST_TRIES = 15  # tries at one style before another style is drawn


def fill_bank(
    source: str,
    count: int,
    identities: Iterable[Body],
    suits: Callable[[Body, np.ndarray], bool],
    draw: Callable[[str | None], tuple[str, np.ndarray]],
    progress: Callable[[int, int], None] | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw until `count` poses suit all identities.

    If a pose is refused, its style is drawn again, so that the shares of the styles stay as planned.

    Args:
        source: name of the dataset.
        count: number of poses to find.
        identities: bodies that must suit every pose.
        suits: returns whether a pose (J, 3) suits a body.
        draw: takes a style, or None for any, and returns a style and a pose of it.
        progress: called with (poses accepted, poses wanted) as the work goes on.

    Returns:
        (count, J, 3) float32 rotation vectors, the first at rest; (count,) styles; the number of poses drawn to find
            them.

    Raises:
        ReposeError: too many candidates were drawn.
    """
    bodies, poses, styles = list(identities), list[np.ndarray](), list[str]()
    candidates = refused = 0
    style, pose = draw(None)
    while len(poses) < count:
        if candidates >= _MOST_CANDIDATES_PER_POSE * count:
            raise ReposeError(
                f"only {len(poses)} of {candidates} poses drawn suit all bodies",
                f"{source}: poses",
                "ask for fewer identities or another seed",
            )
        candidates += 1
        unfit = next((place for place, body in enumerate(bodies) if not suits(body, pose)), None)
        if unfit is None:
            poses.append(pose)
            styles.append(style)
            refused = 0
            if progress:
                progress(len(poses), count)
        else:
            # A body that failed is likely to fail again, so it is tested first next time.
            bodies.insert(0, bodies.pop(unfit))
            refused += 1
        style, pose = draw(style if 0 < refused < _MOST_TRIES else None)
    bank, names = np.stack(poses), np.array(styles)
    bank[0], names[0] = 0, "rest"
    return bank, names, candidates
