"""A headless Chromium, driven by chromedriver through the protocol of WebDriver (https://www.w3.org/TR/webdriver2)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

_SECONDS = 60


class Browser:
    """One window."""

    def __init__(self, driver: str, chromium: str) -> None:
        self._process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "successfully on port " in line and line.rstrip(".\n").rpartition(" ")[2].isdecimal():
                port = line.rstrip(".\n").rpartition(" ")[2]
                break
        else:
            raise AssertionError("chromedriver named no port")
        self._url = f"http://127.0.0.1:{port}/session"
        options = {
            "binary": chromium,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"],
        }
        logging = {"browser": "ALL", "performance": "ALL"}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logging}
        session = self._post("", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self._url += f"/{session}"

    def close(self) -> None:
        self._send("DELETE", "", None)  # ends the browser, which outlives its driver otherwise
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def open(self, path: Path, *, dark: bool = False, width: int = 1100) -> None:
        self.command("Emulation.setEmulatedMedia", features=[_scheme(dark=dark)])
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._post("/url", {"url": path.as_uri()})

    def command(self, name: str, **parameters: object) -> Any:
        """Send a command of Chromium's own protocol."""
        return self._post("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def run(self, script: str) -> Any:
        """Return what a script returns."""
        return self._post("/execute/sync", {"script": script, "args": []})

    def wait_for(self, script: str) -> Any:
        """Return what a script passes to its callback, ``arguments[0]``."""
        return self._post("/execute/async", {"script": script, "args": []})

    def press(self, *keys: str) -> None:
        """Press and release each key."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._post("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def log(self, kind: str) -> list[Any]:
        """Return what was logged since the last call: ``browser`` or ``performance``."""
        entries: list[Any] = self._post("/se/log", {"type": kind})
        return entries

    def requests(self) -> list[str]:
        """Return the addresses that pages asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]

    def screenshot(self, path: Path) -> None:
        """Write the whole page as PNG."""
        made = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(made["data"]))

    def _post(self, path: str, body: object) -> Any:
        return self._send("POST", path, json.dumps(body).encode())

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(self._url + path, body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return json.load(answer)["value"]


def _scheme(*, dark: bool) -> dict[str, str]:
    return {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}


def browser() -> Browser:
    """Start a browser; skips where there is none."""
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or chromium is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    return Browser(driver, chromium)
