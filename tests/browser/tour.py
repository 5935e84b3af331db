"""Takes the pictures of the README from the demonstration: ``python tests/browser/tour.py`` (a few minutes).

Runs ``bongsu demo`` in a folder of its own, plays two disasters, waits until they are judged, and looks with a real Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PORT = 8793
DISASTERS = (3, 5)
JUDGED_SECONDS = 480
DESK, WALL = (1440, 900), (1440, 810)
SHOTS = {  # "" = the incident of the site that lost its power
    "board": ("/", DESK),
    "map": ("/map", DESK),
    "wall": ("/wall", WALL),
    "incident": ("", DESK),
    "host": ("/hosts/srv1.cairo", DESK),
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/said", "w+") as said:
        bongsu = [sys.executable, "-m", "collector.cli", "demo", "--data", f"{folder}/demo"]
        running = subprocess.Popen([*bongsu, "--port", str(PORT), "--minutes", "15"], stdout=said)
        try:
            wait(f"http://127.0.0.1:{PORT}/healthz")
            for number in DISASTERS:
                subprocess.run([*bongsu, "play", str(number)], check=True)
            time.sleep(JUDGED_SECONDS)
            said.seek(0)
            take(f"http://127.0.0.1:{PORT}", said.read().partition("password ")[2].split()[0])
        finally:
            running.terminate()
            running.wait()
    return 0


def wait(url: str) -> None:
    for _ in range(300):
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(1)
    raise SystemExit(f"{url} does not answer")


def take(base: str, password: str) -> None:
    """As somebody signed in sees it."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{base}/login")
        page.locator("[name=username]").fill("demo")
        page.locator("[name=password]").fill(password)
        page.locator(".go").click()
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/incidents?lang=en")
        told = page.locator("table.incidents a", has_text="Abuja").first.get_attribute("href")
        for language, ending in (("en", ""), ("ko", ".ko")):
            for name, (path, (width, height)) in SHOTS.items():
                page.set_viewport_size({"width": width, "height": height})
                answer = page.goto(f"{base}{path or told}?lang={language}")
                if answer is None or not answer.ok:
                    raise SystemExit(f"{path} is no picture: it did not answer well")
                page.wait_for_timeout(1500)
                page.screenshot(path=IMAGES / f"{name}{ending}.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
