"""A headless Chromium, spoken to over pipes in its DevTools protocol."""

import base64
import contextlib
import fcntl
import io
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60  # seconds


class Browser:
    """One page. What goes wrong on it, and what it asks for, is noted."""

    def __init__(self, commands: int, answers: int):
        self._commands, self._answers, self._rest, self._count = commands, answers, b"", 0
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        target = self._ask("Target.createTarget", url="about:blank", session=None)["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True, session=None)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._ask(f"{domain}.enable")

    def open(self, path: Path, hash: str = "") -> None:
        """Open a page from disk, and wait until it is loaded."""
        for address in (
            "about:blank",
            f"{path.as_uri()}{hash}",
        ):  # else another # of one page would load nothing
            self._loaded = False
            self._ask("Page.navigate", url=address)
            self._until(lambda: self._loaded)

    def run(self, script: str) -> Any:
        """The value of a script, awaited."""
        found = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until a script is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(script):
            assert time.monotonic() < end, f"never: {script}"
            time.sleep(0.05)

    def resize(self, width: int, height: int, dark: bool = False, phone: bool = False) -> None:
        """The size of the window, and whether its reader wants dark pages."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Move, press or release the left button."""
        kind = {"move": "mouseMoved", "press": "mousePressed", "release": "mouseReleased"}[kind]
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def press(self, key: str) -> None:
        """A key of the keyboard."""
        code = {"Escape": 27, "ArrowLeft": 37}.get(key, ord(key[0].upper()))
        for kind in ("keyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, whole: bool = False) -> np.ndarray:
        """Pixels (height, width, 3) of the window, or of the whole page."""
        # Two frames, so that what was asked for is drawn.
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        data = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    def _ask(self, method: str, session: str | None = "", **params: Any) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answers: list[dict[str, Any]] = []
        self._until(lambda: bool(answers), answers)
        assert "error" not in answers[0], (method, answers[0])
        found: dict[str, Any] = answers[0]["result"]
        return found

    def _until(self, done: Any, answers: list[dict[str, Any]] | None = None) -> None:
        end, wanted = time.monotonic() + PATIENCE, self._count
        while not done():
            if b"\0" not in self._rest:
                assert select.select([self._answers], [], [], max(end - time.monotonic(), 0))[0], "no answer"
                more = os.read(self._answers, 1 << 20)
                assert more, "the browser ended"
                self._rest += more
                continue
            one, _, self._rest = self._rest.partition(b"\0")
            message = json.loads(one)
            if answers is not None and message.get("id") == wanted:
                answers.append(message)
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.errors.append(str([a.get("value", a.get("description")) for a in params["args"]]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium, without a network and with WebGL in software."""
    assert CHROMIUM
    theirs_in, commands = os.pipe()
    answers, theirs_out = os.pipe()
    options = [
        *(
            "--headless=new",
            "--no-sandbox",
            "--no-first-run",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ),
        *(
            "--enable-unsafe-swiftshader",
            "--use-angle=swiftshader",
            "--hide-scrollbars",
            "--proxy-server=127.0.0.1:9",
        ),
        *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    ]

    def place() -> None:  # the protocol speaks over descriptors 3 and 4
        spare_in, spare_out = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out))
        os.dup2(spare_in, 3)
        os.dup2(spare_out, 4)

    process = subprocess.Popen(
        [CHROMIUM, *options],
        preexec_fn=place,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(commands, answers)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        os.close(commands)
        os.close(answers)
